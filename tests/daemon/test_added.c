/* SPDX-License-Identifier: MIT */
/* What is added to a tree at run time: a plan is made anew from what it was read from, with the addition; or made without
 * some of its units. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "leak.h"
#include "plan_world.h"

Suite *test_suite(void);

#define TREE \
	"version: 1\n" \
	"defaults: {stop: {timeout: 3s}}\n" \
	"units:\n" \
	"  db: {command: sleep}\n" \
	"  pool:\n" \
	"    strategy: simple_one_for_one\n" \
	"    template:\n" \
	"      command: [work, one]\n" \
	"      depends_on: [db]\n" \
	"      environment: {A: template, B: template}\n" \
	"      restart: {policy: on-failure, backoff: {initial: 100ms}}\n" \
	"  web: {command: sleep, after: [pool]}\n"

/* Add a text to the plan of the world, which becomes the new one. Returns what plan_add() did. */
static int add(struct plan_world *world, const char *supervisor, const char *text)
{
	struct plan_addition addition = {.supervisor = supervisor,
		.file = "/more/add.yaml",
		.text = text,
		.size = strlen(text)};
	struct plan *plan = NULL;
	int r = plan_add(world->plan, &addition, &world->source, &plan, world->diags);

	if (r == 0) {
		plan_unref(world->plan);
		world->plan = plan;
	}
	if (addition.taken)
		ck_assert_int_eq(r, -EEXIST);
	free(addition.taken);
	return r;
}

/* Is the row what the others say of it? */
static void row_is_right(const struct plan *plan, uint32_t row)
{
	const struct plan_unit *u = plan_unit(plan, row);
	uint32_t n = 0;

	ck_assert_uint_eq(u->index, row);
	ck_assert_ptr_eq(plan_find(plan, u->name), u);
	ck_assert_uint_gt(u->end, row);
	for (uint32_t c = u->first_child; c != PLAN_NONE; c = plan_unit(plan, c)->next_sibling) {
		ck_assert_uint_eq(plan_unit(plan, c)->parent, row);
		ck_assert_uint_lt(c, u->end);
		n++;
	}
	ck_assert_uint_eq(n, u->n_children);
	for (uint32_t k = 0; k < u->n_needs; k++)
		ck_assert_uint_lt(u->needs[k].unit, plan_n_units(plan));
}

/* The names of all units in their order. */
static const char *names_of(const struct plan *plan)
{
	static char names[1024];
	size_t n = 0;

	for (uint32_t i = 0; i < plan_n_units(plan); i++) {
		row_is_right(plan, i);
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i ? " " : "",
			plan_unit(plan, i)->name);
	}
	return names;
}

static const char *environment_of(const struct plan *plan, const char *unit, const char *name)
{
	for (plan_strv v = plan_find(plan, unit)->environment; *v; v++)
		if (strncmp(*v, name, strlen(name)) == 0)
			return *v;
	return "";
}

START_TEST(what_is_added_is_laid_over_the_template_and_that_over_the_defaults)
{
	struct plan_world world;
	const struct plan_unit *a, *b;

	(void)plan_world_good(&world, TREE);
	ck_assert_int_eq(add(&world, "pool",
				 "units:\n"
				 "  a: {}\n"
				 "  b: {shell: exec other, environment: {B: own}, restart: no}\n"),
		0);
	ck_assert_str_eq(names_of(world.plan), "/ db pool pool/a pool/b web");

	a = plan_find(world.plan, "pool/a");
	b = plan_find(world.plan, "pool/b");
	ck_assert_str_eq(a->argv[1], "one");
	ck_assert_str_eq(b->argv[2], "exec other");
	ck_assert_int_eq(a->ways->stop.timeout_ns, EFF_S(3));
	ck_assert_int_eq(a->restart, PLAN_ON_FAILURE);
	ck_assert_int_eq(b->restart, PLAN_NO);
	ck_assert_int_eq(b->ways->backoff.initial_ns, EFF_MS(100));
	ck_assert_str_eq(environment_of(world.plan, "pool/a", "B="), "B=template");
	ck_assert_str_eq(environment_of(world.plan, "pool/b", "A="), "A=template");
	ck_assert_str_eq(environment_of(world.plan, "pool/b", "B="), "B=own");
	ck_assert_uint_eq(a->n_needs, 1);
	ck_assert_uint_eq(a->needs[0].unit, 1);
	ck_assert_uint_eq(plan_find(world.plan, "db")->n_needed_by, 2);
	ck_assert_uint_eq(diags_count(world.diags), 0);
	/* Places and folders are those of the file that was added. */
	ck_assert_str_eq(a->at.file, "/more/add.yaml");
	ck_assert_uint_eq(b->at.line, 3);
	ck_assert_str_eq(a->working_dir, "/more");
	ck_assert(plan_is_new(a));
	ck_assert_ptr_null(plan_find(world.plan, "web")->added);
	plan_world_done(&world);
}
END_TEST

START_TEST(of_a_tree_that_changed_on_disk_an_addition_sees_nothing)
{
	struct plan_world world;

	plan_world_init(&world);
	world.env_text = "A=then\n";
	world.text = "version: 1\nunits:\n  old: {command: sleep, env_file: [env, '?later']}\n"
		     "  pool: {strategy: simple_one_for_one, template: {command: work}}\n";
	plan_world_load(&world, "/tree/effd.yaml");
	ck_assert_int_eq(world.result, 0);
	world.text = "version: 1\nunits: {new: {command: sleep}}\n";
	world.env_text = "A=now\n";

	ck_assert_int_eq(add(&world, "pool", "units: {a: {}}"), 0);
	ck_assert_int_eq(add(&world, "pool", "units: {b: {}}"), 0);

	ck_assert_str_eq(names_of(world.plan), "/ old pool pool/a pool/b");
	ck_assert_str_eq(environment_of(world.plan, "old", "A="), "A=then");
	ck_assert(!plan_is_new(plan_find(world.plan, "pool/a")));
	ck_assert(plan_is_new(plan_find(world.plan, "pool/b")));
	plan_world_done(&world);
}
END_TEST

START_TEST(a_name_that_is_taken_adds_nothing)
{
	struct plan_world world;
	struct plan_addition addition = {
		.supervisor = "pool", .file = "/more/add.yaml", .text = "units: {b: {}, a: {}}"};
	struct plan *before, *plan = NULL;

	(void)plan_world_good(&world, TREE);
	ck_assert_int_eq(add(&world, "pool", "units: {a: {}}"), 0);
	before = world.plan;
	addition.size = strlen(addition.text);

	ck_assert_int_eq(
		plan_add(world.plan, &addition, &world.source, &plan, world.diags), -EEXIST);

	ck_assert_str_eq(addition.taken, "pool/a");
	ck_assert_ptr_null(plan);
	ck_assert_ptr_eq(world.plan, before);
	free(addition.taken);
	plan_world_done(&world);
}
END_TEST

/* What is wrong with an addition, and all of it. */
static const struct {
	const char *text, *report;
} wrong[] = {
	{"", "0:0: error[E107]: the file is empty\n"},
	{"- a", "1:1: error[E204]: what is added is a mapping, and this is a list\n"},
	{"{}", "1:1: error[E203]: `units` is missing\n"},
	{"units: {}", "1:1: error[E203]: `units` has nothing in it\n"},
	{"units: [a]", "1:8: error[E204]: `units` needs a mapping, and this is a list\n"},
	{"daemon: {}\nunits:\n  a: {comand: x}\n  b: {start_timeout: 30}\n  -c: {}\n",
		"1:1: error[E218]: `daemon` is not for what is added\n"
		"help: it has `units` alone, a mapping of names to units\n"
		"3:7: error[E201]: unknown key `comand`\nhelp: did you mean `command`?\n"
		"4:22: error[E205]: a duration needs a unit\n"
		"help: 30s or 30ms? write 30s (seconds) or 30ms (milliseconds)\n"
		"5:3: error[E213]: `-c` cannot be the name of a unit\n"
		"help: a name begins with a letter or a digit and has at most 63 of A-Z a-z 0-9 _ . -\n"},
	{"units: {a: {depends_on: [dbb]}}", "1:26: error[E301]: there is no unit `dbb`\n"},
	{"units:\n  a: {after: [b]}\n  b: {after: [a]}\n",
		"2:15: error[E305]: these can never start: pool/a -> pool/b -> pool/a\n"},
	{"units: {a: {command: missing}}",
		"1:22: warning[W404]: there is no executable program `missing` here\n"},
	{"units:\n  a: {}\n  a: {}\n", "3:3: error[E103]: `a` is given twice\n"},
};

START_TEST(what_is_wrong_with_an_addition_is_said_as_of_any_file)
{
	struct plan_world world;
	struct text got;

	(void)plan_world_good(&world, TREE);
	(void)add(&world, "pool", wrong[_i].text);
	got = plan_world_report(&world, "/more/add.yaml");

	ck_assert_str_eq(got.bytes ? got.bytes : "", wrong[_i].report);
	text_done(&got);
	plan_world_done(&world);
}
END_TEST

START_TEST(only_what_was_added_beside_it_may_name_an_added_unit)
{
	struct plan_world world;

	(void)plan_world_good(&world, TREE);
	ck_assert_int_eq(add(&world, "pool", "units: {a: {}, b: {after: [a]}}"), 0);
	ck_assert_int_eq(add(&world, "pool", "units: {c: {depends_on: [a, b]}}"), 0);
	ck_assert_str_eq(names_of(world.plan), "/ db pool pool/a pool/b pool/c web");
	world.text = TREE "  late: {command: sleep, depends_on: [pool/a]}\n"
			  "daemon: {exit_code_from: pool/a}\n";
	{
		struct plan *plan = NULL;
		struct text got;

		ck_assert_int_eq(plan_load_again("/tree/effd.yaml", &world.source, world.plan,
					 &plan, world.diags),
			-EINVAL);
		got = plan_world_report(&world, "/tree/effd.yaml");
		ck_assert_str_eq(got.bytes,
			"13:39: error[E319]: `pool/a` was added at run time and may go: only what was "
			"added beside it can name it\n"
			"14:26: error[E319]: `pool/a` was added at run time and may go: only what was "
			"added beside it can name it\n");
		text_done(&got);
	}
	plan_world_done(&world);
}
END_TEST

START_TEST(a_reload_lays_what_was_added_over_the_new_template)
{
	struct plan_world world;
	struct plan *plan = NULL;

	(void)plan_world_good(&world, TREE);
	ck_assert_int_eq(add(&world, "pool", "units: {a: {}, b: {command: own}}"), 0);
	world.text = "version: 1\nunits:\n  new: {command: sleep}\n"
		     "  pool: {strategy: simple_one_for_one, template: {command: two}}\n";

	ck_assert_int_eq(
		plan_load_again("/tree/effd.yaml", &world.source, world.plan, &plan, world.diags),
		0);
	ck_assert_str_eq(names_of(plan), "/ new pool pool/a pool/b");
	ck_assert_str_eq(plan_find(plan, "pool/a")->argv[0], "two");
	ck_assert_str_eq(plan_find(plan, "pool/b")->argv[0], "own");
	plan_unref(plan);

	/* Where the supervisor takes none any more, or is not there, they are gone. */
	world.text = "version: 1\nunits:\n  pool: {units: {x: {command: two}}}\n";
	ck_assert_int_eq(
		plan_load_again("/tree/effd.yaml", &world.source, world.plan, &plan, world.diags),
		0);
	ck_assert_str_eq(names_of(plan), "/ pool pool/x");
	plan_unref(plan);
	plan_world_done(&world);
}
END_TEST

/* The plan of the world without these. */
static void without(struct plan_world *world, const char *first, const char *second)
{
	bool *gone = calloc(plan_n_units(world->plan), sizeof(*gone));
	struct plan *plan = NULL;

	ck_assert_ptr_nonnull(gone);
	gone[plan_find(world->plan, first)->index] = true;
	if (second)
		gone[plan_find(world->plan, second)->index] = true;
	ck_assert_int_eq(plan_without(world->plan, gone, &plan), 0);
	free(gone);
	plan_unref(world->plan);
	world->plan = plan;
}

START_TEST(a_plan_without_some_of_its_units_is_whole)
{
	struct plan_world world;

	(void)plan_world_good(&world, TREE);
	ck_assert_int_eq(add(&world, "pool", "units: {a: {}, b: {}, c: {after: [b]}, d: {}}"), 0);

	without(&world, "pool/a", "pool/d");
	ck_assert_str_eq(names_of(world.plan), "/ db pool pool/b pool/c web");
	ck_assert_uint_eq(plan_find(world.plan, "db")->n_needed_by, 2);
	ck_assert_uint_eq(plan_find(world.plan, "pool/c")->after[0], 3);
	ck_assert_uint_eq(plan_find(world.plan, "pool")->end, 5);
	without(&world, "pool/c", NULL);
	without(&world, "pool/b", NULL);
	ck_assert_str_eq(names_of(world.plan), "/ db pool web");
	ck_assert_uint_eq(plan_find(world.plan, "pool")->first_child, PLAN_NONE);
	ck_assert_uint_eq(plan_find(world.plan, "db")->n_needed_by, 0);
	/* What is gone does not come back, and its name is free. */
	ck_assert_int_eq(add(&world, "pool", "units: {b: {command: again}}"), 0);
	ck_assert_str_eq(names_of(world.plan), "/ db pool pool/b web");
	ck_assert_str_eq(plan_find(world.plan, "pool/b")->argv[0], "again");
	plan_world_done(&world);
}
END_TEST

START_TEST(of_one_text_some_units_may_go_and_others_stay)
{
	struct plan_world world;

	(void)plan_world_good(&world, TREE);
	ck_assert_int_eq(add(&world, "pool", "units: {a: {}, b: {}, c: {}}"), 0);
	without(&world, "pool/b", NULL);

	ck_assert_int_eq(add(&world, "pool", "units: {b: {command: other}, d: {}}"), 0);

	ck_assert_str_eq(names_of(world.plan), "/ db pool pool/a pool/c pool/b pool/d web");
	ck_assert_str_eq(plan_find(world.plan, "pool/b")->argv[0], "other");
	plan_world_done(&world);
}
END_TEST

START_TEST(a_template_may_be_a_supervisor_and_its_children_may_have_children_added)
{
	struct plan_world world;

	(void)plan_world_good(&world,
		"version: 1\nunits:\n  tenants:\n    strategy: simple_one_for_one\n    template:\n"
		"      units:\n        api: {command: sleep}\n        web: {command: sleep, after: [api]}\n"
		"        jobs: {strategy: simple_one_for_one, template: {command: run}}\n");
	ck_assert_int_eq(add(&world, "tenants", "units: {x: {}, y: {}}"), 0);
	ck_assert_int_eq(add(&world, "tenants/y/jobs", "units: {j: {after: [api]}}"), 0);

	ck_assert_str_eq(names_of(world.plan),
		"/ tenants tenants/x tenants/x/api tenants/x/web tenants/x/jobs "
		"tenants/y tenants/y/api tenants/y/web tenants/y/jobs tenants/y/jobs/j");
	ck_assert_uint_eq(plan_find(world.plan, "tenants/x/web")->after[0], 3);
	ck_assert_uint_eq(plan_find(world.plan, "tenants/y/web")->after[0], 7);
	ck_assert_uint_eq(plan_find(world.plan, "tenants/y/jobs/j")->after[0], 7);
	without(&world, "tenants/y", NULL);
	ck_assert_str_eq(names_of(world.plan),
		"/ tenants tenants/x tenants/x/api tenants/x/web tenants/x/jobs");
	/* With it has gone what was added to it. */
	ck_assert_int_eq(add(&world, "tenants", "units: {y: {}}"), 0);
	ck_assert_ptr_null(plan_find(world.plan, "tenants/y/jobs/j"));
	plan_world_done(&world);
}
END_TEST

START_TEST(the_root_may_take_children_too)
{
	struct plan_world world;

	(void)plan_world_good(&world,
		"version: 1\nstrategy: simple_one_for_one\ntemplate: {command: sleep}\n");
	ck_assert_int_eq(add(&world, "/", "units: {a: {}, b: {}}"), 0);
	ck_assert_int_eq(add(&world, "/", "units: {a: {}}"), -EEXIST);
	ck_assert_str_eq(names_of(world.plan), "/ a b");
	plan_world_done(&world);
}
END_TEST

START_TEST(without_memory_nothing_is_added_and_nothing_leaks)
{
	struct plan_world world;
	bool has_failed;
	uint64_t n = 0;
	int r;

	(void)plan_world_good(&world, TREE);
	ck_assert_int_eq(add(&world, "pool", "units: {a: {}, b: {}}"), 0);
	do {
		struct diags *diags = world.diags;

		(void)alloc_fail_after(++n);
		world.diags = diags_new();
		r = world.diags ? add(&world, "pool", "units: {c: {}, d: {after: [c]}}") : -ENOMEM;
		has_failed = alloc_fail_after(0) == 0;
		ck_assert_int_eq(r, has_failed ? -ENOMEM : 0);
		diags_free(world.diags);
		world.diags = diags;
	} while (has_failed);
	ck_assert_str_eq(names_of(world.plan), "/ db pool pool/a pool/b pool/c pool/d web");
	n = 0;
	do {
		bool gone[8] = {[3] = true, [4] = true};
		struct plan *plan = NULL;

		(void)alloc_fail_after(++n);
		r = plan_without(world.plan, gone, &plan);
		has_failed = alloc_fail_after(0) == 0;
		ck_assert_int_eq(r, has_failed ? -ENOMEM : 0);
		plan_unref(plan);
	} while (has_failed);
	plan_world_done(&world);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("added");
	TCase *tcase = tcase_create("added");

	test_leak_guard(tcase);
	tcase_add_test(tcase, what_is_added_is_laid_over_the_template_and_that_over_the_defaults);
	tcase_add_test(tcase, of_a_tree_that_changed_on_disk_an_addition_sees_nothing);
	tcase_add_test(tcase, a_name_that_is_taken_adds_nothing);
	tcase_add_loop_test(tcase, what_is_wrong_with_an_addition_is_said_as_of_any_file, 0,
		(int)(sizeof(wrong) / sizeof(wrong[0])));
	tcase_add_test(tcase, only_what_was_added_beside_it_may_name_an_added_unit);
	tcase_add_test(tcase, a_reload_lays_what_was_added_over_the_new_template);
	tcase_add_test(tcase, a_plan_without_some_of_its_units_is_whole);
	tcase_add_test(tcase, of_one_text_some_units_may_go_and_others_stay);
	tcase_add_test(
		tcase, a_template_may_be_a_supervisor_and_its_children_may_have_children_added);
	tcase_add_test(tcase, the_root_may_take_children_too);
	tcase_add_test(tcase, without_memory_nothing_is_added_and_nothing_leaks);
	suite_add_tcase(suite, tcase);
	return suite;
}
