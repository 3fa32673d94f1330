/* SPDX-License-Identifier: MIT */
/* Units with replicas, as a plan has them: names, order, what refers to them, what each of them is told of itself. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "plan_world.h"

Suite *test_suite(void);

#define GOOD "tests/fixtures/plans/good/replicas.yaml"
#define HEAD "version: 1\nunits:\n"

static struct plan_world world;

static void done(void)
{
	plan_world_done(&world);
}

static struct plan *load_good(void)
{
	plan_world_init(&world);
	plan_world_load(&world, GOOD);
	if (diags_count(world.diags))
		diags_print(world.diags, stderr);
	ck_assert_int_eq(world.result, 0);
	ck_assert_uint_eq(diags_count(world.diags), 0);
	return world.plan;
}

static void names_are(const uint32_t *units, uint32_t n, const char *expected)
{
	struct text text = {0};

	for (uint32_t i = 0; i < n; i++)
		text_printf(&text, "%s%s", i ? " " : "", plan_unit(world.plan, units[i])->name);
	ck_assert_str_eq(text.bytes ? text.bytes : "", expected);
	text_done(&text);
}

static void needs_are(const char *unit, const char *expected)
{
	const struct plan_unit *u = plan_find(world.plan, unit);
	uint32_t units[16];

	ck_assert_ptr_nonnull(u);
	for (uint32_t i = 0; i < u->n_needs; i++)
		units[i] = u->needs[i].unit;
	names_are(units, u->n_needs, expected);
}

START_TEST(each_replica_is_a_unit_of_its_own_in_declared_order)
{
	static const char *const names[] = {"/", "db@1", "workers", "workers/fetch@1",
		"workers/fetch@2", "workers/fetch@3", "workers/index@1", "workers/index@2",
		"workers/pair@1", "workers/pair@2", "workers/alone@1", "workers/by-hand@1",
		"workers/by-hand@2", "last"};
	struct plan *plan = load_good();
	const struct plan_unit *fetch = plan_find(plan, "workers/fetch@2"),
			       *workers = plan_find(plan, "workers");

	ck_assert_uint_eq(plan_n_units(plan), 14);
	for (uint32_t i = 0; i < 14; i++) {
		ck_assert_str_eq(plan_unit(plan, i)->name, names[i]);
		ck_assert_uint_eq(plan_unit(plan, i)->index, i);
		ck_assert_ptr_eq(plan_find(plan, names[i]), plan_unit(plan, i));
	}
	ck_assert_str_eq(fetch->key, "fetch@2");
	ck_assert_str_eq(fetch->stem, "workers/fetch");
	ck_assert_uint_eq(fetch->replica, 2);
	ck_assert_uint_eq(fetch->n_replicas, 3);
	ck_assert_uint_eq(fetch->next_sibling, 5);
	ck_assert_uint_eq(workers->n_children, 10);
	ck_assert_uint_eq(workers->end, 13);
	ck_assert_uint_eq(workers->replica, 0);
	ck_assert_uint_eq(plan_find(plan, "last")->replica, 0);
	ck_assert_ptr_null(plan_find(plan, "last")->stem);
	ck_assert_uint_eq(plan_daemon(plan)->exit_code_from, 4);
	ck_assert_uint_eq(fetch->at.line, plan_unit(plan, 3)->at.line);
}
END_TEST

static void stands_for(const char *name, uint32_t wanted_first, uint32_t wanted_n)
{
	uint32_t first, n;

	ck_assert_msg(plan_find_all(world.plan, name, &first, &n), "%s", name);
	ck_assert_uint_eq(n, wanted_n);
	if (n)
		ck_assert_uint_eq(first, wanted_first);
}

START_TEST(a_name_without_a_number_stands_for_all)
{
	struct plan *plan = load_good();
	uint32_t first, n;

	stands_for("workers/fetch", 3, 3);
	stands_for("workers/fetch@3", 5, 1);
	stands_for("db", 1, 1);
	stands_for("last", 13, 1);
	stands_for("/", 0, 1);
	stands_for("none", 0, 0);
	ck_assert_ptr_null(plan_find(plan, "workers/fetch"));
	ck_assert(!plan_find_all(plan, "fetch", &first, &n));
	ck_assert(!plan_find_all(plan, "none@1", &first, &n));
	ck_assert(!plan_find_all(plan, "workers/fetch@4", &first, &n));
	ck_assert(!plan_find_all(plan, "last@1", &first, &n));
}
END_TEST

START_TEST(references_to_the_name_are_references_to_all)
{
	struct plan *plan = load_good();
	const struct plan_unit *index = plan_find(plan, "workers/index@2"),
			       *hand = plan_find(plan, "workers/by-hand@2"),
			       *alone = plan_find(plan, "workers/alone@1"),
			       *last = plan_find(plan, "last"), *db = plan_find(plan, "db@1");

	needs_are("workers/fetch@2", "db@1");
	needs_are("workers/index@2", "workers/fetch@1 workers/fetch@2 workers/fetch@3 db@1");
	needs_are("workers/pair@1", "workers/index@1");
	needs_are("workers/pair@2", "workers/index@2");
	needs_are("last", "workers/fetch@1 workers/fetch@2 workers/fetch@3");
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert(index->needs[i].restart && !index->needs[i].bind);
		ck_assert_uint_eq(index->needs[i].all_of, 3);
	}
	ck_assert(index->needs[3].bind && !index->needs[3].restart);
	ck_assert_uint_eq(index->needs[3].all_of, PLAN_NONE);
	names_are(db->needed_by, db->n_needed_by,
		"workers/fetch@1 workers/fetch@2 workers/fetch@3 workers/index@1 workers/index@2");
	names_are(plan_find(plan, "workers/fetch@3")->needed_by, 3,
		"workers/index@1 workers/index@2 last");
	names_are(alone->conflicts, alone->n_conflicts, "workers/by-hand@1 workers/by-hand@2");
	names_are(hand->conflicts, hand->n_conflicts, "workers/alone@1");
	ck_assert_uint_eq(last->n_after, 0);
	ck_assert_uint_eq(last->n_before, 0);
}
END_TEST

START_TEST(orders_go_both_ways_with_all_of_them)
{
	struct plan *plan = plan_world_good(&world,
		HEAD "  a: {command: x, replicas: 2, before: [b], after: [c]}\n"
		     "  b: {command: x, replicas: 2}\n"
		     "  c: {command: x, replicas: 2}\n");
	const struct plan_unit *a = plan_find(plan, "a@2"), *b = plan_find(plan, "b@1"),
			       *c = plan_find(plan, "c@2");

	names_are(a->after, a->n_after, "c@1 c@2");
	names_are(a->before, a->n_before, "b@1 b@2");
	names_are(b->after, b->n_after, "a@1 a@2");
	names_are(c->before, c->n_before, "a@1 a@2");
}
END_TEST

START_TEST(each_is_told_its_number)
{
	struct plan *plan = load_good();
	const struct plan_unit *fetch = plan_find(plan, "workers/fetch@3"),
			       *alone = plan_find(plan, "workers/alone@1");
	plan_strv entry = fetch->environment;

	ck_assert_str_eq(fetch->argv[2], "803");
	ck_assert_str_eq(strrchr(fetch->ways->pid_file, '/'), "/fetch.3.pid");
	ck_assert_str_eq(strstr(fetch->out.path, "log/"), "log/workers/fetch@3");
	while (*entry && strncmp(*entry, "NUMBER=", 7) != 0)
		entry++;
	ck_assert_pstr_eq(*entry, "NUMBER=3");
	for (entry = alone->environment; *entry && strncmp(*entry, "NUMBER=", 7) != 0;)
		entry++;
	ck_assert_pstr_eq(*entry, "NUMBER=1");
}
END_TEST

START_TEST(what_is_inherited_may_depend_on_the_number)
{
	struct plan *plan = plan_world_good(&world,
		"version: 1\ndefaults: {env_inherit: [\"${INSTANCE:-PATH}*\", \"L${INSTANCE:-ANG}\"]}\nunits:\n"
		"  a: {command: x, replicas: 1}\n"
		"  b: {command: x}\n");

	ck_assert_ptr_null(plan_find(plan, "a@1")->environment[0]);
	ck_assert_str_eq(plan_find(plan, "b")->environment[0], "LANG=C");
	ck_assert_str_eq(plan_find(plan, "b")->environment[1], "PATH=/usr/bin:/bin");
	ck_assert_ptr_null(plan_find(plan, "b")->environment[2]);
}
END_TEST

START_TEST(the_count_may_come_from_effds_environment)
{
	static const char *const environment[] = {"COUNT=3", NULL};
	struct plan *plan;

	plan_world_init(&world);
	world.text = HEAD "  a: {command: x, replicas: '${COUNT:-1}'}\n";
	world.source.environment = environment;
	plan_world_load(&world, "/tree/effd.yaml");
	plan = world.plan;

	ck_assert_int_eq(world.result, 0);
	ck_assert_uint_eq(plan_n_units(plan), 4);
	ck_assert_uint_eq(plan_find(plan, "a@3")->n_replicas, 3);
}
END_TEST

/* 1000 units of 1000 replicas are a small text and a large tree. */
START_TEST(what_replicas_make_of_a_tree_is_bounded)
{
	struct text text = {0}, report;

	text_add(&text, HEAD);
	for (int i = 0; i < 1000; i++)
		text_printf(&text, "  u%d: {command: x, replicas: 1000}\n", i);
	(void)plan_world_text(&world, text.bytes);
	report = plan_world_report(&world, "/tree/effd.yaml");

	ck_assert_int_eq(world.result, -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(report.bytes, ":3: error[E105]: `replicas` make this tree too large\n"));
	text_done(&report);
	text_done(&text);
}
END_TEST

START_TEST(what_references_to_replicas_make_of_a_tree_is_bounded)
{
	struct text text = {0}, report;

	text_add(&text, HEAD);
	for (int i = 0; i < 4; i++)
		text_printf(&text, "  u%d: {command: x, replicas: 1000%s}\n", i,
			i ? ", depends_on: [u0], after: [u0], conflicts: [u0]" : "");
	(void)plan_world_text(&world, text.bytes);
	report = plan_world_report(&world, "/tree/effd.yaml");

	ck_assert_int_eq(world.result, -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(report.bytes, "error[E105]: `replicas` make this tree too large\n"));
	text_done(&report);
	text_done(&text);
}
END_TEST

START_TEST(a_thousand_that_need_a_hundred_are_fine)
{
	struct plan *plan = plan_world_good(&world,
		HEAD "  a: {command: x, replicas: 100}\n"
		     "  b: {command: x, replicas: 1000, depends_on: [a]}\n");

	ck_assert_uint_eq(plan_n_units(plan), 1101);
	ck_assert_uint_eq(plan_find(plan, "b@1000")->n_needs, 100);
	ck_assert_uint_eq(plan_find(plan, "a@100")->n_needed_by, 1000);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("replicas");
	TCase *tcase = tcase_create("replicas");

	tcase_add_checked_fixture(tcase, NULL, done);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, each_replica_is_a_unit_of_its_own_in_declared_order);
	tcase_add_test(tcase, a_name_without_a_number_stands_for_all);
	tcase_add_test(tcase, references_to_the_name_are_references_to_all);
	tcase_add_test(tcase, orders_go_both_ways_with_all_of_them);
	tcase_add_test(tcase, each_is_told_its_number);
	tcase_add_test(tcase, what_is_inherited_may_depend_on_the_number);
	tcase_add_test(tcase, the_count_may_come_from_effds_environment);
	tcase_add_test(tcase, what_replicas_make_of_a_tree_is_bounded);
	tcase_add_test(tcase, what_references_to_replicas_make_of_a_tree_is_bounded);
	tcase_add_test(tcase, a_thousand_that_need_a_hundred_are_fine);
	suite_add_tcase(suite, tcase);
	return suite;
}
