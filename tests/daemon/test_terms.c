/* SPDX-License-Identifier: MIT */
/* The terms of a process: from the tree to the plan, and on to the seam. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <check.h>

#include "fake/world.h"
#include "leak.h"
#include "plan_world.h"

Suite *test_suite(void);

static struct plan_world world;

static void done(void)
{
	plan_world_done(&world);
}

#define HEAD "version: 1\nunits:\n"

static const struct plan_unit *planned(const char *name)
{
	const struct plan_unit *unit = plan_find(world.plan, name);

	ck_assert_msg(unit, "there is no %s", name);
	return unit;
}

static const char *value_of(const char *unit, const char *field)
{
	const struct plan_unit *u = planned(unit);

	for (uint32_t i = 0; i < u->n_values; i++)
		if (strcmp(plan_field(u->values[i].field)->name, field) == 0)
			return u->values[i].text;
	return "not given";
}

/* ── the control group's limits ── */

START_TEST(limits_of_a_control_group_are_counted_as_the_kernel_does)
{
	const struct terms *terms;

	(void)plan_world_good(&world,
		HEAD "  a:\n    command: x\n    cgroup:\n"
		     "      {memory_max: 1GiB, memory_high: 900MB, cpu_max: 250%, cpu_weight: 1, pids_max: 64}\n"
		     "  b: {command: x, cgroup: {cpu_max: 0.5, io_weight: 10000}}\n"
		     "  c: {command: x, cgroup: {}}\n");

	terms = &planned("a")->more->terms;
	ck_assert_uint_eq(terms->cgroup.memory_max, UINT64_C(1) << 30);
	ck_assert_uint_eq(terms->cgroup.memory_high, 900000000);
	ck_assert_double_eq(terms->cgroup.cpu_max, 2.5);
	ck_assert_uint_eq(terms->cgroup.cpu_weight, 1);
	ck_assert_uint_eq(terms->cgroup.pids_max, 64);
	ck_assert_uint_eq(terms->given,
		(1U << TERMS_MEMORY_MAX | 1U << TERMS_MEMORY_HIGH | 1U << TERMS_CPU_MAX |
			1U << TERMS_CPU_WEIGHT | 1U << TERMS_PIDS_MAX)
			<< TERMS_CGROUP_SHIFT);
	ck_assert_str_eq(value_of("a", "cgroup.cpu_max"), "250%");
	terms = &planned("b")->more->terms;
	ck_assert_double_eq(terms->cgroup.cpu_max, 0.5);
	ck_assert_uint_eq(terms->cgroup.io_weight, 10000);
	ck_assert_uint_eq(terms->given,
		(1U << TERMS_CPU_MAX | 1U << TERMS_IO_WEIGHT) << TERMS_CGROUP_SHIFT);
	ck_assert(!terms_limit_a_cgroup(planned("c")->more ? &planned("c")->more->terms : NULL));
}
END_TEST

/* ── limits ── */

static void limit_is(const char *unit, int resource, uint64_t soft, uint64_t hard)
{
	const struct terms_limit *limit = &planned(unit)->more->terms.limits[resource];

	ck_assert(limit->has_soft && limit->has_hard);
	ck_assert_uint_eq(limit->soft, soft);
	ck_assert_uint_eq(limit->hard, hard);
}

START_TEST(a_process_without_terms_keeps_none)
{
	(void)plan_world_good(&world, HEAD "  a: {command: x}\n  b: {fiber: idle}\n");

	ck_assert_ptr_null(planned("a")->more);
	ck_assert_ptr_null(planned("b")->more);
}
END_TEST

START_TEST(limits_are_counted_as_the_kernel_does)
{
	const struct terms_limit *nproc;

	(void)plan_world_good(&world,
		HEAD
		"  a:\n    command: x\n    limits:\n"
		"      {nofile: 4096, core: 0, as: 2GiB, cpu: 1m30s, rttime: 5ms, stack: infinity,\n"
		"       nice: 25, nproc: {hard: 64}, memlock: {soft: 1MiB, hard: infinity}}\n");
	nproc = &planned("a")->more->terms.limits[RLIMIT_NPROC];

	limit_is("a", RLIMIT_NOFILE, 4096, 4096);
	limit_is("a", RLIMIT_CORE, 0, 0);
	limit_is("a", RLIMIT_AS, UINT64_C(2) << 30, UINT64_C(2) << 30);
	limit_is("a", RLIMIT_CPU, 90, 90);
	limit_is("a", RLIMIT_RTTIME, 5000, 5000);
	limit_is("a", RLIMIT_STACK, TERMS_INFINITY, TERMS_INFINITY);
	limit_is("a", RLIMIT_NICE, 25, 25);
	limit_is("a", RLIMIT_MEMLOCK, 1 << 20, TERMS_INFINITY);
	ck_assert(nproc->has_hard && !nproc->has_soft);
	ck_assert(!planned("a")->more->terms.limits[RLIMIT_DATA].has_hard);
	ck_assert_str_eq(value_of("a", "limits.nofile"), "4096");
	ck_assert_str_eq(value_of("a", "limits.as"), "2GiB");
	ck_assert_str_eq(value_of("a", "limits.cpu"), "1m30s");
	ck_assert_str_eq(value_of("a", "limits.rttime"), "5ms");
	ck_assert_str_eq(value_of("a", "limits.nproc"), "{hard: 64}");
	ck_assert_str_eq(value_of("a", "limits.memlock"), "{soft: 1MiB, hard: infinity}");
}
END_TEST

START_TEST(limits_are_inherited_half_by_half)
{
	(void)plan_world_good(&world,
		"version: 1\ndefaults: {limits: {nofile: 4096, core: 0}}\nunits:\n"
		"  a: {command: x, limits: {nofile: {soft: 64}}}\n"
		"  b: {command: x, limits: {nofile: 128}}\n"
		"  c: {fiber: idle}\n"
		"  g: {defaults: {limits: {nofile: {hard: 99}}}, units: {d: {command: x, limits: {nofile: {soft: 7}}}}}\n");

	limit_is("a", RLIMIT_NOFILE, 64, 4096);
	limit_is("a", RLIMIT_CORE, 0, 0);
	limit_is("b", RLIMIT_NOFILE, 128, 128);
	limit_is("g/d", RLIMIT_NOFILE, 7, 99);
	ck_assert_str_eq(value_of("a", "limits.nofile"), "{soft: 64, hard: 4096}");
	ck_assert_ptr_null(planned("c")->more);
}
END_TEST

/* ── what it cannot write ── */

START_TEST(paths_are_those_of_the_file_and_may_be_missing)
{
	const char *const *paths;

	(void)plan_world_good(&world,
		HEAD "  a: {command: x, security: {read_only_paths: [/etc, below, '?/a b', '?c/../d']}}\n"
		     "  b: {command: x, security: {read_only_paths: /usr}}\n"
		     "  c: {command: x, security: {read_only_paths: []}}\n");
	paths = planned("a")->more->read_only_paths;

	ck_assert_str_eq(paths[0], "/etc");
	ck_assert_str_eq(paths[1], "/tree/below");
	ck_assert_str_eq(paths[2], "?/a b");
	ck_assert_str_eq(paths[3], "?/tree/c/../d");
	ck_assert_ptr_null(paths[4]);
	ck_assert_str_eq(value_of("a", "security.read_only_paths"),
		"[/etc, /tree/below, \"?/a b\", ?/tree/c/../d]");
	ck_assert_str_eq(planned("b")->more->read_only_paths[0], "/usr");
	ck_assert_str_eq(value_of("c", "security.read_only_paths"), "[]");
}
END_TEST

/* ── priorities ── */

START_TEST(priorities_are_what_was_given_and_nothing_else)
{
	const struct terms *a, *b;

	(void)plan_world_good(&world,
		HEAD
		"  a:\n    command: x\n    priority:\n"
		"      {nice: -5, oom_score_adj: 250, ionice: idle, sched: {policy: rr, priority: 9}, cpus: '0-2, 64,7'}\n"
		"  b: {command: x, priority: {ionice: {class: best-effort, level: 0}, nice: 0}}\n");
	a = &planned("a")->more->terms;
	b = &planned("b")->more->terms;

	ck_assert_int_eq(a->nice, -5);
	ck_assert_int_eq(a->oom_score_adj, 250);
	ck_assert_int_eq(a->ionice, TERMS_IO_IDLE);
	ck_assert_int_eq(a->sched, TERMS_SCHED_RR);
	ck_assert_uint_eq(a->sched_priority, 9);
	ck_assert_uint_eq(a->cpus.words[0], 0x87);
	ck_assert_uint_eq(a->cpus.words[64 / TERMS_CPUS_BITS], 1UL << 64 % TERMS_CPUS_BITS);
	ck_assert_uint_eq(a->given,
		TERMS_NICE | TERMS_OOM_SCORE_ADJ | TERMS_IONICE | TERMS_CPUS | TERMS_SCHED |
			TERMS_SCHED_PRIORITY);
	ck_assert_uint_eq(b->given, TERMS_NICE | TERMS_IONICE | TERMS_IONICE_LEVEL);
	ck_assert_str_eq(value_of("a", "priority.cpus"), "0-2,7,64");
	ck_assert_str_eq(value_of("a", "priority.nice"), "-5");
	ck_assert_str_eq(value_of("a", "priority.ionice.class"), "idle");
}
END_TEST

START_TEST(priorities_are_inherited_one_by_one)
{
	const struct terms *a;

	(void)plan_world_good(&world,
		"version: 1\ndefaults: {priority: {nice: 3, ionice: {class: best-effort, level: 6}, cpus: 1}}\nunits:\n"
		"  a: {command: x, priority: {ionice: idle, cpus: [2, 4-5]}}\n"
		"  b: {command: x}\n  c: {command: y}\n");
	a = &planned("a")->more->terms;

	ck_assert_int_eq(a->nice, 3);
	ck_assert_int_eq(a->ionice, TERMS_IO_IDLE);
	ck_assert_uint_eq(a->cpus.words[0], 0x34);
	ck_assert_uint_eq(planned("b")->more->terms.cpus.words[0], 2);
	/* Units that are given the same share it. */
	ck_assert_ptr_eq(planned("b")->more, planned("c")->more);
}
END_TEST

/* ── rights ── */

START_TEST(rights_are_sets_of_capabilities)
{
	const struct terms *a, *b;

	(void)plan_world_good(&world,
		"version: 1\ndefaults: {security: {no_new_privileges: true, capabilities: [KILL]}}\nunits:\n"
		"  a: {command: x, security: {capabilities: [net_raw, CAP_CHOWN, Cap_Kill], ambient: CHOWN}}\n"
		"  b: {command: x, security: {capabilities: [], no_new_privileges: false}}\n"
		"  c: {command: x}\n");
	a = &planned("a")->more->terms;
	b = &planned("b")->more->terms;

	ck_assert_uint_eq(a->capabilities, 1 << 13 | 1 << 5 | 1);
	ck_assert_uint_eq(a->ambient, 1);
	ck_assert(a->no_new_privileges);
	ck_assert_uint_eq(a->given, TERMS_CAPABILITIES);
	ck_assert_str_eq(value_of("a", "security.capabilities"), "[CHOWN, KILL, NET_RAW]");
	ck_assert_uint_eq(b->capabilities, 0);
	ck_assert_uint_eq(b->given, TERMS_CAPABILITIES);
	ck_assert(!b->no_new_privileges);
	ck_assert_uint_eq(planned("c")->more->terms.capabilities, 1 << 5);
}
END_TEST

/* ── another root ── */

START_TEST(in_another_root_it_begins_at_the_top)
{
	(void)plan_world_good(&world,
		"version: 1\ndefaults: {root_dir: jail}\nunits:\n"
		"  a: {command: x}\n  b: {command: x, root_dir: /srv, working_dir: /in}\n  c: {fiber: idle}\n");

	ck_assert_str_eq(planned("a")->more->root_dir, "/tree/jail");
	ck_assert_str_eq(planned("a")->working_dir, "/");
	ck_assert_str_eq(planned("b")->more->root_dir, "/srv");
	ck_assert_str_eq(planned("b")->working_dir, "/in");
	ck_assert_str_eq(planned("c")->working_dir, "/tree");
}
END_TEST

/* ── directories and groups ── */

START_TEST(directories_and_groups_are_lists_of_names)
{
	const struct plan_process *more;

	(void)plan_world_good(&world,
		"version: 1\ndefaults: {supplementary_groups: [audio, '44']}\nunits:\n"
		"  a: {command: x, directories: {state: [shop, shop-x/y], logs: shop, mode: '0750'}}\n"
		"  b: {command: x, supplementary_groups: []}\n"
		"  c: {command: x, directories: {cache: [c]}, supplementary_groups: video}\n");
	more = planned("a")->more;

	ck_assert_str_eq(more->directories[PLAN_STATE][0], "shop");
	ck_assert_str_eq(more->directories[PLAN_STATE][1], "shop-x/y");
	ck_assert_ptr_null(more->directories[PLAN_STATE][2]);
	ck_assert_str_eq(more->directories[PLAN_LOGS][0], "shop");
	ck_assert_ptr_null(more->directories[PLAN_CACHE]);
	ck_assert_uint_eq(more->directories_mode, 0750);
	ck_assert_str_eq(more->groups[0], "audio");
	ck_assert_str_eq(more->groups[1], "44");
	ck_assert_ptr_null(more->groups[2]);
	ck_assert_ptr_null(planned("b")->more->groups);
	ck_assert_uint_eq(planned("c")->more->directories_mode, 0755);
	ck_assert_str_eq(planned("c")->more->groups[0], "video");
	ck_assert_str_eq(value_of("a", "supplementary_groups"), "[audio, 44]");
	ck_assert_str_eq(value_of("c", "directories.cache"), "[c]");
}
END_TEST

/* ── on to the seam ── */

static unsigned n_seen;

static void seen_limits(void *context, const struct os_spawn *spawn)
{
	(void)context;
	n_seen++;
	ck_assert_ptr_nonnull(spawn->terms);
	ck_assert_uint_eq(spawn->terms->limits[RLIMIT_NOFILE].soft, 77);
}

START_TEST(the_terms_are_those_of_its_commands_too)
{
	struct world *w = world_new(
		"web: {command: web, limits: {nofile: 77}, "
		"hooks: {pre_start: prepare, post_stop: tidy}, stop: {command: quit}}");

	n_seen = 0;
	os_fake_on_spawn(w->fake, seen_limits, NULL);
	world_script(w, "prepare", (struct script){.helper = true});
	world_script(w, "tidy", (struct script){.helper = true});
	world_script(w, "quit", (struct script){.helper = true});
	world_script(w, "web", (struct script){.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));

	ck_assert_uint_eq(n_seen, 4);
	world_free(w);
}
END_TEST

static void seen_directories(void *context, const struct os_spawn *spawn)
{
	const char *program = spawn->argv[0];

	text_printf(context, "%s%s ", program, spawn->directories[OS_STATE] ? "+" : "-");
	ck_assert_str_eq(spawn->groups[0], "video");
}

START_TEST(directories_are_made_before_what_comes_first_and_not_beside_the_program)
{
	struct world *w = world_new(
		"web: {command: web, directories: {state: web}, supplementary_groups: video, "
		"hooks: {pre_start: prepare, on_ready: tell}, stop: {command: quit}}");
	struct text seen = {0};

	os_fake_on_spawn(w->fake, seen_directories, &seen);
	world_script(w, "prepare", (struct script){.helper = true});
	world_script(w, "tell", (struct script){.helper = true});
	world_script(w, "quit", (struct script){.helper = true});
	world_script(w, "web", (struct script){.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(seen.bytes, "prepare+ web+ tell- quit- ");
	text_done(&seen);
	world_free(w);
}
END_TEST

START_TEST(a_term_that_cannot_be_granted_is_the_cause_of_the_end)
{
	struct world *w = world_new("web: {command: web, limits: {nofile: 77}, restart: no}");

	world_script(w, "web", (struct script){.exec_error = EPERM, .exec_stage = "rlimit"});
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"rlimit: EPERM (Operation not permitted): web");
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("terms");
	TCase *plan = tcase_create("plan"), *seam = tcase_create("seam");

	test_leak_guard(plan);
	tcase_add_checked_fixture(plan, NULL, done);
	tcase_add_test(plan, a_process_without_terms_keeps_none);
	tcase_add_test(plan, limits_of_a_control_group_are_counted_as_the_kernel_does);
	tcase_add_test(plan, limits_are_counted_as_the_kernel_does);
	tcase_add_test(plan, limits_are_inherited_half_by_half);
	tcase_add_test(plan, paths_are_those_of_the_file_and_may_be_missing);
	tcase_add_test(plan, priorities_are_what_was_given_and_nothing_else);
	tcase_add_test(plan, priorities_are_inherited_one_by_one);
	tcase_add_test(plan, rights_are_sets_of_capabilities);
	tcase_add_test(plan, in_another_root_it_begins_at_the_top);
	tcase_add_test(plan, directories_and_groups_are_lists_of_names);
	suite_add_tcase(suite, plan);
	test_leak_guard(seam);
	tcase_add_test(seam, the_terms_are_those_of_its_commands_too);
	tcase_add_test(
		seam, directories_are_made_before_what_comes_first_and_not_beside_the_program);
	tcase_add_test(seam, a_term_that_cannot_be_granted_is_the_cause_of_the_end);
	suite_add_tcase(suite, seam);
	return suite;
}
