/* SPDX-License-Identifier: MIT */
/* Children of a supervisor that is simple_one_for_one: they come while it runs, and go with it. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})
#define POOL(more) \
	"db: {command: db}\n" \
	"pool: {strategy: simple_one_for_one" more ", template: {command: work,\n" \
	"  restart: {backoff: {initial: 1s, max: 1s, jitter: 0}}}}"

START_TEST(what_is_added_runs_at_once_and_touches_nothing_else)
{
	struct world *w = world_new(POOL(""));
	pid_t db;

	world_run_for(w, EFF_S(10));
	EXPECT_STATE(w, "pool", "up");
	db = world_unit(w, "db")->pid;
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {command: other}"), 0);
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(world_add(w, "pool", "c: {depends_on: [a], type: notify}"), 0);
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_units(w), "db pool pool/a pool/b pool/c");
	EXPECT_TRACE(w, "pool/a", "10000 spawn");
	EXPECT_TRACE(w, "pool/b", "10000 spawn");
	EXPECT_TRACE(w, "pool/c", "11000 spawn");
	EXPECT_TRACE(w, "db", "0 spawn");
	EXPECT_STATE(w, "pool", "up");
	ck_assert_int_eq(world_unit(w, "db")->pid, db);
	ck_assert_uint_eq(world_unit(w, "pool")->spec->n_children, 3);
	world_free(w);
}
END_TEST

START_TEST(each_added_child_has_its_own_policy_and_count)
{
	struct world *w = world_new(POOL(""));

	WORLD_SCRIPTS(w, "work", CRASH);
	world_script(w, "other", STEADY);
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {command: other}"), 0);
	world_run_for(w, EFF_MS(2500));
	ck_assert_int_eq(world_add(w, "pool", "c: {restart: {backoff: {initial: 200ms}}}"), 0);
	world_run_for(w, EFF_MS(100));

	EXPECT_TRACE(w, "pool/a",
		"0 spawn, 0 exit 1, 1000 spawn, 1000 exit 1, 2000 spawn, 2000 exit 1");
	EXPECT_TRACE(w, "pool/b", "0 spawn");
	EXPECT_TRACE(w, "pool/c", "2500 spawn, 2500 exit 1");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "pool/a")->child), 3);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "pool/c")->child), 1);
	/* To add and to remove others does not make it forget. */
	ck_assert_int_eq(world_remove(w, "pool/b", true), 0);
	world_run_for(w, 0);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "pool/a")->child), 3);
	world_free(w);
}
END_TEST

START_TEST(the_ends_of_added_children_count_for_the_intensity_of_their_supervisor)
{
	struct world *w = world_new(
		POOL(", intensity: {max_restarts: 3, period: 10s}, restart: no"));

	WORLD_SCRIPTS(w, "work", CRASH);
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}, s: {command: steady}"), 0);
	world_run_for(w, EFF_MS(500));
	ck_assert_int_eq(world_add(w, "pool", "b: {}"), 0);
	world_run_for(w, EFF_S(1));
	/* Ends at 0 (a), 500 (b), 1000 (a); at 1500 (b) it is one too many. */
	EXPECT_STATE(w, "pool", "failed");
	ck_assert_str_eq(world_last_exit(w, "pool"), "intensity_exceeded < exit 1");
	EXPECT_TRACE(w, "pool/a", "0 spawn, 0 exit 1, 1000 spawn, 1000 exit 1");
	EXPECT_TRACE(w, "pool/b", "500 spawn, 500 exit 1, 1500 spawn, 1500 exit 1");
	EXPECT_TRACE(w, "pool/s", "0 spawn, 1500 TERM, 1500 SIGTERM");
	/* With it they are gone. */
	ck_assert_str_eq(world_units(w), "db pool");
	world_free(w);
}
END_TEST

START_TEST(a_supervisor_that_restarts_begins_without_children)
{
	struct world *w = world_new(POOL(", intensity: {max_restarts: 0, period: 10s}"));

	WORLD_SCRIPTS(w, "work", {.lives = EFF_S(5), .exits = 1}, STEADY);
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}"), 0);
	world_run_for(w, EFF_S(5));
	EXPECT_STATES(w, "pool", "0 up, 5000 backoff");
	ck_assert_str_eq(world_units(w), "db pool");
	ck_assert_int_eq(world_add(w, "pool", "a: {}"), -ESRCH);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "pool", "up");
	ck_assert_str_eq(world_units(w), "db pool");

	/* The name is free. */
	ck_assert_int_eq(world_add(w, "pool", "a: {}"), 0);
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "pool/a", "0 spawn, 5000 exit 1, 6000 spawn");
	world_restart(w, "pool");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_units(w), "db pool");
	EXPECT_STATE(w, "pool", "up");
	EXPECT_TRACE(w, "pool/a", "0 spawn, 5000 exit 1, 6000 spawn, 7000 TERM, 7000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(children_stop_in_the_order_that_they_say_and_those_that_depend_first)
{
	struct world *w = world_new(POOL(""));

	WORLD_SCRIPTS(w, "work", {.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {depends_on: [a]}, c: {}"), 0);
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "pool/c", "0 spawn, 1000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "pool/b", "0 spawn, 1000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "pool/a", "0 spawn, 2000 TERM, 3000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(sequential_children_stop_one_by_one_the_last_added_first)
{
	struct world *w = world_new(POOL(", start_order: sequential"));

	WORLD_SCRIPTS(w, "work",
		{.lives = EFF_FOREVER, .ready_after = EFF_S(1), .term_takes = EFF_S(1)});
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {type: notify}, b: {type: notify}"), 0);
	ck_assert_int_eq(world_add(w, "pool", "c: {type: notify}"), 0);
	world_run_for(w, EFF_S(10));
	EXPECT_TRACE(w, "pool/b", "1000 spawn");
	EXPECT_TRACE(w, "pool/c", "2000 spawn");
	world_stop(w, "pool");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "pool/c", "2000 spawn, 10000 TERM, 11000 SIGTERM");
	EXPECT_TRACE(w, "pool/b", "1000 spawn, 11000 TERM, 12000 SIGTERM");
	EXPECT_TRACE(w, "pool/a", "0 spawn, 12000 TERM, 13000 SIGTERM");
	ck_assert_str_eq(world_units(w), "db pool");
	world_free(w);
}
END_TEST

START_TEST(nothing_is_added_to_a_supervisor_that_stops_or_does_not_run)
{
	struct world *w = world_new(POOL(""));

	WORLD_SCRIPTS(w, "work", {.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	ck_assert_int_eq(world_add(w, "pool", "a: {}"), -ESRCH);
	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}"), 0);
	world_run_for(w, EFF_S(1));
	world_stop(w, "pool");
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(world_add(w, "pool", "b: {}"), -ESRCH);
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "pool", "down");
	ck_assert_int_eq(world_add(w, "pool", "b: {}"), -ESRCH);
	world_start(w, "pool");
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {}"), 0);
	ck_assert_int_eq(world_add(w, "pool", "c: {}, b: {}"), -EEXIST);
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_units(w), "db pool pool/a pool/b");
	world_shutdown(w, false);
	ck_assert_int_eq(world_add(w, "pool", "c: {}"), -ESHUTDOWN);
	world_free(w);
}
END_TEST

START_TEST(a_reload_keeps_what_was_added_and_lays_it_over_the_new_template)
{
	struct world *w = world_new(POOL(""));
	pid_t pid;

	world_run_for(w, 0);
	ck_assert_int_eq(world_add(w, "pool", "a: {}, b: {command: own}"), 0);
	world_run_for(w, EFF_S(1));
	pid = world_unit(w, "pool/a")->pid;
	world_reload(w, POOL("") "\nnew: {command: new}");
	ck_assert_str_eq(world_changes(w), "new start");
	ck_assert_int_eq(world_unit(w, "pool/a")->pid, pid);

	world_reload(w, "pool: {strategy: simple_one_for_one, template: {command: work two}}");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(
		world_changes(w), "db stop; new stop; pool live; pool/a restart; pool/b live");
	EXPECT_TRACE(w, "pool/a", "0 spawn, 1000 TERM, 1000 SIGTERM, 1000 spawn");
	EXPECT_TRACE(w, "pool/b", "0 spawn");

	/* A supervisor that takes no children any more has none. */
	world_reload(w, "pool: {units: {x: {command: work}}}");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_units(w), "pool pool/x");
	world_free(w);
}
END_TEST

START_TEST(a_thousand_children_come_and_go)
{
	struct world *w = world_new(POOL(""));
	char units[64];

	world_script(w, "job", (struct script){.lives = EFF_S(1), .exits = 0});
	world_run_for(w, 0);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(units, sizeof(units), "j%d: {command: job, restart: no}", i);
		ck_assert_int_eq(world_add(w, "pool", units), 0);
		world_run_for(w, EFF_MS(100));
		ck_assert_uint_le(w->tree->n_units, 3 + 11);
	}
	world_run_for(w, EFF_S(2));
	ck_assert_str_eq(world_units(w), "db pool");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/add");
	TCase *tcase = tcase_create("add");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, what_is_added_runs_at_once_and_touches_nothing_else);
	tcase_add_test(tcase, each_added_child_has_its_own_policy_and_count);
	tcase_add_test(
		tcase, the_ends_of_added_children_count_for_the_intensity_of_their_supervisor);
	tcase_add_test(tcase, a_supervisor_that_restarts_begins_without_children);
	tcase_add_test(tcase, children_stop_in_the_order_that_they_say_and_those_that_depend_first);
	tcase_add_test(tcase, sequential_children_stop_one_by_one_the_last_added_first);
	tcase_add_test(tcase, nothing_is_added_to_a_supervisor_that_stops_or_does_not_run);
	tcase_add_test(tcase, a_reload_keeps_what_was_added_and_lays_it_over_the_new_template);
	tcase_add_test(tcase, a_thousand_children_come_and_go);
	suite_add_tcase(suite, tcase);
	return suite;
}
