/* SPDX-License-Identifier: MIT */
/* The order in which a child is made what it is to be, and what is told of the step that fails. */
#include <linux/filter.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <check.h>

#include "base/arena.h"
#include "base/text.h"
#include "leak.h"
#include "os/internal.h"

Suite *test_suite(void);

static const char *const argv[] = {"/bin/program", NULL};
static struct os_linux seam;
static struct terms terms;
static struct text told;
static struct arena *arena;

static void begin(void)
{
	seam = (struct os_linux){.nofile = {1024, 4096}};
	terms = (struct terms){0};
	arena = arena_new();
	ck_assert_ptr_nonnull(arena);
}

static void end(void)
{
	arena_free(arena);
	text_done(&told);
	told = (struct text){0};
}

static struct steps steps_of(const struct os_spawn *spawn, const struct ids *ids)
{
	struct steps steps;

	ck_assert(os_steps_make(arena, &seam, spawn, ids, &steps));
	return steps;
}

/* The steps by name, as far as they say who is what. */
static const char *order_of(const struct os_spawn *spawn, const struct ids *ids)
{
	static const char *const names[] = {
		[EFF_STEP_SETGROUPS] = "groups",
		[EFF_STEP_SETGID] = "gid",
		[EFF_STEP_SETUID] = "uid",
		[EFF_STEP_UMASK] = "umask",
		[EFF_STEP_RLIMIT] = "limit",
		[EFF_STEP_NICE] = "nice",
		[EFF_STEP_IOPRIO] = "ioprio",
		[EFF_STEP_SCHEDULER] = "scheduler",
		[EFF_STEP_AFFINITY] = "affinity",
		[EFF_STEP_WRITE] = "write",
		[EFF_STEP_NAMESPACE] = "view",
		[EFF_STEP_CHROOT] = "chroot",
		[EFF_STEP_CHDIR] = "chdir",
		[EFF_STEP_BOUNDING] = "bounding",
		[EFF_STEP_KEEP_CAPS] = "keep",
		[EFF_STEP_AMBIENT] = "ambient",
		[EFF_STEP_NO_NEW_PRIVS] = "no_new_privs",
		[EFF_STEP_DEATHSIG] = "deathsig",
		[EFF_STEP_FILTER] = "filter",
		[EFF_STEP_PID_ENTRY] = "pid",
	};
	struct steps steps = steps_of(spawn, ids);

	for (unsigned i = 0; i < steps.n; i++)
		text_printf(&told, "%s%s", i ? " " : "", names[steps.list[i].kind]);
	return told.bytes;
}

static void fault_is(
	const struct os_spawn *spawn, const char *word, const char *stage, const char *what)
{
	struct os_fault fault = {.error = 1};

	os_step_fault(spawn, word, &fault);
	ck_assert_str_eq(fault.stage, stage);
	ck_assert_str_eq(fault.what, what);
	ck_assert_int_eq(fault.error, 1);
}

START_TEST(a_plain_child_takes_few_steps)
{
	const struct os_spawn spawn = {.argv = argv, .umask = 022};

	ck_assert_str_eq(order_of(&spawn, NULL), "umask deathsig");
	ck_assert(!steps_of(&spawn, NULL).own_memory);
}
END_TEST

START_TEST(all_of_a_child_comes_in_the_order_that_is_safe)
{
	struct ids ids = {.uid = 12345, .gid = 12345};
	struct os_view *view = &(struct os_view){.fd = 7};
	const struct os_spawn spawn = {.argv = argv,
		.root_dir = "/jail",
		.working_dir = "/tmp",
		.user = "12345",
		.terms = &terms,
		.view = &view};

	terms.limits[RLIMIT_NOFILE] = (struct terms_limit){.hard = 9, .has_hard = true};
	terms.given = TERMS_NICE | TERMS_OOM_SCORE_ADJ | TERMS_IONICE | TERMS_CPUS |
		TERMS_SCHED | TERMS_CAPABILITIES;
	terms.capabilities = terms.ambient = 1;
	terms.no_new_privileges = true;
	ck_assert_str_eq(order_of(&spawn, &ids),
		"umask write limit nice ioprio scheduler affinity view chroot bounding keep groups gid uid "
		"ambient chdir deathsig no_new_privs");
	ck_assert(steps_of(&spawn, &ids).own_memory);
}
END_TEST

static void limits_are(int resource, uint64_t soft, uint64_t hard)
{
	const struct os_spawn spawn = {.argv = argv, .terms = &terms};
	struct steps steps = steps_of(&spawn, NULL);

	ck_assert_int_eq(steps.list[1].kind, EFF_STEP_RLIMIT);
	ck_assert_int_eq(steps.list[1].limit.resource, resource);
	ck_assert_uint_eq(steps.list[1].limit.value.rlim_cur, soft);
	ck_assert_uint_eq(steps.list[1].limit.value.rlim_max, hard);
}

START_TEST(half_a_limit_has_its_other_half_from_effd)
{
	struct terms_limit *nofile = &terms.limits[RLIMIT_NOFILE];
	struct rlimit now;

	*nofile = (struct terms_limit){.soft = 100, .has_soft = true};
	limits_are(RLIMIT_NOFILE, 100, 4096);
	*nofile = (struct terms_limit){.hard = 2000, .has_hard = true};
	limits_are(RLIMIT_NOFILE, 1024, 2000);
	*nofile = (struct terms_limit){.hard = 50, .has_hard = true};
	limits_are(RLIMIT_NOFILE, 50, 50);
	*nofile = (struct terms_limit){0};
	seam.set_nofile = true;
	limits_are(RLIMIT_NOFILE, 1024, 4096);
	seam.set_nofile = false;
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &now), 0);
	terms.limits[RLIMIT_CORE] = (struct terms_limit){.soft = 0, .has_soft = true};
	limits_are(RLIMIT_CORE, 0, now.rlim_max);
}
END_TEST

static struct eff_step step_of(enum eff_step_kind kind)
{
	const struct os_spawn spawn = {.argv = argv, .terms = &terms};
	struct steps steps = steps_of(&spawn, NULL);

	for (unsigned i = 0; i < steps.n; i++)
		if (steps.list[i].kind == kind)
			return steps.list[i];
	ck_abort_msg("there is no such step");
}

START_TEST(priorities_are_as_the_kernel_takes_them)
{
	terms = (struct terms){.given = TERMS_NICE | TERMS_OOM_SCORE_ADJ | TERMS_IONICE |
			TERMS_IONICE_LEVEL | TERMS_SCHED,
		.nice = -3,
		.oom_score_adj = -17,
		.ionice = TERMS_IO_REALTIME,
		.ionice_level = 6,
		.sched = TERMS_SCHED_RR,
		.sched_priority = 40};
	ck_assert_int_eq(step_of(EFF_STEP_NICE).number, -3);
	ck_assert_str_eq(step_of(EFF_STEP_WRITE).file.text, "-17");
	ck_assert_int_eq(step_of(EFF_STEP_IOPRIO).number, 1 << 13 | 6);
	ck_assert_int_eq(step_of(EFF_STEP_SCHEDULER).sched.policy, SCHED_RR);
	ck_assert_int_eq(step_of(EFF_STEP_SCHEDULER).sched.priority, 40);

	/* What was inherited, and is not for this class or policy, goes nowhere; a level not given is the usual one. */
	terms.ionice = TERMS_IO_IDLE;
	terms.sched = TERMS_SCHED_IDLE;
	ck_assert_int_eq(step_of(EFF_STEP_IOPRIO).number, 3 << 13);
	ck_assert_int_eq(step_of(EFF_STEP_SCHEDULER).sched.policy, SCHED_IDLE);
	ck_assert_int_eq(step_of(EFF_STEP_SCHEDULER).sched.priority, 0);
	terms.ionice = TERMS_IO_BEST_EFFORT;
	terms.given &= ~(unsigned)TERMS_IONICE_LEVEL;
	ck_assert_int_eq(step_of(EFF_STEP_IOPRIO).number, 2 << 13 | 4);
}
END_TEST

START_TEST(what_shares_effds_memory_would_give_effd_its_score)
{
	const struct os_spawn spawn = {.argv = argv, .terms = &terms};

	terms.given = TERMS_NICE;
	ck_assert(!steps_of(&spawn, NULL).own_memory);
	terms.given = TERMS_OOM_SCORE_ADJ;
	ck_assert(steps_of(&spawn, NULL).own_memory);
}
END_TEST

START_TEST(what_effd_has_is_for_nobody_who_did_not_ask)
{
	const struct os_spawn spawn = {.argv = argv, .terms = &terms}, plain = {.argv = argv};

	ck_assert_str_eq(order_of(&spawn, NULL), "umask deathsig");
	seam.has_ambient = true;
	ck_assert_uint_eq(step_of(EFF_STEP_AMBIENT).capabilities, 0);
	ck_assert_int_eq(steps_of(&plain, NULL).list[1].kind, EFF_STEP_AMBIENT);
	ck_assert(!steps_of(&plain, NULL).own_memory);
	terms.ambient = 6;
	ck_assert_uint_eq(step_of(EFF_STEP_AMBIENT).capabilities, 6);
	ck_assert(steps_of(&spawn, NULL).own_memory);
}
END_TEST

START_TEST(a_filter_is_the_last_step_and_a_copy)
{
	struct sock_filter program[2] = {{.k = 1}, {.k = 2}};
	const struct filter filter = {program, 2};
	const struct os_spawn spawn = {.argv = argv, .filter = &filter};
	struct steps steps = steps_of(&spawn, NULL);

	/* Who is not root needs that for one. */
	ck_assert_str_eq(order_of(&spawn, NULL), "umask deathsig no_new_privs");
	os_step_add(&steps, (struct eff_step){.kind = EFF_STEP_PID_ENTRY});
	ck_assert(os_filter_add(&steps, arena, &filter));
	ck_assert_uint_eq(steps.n, 5);
	ck_assert_int_eq(steps.list[4].kind, EFF_STEP_FILTER);
	ck_assert_uint_eq(steps.list[4].filter.n, 2);
	ck_assert_ptr_ne(steps.list[4].filter.list, program);
	ck_assert_uint_eq(steps.list[4].filter.list[1].k, 2);
	ck_assert(!steps.own_memory);
	ck_assert(os_filter_add(&steps, arena, NULL));
	ck_assert_uint_eq(steps.n, 5);
}
END_TEST

START_TEST(a_view_is_entered_by_the_last_of_its_descriptors)
{
	struct os_view *view = NULL;
	struct os_spawn spawn = {.argv = argv, .view = &view};

	ck_assert_str_eq(order_of(&spawn, NULL), "umask deathsig");
	view = &(struct os_view){.fd = 7};
	ck_assert_int_eq(steps_of(&spawn, NULL).list[1].kind, EFF_STEP_NAMESPACE);
	ck_assert_int_eq(steps_of(&spawn, NULL).list[1].number, 3);
	spawn.ready_fd = 9;
	ck_assert_int_eq(steps_of(&spawn, NULL).list[1].number, 10);
	ck_assert(!steps_of(&spawn, NULL).own_memory);
}
END_TEST

START_TEST(a_step_that_fails_is_told_in_the_words_of_the_tree)
{
	const struct os_spawn spawn = {
		.argv = argv, .root_dir = "/jail", .working_dir = "/srv", .user = "web", .group = "www"};

	fault_is(&spawn, "user", "user", "web");
	fault_is(&spawn, "group", "group", "www");
	fault_is(&spawn, "root", "root", "/jail");
	fault_is(&spawn, "chdir", "chdir", "/srv");
	fault_is(&spawn, "exec", "exec", "/bin/program");
	fault_is(&spawn, "nofile", "rlimit", "nofile");
	fault_is(&spawn, "priority.nice", "priority", "nice");
	fault_is(&spawn, "security.ambient", "security", "ambient");
	fault_is(&spawn, "nice", "rlimit", "nice");
	fault_is(&spawn, "fds", "fork", "/bin/program");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("os_steps");
	TCase *tcase = tcase_create("steps");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, a_plain_child_takes_few_steps);
	tcase_add_test(tcase, all_of_a_child_comes_in_the_order_that_is_safe);
	tcase_add_test(tcase, half_a_limit_has_its_other_half_from_effd);
	tcase_add_test(tcase, priorities_are_as_the_kernel_takes_them);
	tcase_add_test(tcase, what_shares_effds_memory_would_give_effd_its_score);
	tcase_add_test(tcase, what_effd_has_is_for_nobody_who_did_not_ask);
	tcase_add_test(tcase, a_filter_is_the_last_step_and_a_copy);
	tcase_add_test(tcase, a_view_is_entered_by_the_last_of_its_descriptors);
	tcase_add_test(tcase, a_step_that_fails_is_told_in_the_words_of_the_tree);
	suite_add_tcase(suite, tcase);
	return suite;
}
