/* SPDX-License-Identifier: MIT */
/* Strategies, intensity and auto_shutdown as a tree says them: what happens to the processes, what the states and causes say
 * meanwhile, and what is counted. */
#include <check.h>

#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})
#define CRASH_AFTER(t) ((struct script){.lives = (t), .exits = 1})
/* Delays without jitter. */
#define PLAIN "defaults: {restart: {backoff: {initial: 1s, jitter: 0}}}\n"
#define TREE(fields, units) "version: 1\nname: test\n" PLAIN fields "\nunits:\n" units

START_TEST(one_for_all_stops_all_waits_the_delay_and_starts_all)
{
	struct world *w = world_new(TREE("strategy: one_for_all",
		"  a: {command: a}\n  b: {command: b}\n  c: {command: c}\n"));

	WORLD_SCRIPTS(w, "b", CRASH_AFTER(EFF_S(5)), STEADY);
	world_script(w, "c", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(6));

	EXPECT_STATES(w, "/", "0 up, 5000 starting");
	ck_assert_str_eq(world_cause(w, "/"), "group_restart < exit 1");
	EXPECT_STATES(w, "a", "0 up, 5000 waiting");
	ck_assert_str_eq(world_cause(w, "a"), "group_restart SIGTERM < exit 1");
	ck_assert_ptr_eq(world_unit(w, "a")->awaits, world_unit(w, "b"));
	EXPECT_STATE(w, "b", "backoff");
	EXPECT_STATE(w, "c", "stopping");
	ck_assert_str_eq(world_cause(w, "c"), "group_restart < exit 1");
	world_run_for(w, EFF_S(20));
	EXPECT_TRACE(w, "a", "0 spawn, 5000 TERM, 5000 SIGTERM, 8000 spawn");
	EXPECT_TRACE(w, "b", "0 spawn, 5000 exit 1, 8000 spawn");
	EXPECT_TRACE(w, "c", "0 spawn, 5000 TERM, 7000 SIGTERM, 8000 spawn");
	EXPECT_STATES(w, "c", "0 up, 5000 stopping, 7000 waiting, 8000 up");
	EXPECT_STATES(w, "/", "0 up, 5000 starting, 8000 up");
	for (int i = 0; i < 3; i++) {
		const struct unit *u = world_unit(w, ((const char *[]){"a", "b", "c"})[i]);

		ck_assert_uint_eq(u->restarts, 1);
		ck_assert_uint_eq(eff_child_failures(&u->child), i == 1);
		ck_assert_uint_eq(u->ends, i == 1);
	}
	ck_assert_str_eq(world_last_exit(w, "a"), "group_restart SIGTERM < exit 1");
	world_free(w);
}
END_TEST

START_TEST(rest_for_one_restarts_those_after_it_and_goes_in_sequence)
{
	struct world *w = world_new(TREE("strategy: rest_for_one",
		"  a: {command: a}\n  b: {command: b}\n"
		"  c: {command: slow, type: notify}\n  d: {command: slow, type: notify}\n"));

	WORLD_SCRIPTS(w, "b", CRASH_AFTER(EFF_S(9)), STEADY);
	world_script(w, "slow",
		(struct script){
			.ready_after = EFF_S(1), .lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "a", "0 spawn");
	EXPECT_TRACE(w, "b", "0 spawn, 9000 exit 1, 12000 spawn");
	EXPECT_TRACE(w, "c", "0 spawn, 10000 TERM, 11000 SIGTERM, 12000 spawn");
	EXPECT_TRACE(w, "d", "1000 spawn, 9000 TERM, 10000 SIGTERM, 13000 spawn");
	EXPECT_STATES(w, "/", "0 starting, 2000 up, 9000 starting, 14000 up");
	world_free(w);
}
END_TEST

START_TEST(an_end_while_the_group_starts_opens_a_new_round)
{
	struct world *w = world_new(TREE("strategy: one_for_all",
		"  a: {command: a}\n  b: {command: b, type: notify}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
	WORLD_SCRIPTS(w, "b", {.lives = EFF_FOREVER},
		{.ready_after = EFF_FOREVER, .lives = EFF_MS(500), .exits = 2}, STEADY);
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "a",
		"0 spawn, 5000 exit 1, 6000 spawn, 6500 TERM, 6500 SIGTERM, 7500 spawn");
	EXPECT_TRACE(w, "b",
		"0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn, 6500 exit 2, 7500 spawn");
	EXPECT_STATES(w, "/", "0 up, 5000 starting, 7500 up");
	ck_assert_uint_eq(world_unit(w, "a")->restarts, 2);
	world_free(w);
}
END_TEST

START_TEST(what_rests_or_is_held_is_left_alone_and_what_never_restarts_stays_down)
{
	struct world *w = world_new(TREE("strategy: one_for_all",
		"  a: {command: a}\n  never: {command: never, restart: no}\n"
		"  job: {command: job, type: oneshot}\n  bad: {command: bad, restart: no}\n"
		"  held: {command: held}\n  hand: {command: hand, activate: manual}\n"
		"  waits: {command: waits, restart: no, depends_on: [bad]}\n  b: {command: b}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
	world_script(w, "job", (struct script){.lives = EFF_S(1)});
	world_script(w, "bad", CRASH_AFTER(EFF_S(0)));
	world_script(w, "bad", (struct script){.exec_takes = EFF_S(1), .exec_error = 2});
	world_run_for(w, EFF_S(2));
	world_stop(w, "held");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "never", "0 spawn, 5000 TERM, 5000 SIGTERM");
	EXPECT_STATE(w, "never", "down");
	ck_assert_str_eq(world_cause(w, "never"), "group_restart SIGTERM < exit 1");
	EXPECT_TRACE(w, "job", "0 spawn, 1000 exit 0");
	EXPECT_STATE(w, "bad", "failed");
	EXPECT_TRACE(w, "held", "0 spawn, 2000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "hand", "");
	EXPECT_TRACE(w, "b", "0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn");
	/* It merely waited: it does so again. */
	EXPECT_STATE(w, "waits", "waiting");
	ck_assert_uint_eq(world_unit(w, "waits")->restarts, 0);
	world_start(w, "never");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "never", "up");
	world_free(w);
}
END_TEST

START_TEST(a_sibling_in_backoff_starts_with_the_group_and_keeps_its_k)
{
	struct world *w = world_new(TREE("strategy: rest_for_one\nstart_order: parallel",
		"  a: {command: a}\n"
		"  c: {command: c, restart: {backoff: {initial: 20s, max: 1h, jitter: 0}}}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
	WORLD_SCRIPTS(w, "c", CRASH_AFTER(EFF_S(1)), CRASH_AFTER(EFF_S(4)), STEADY);
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "c", "waiting");
	world_run_for(w, EFF_S(100));

	EXPECT_TRACE(w, "c", "0 spawn, 1000 exit 1, 6000 spawn, 10000 exit 1, 50000 spawn");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "c")->child), 2);
	world_free(w);
}
END_TEST

START_TEST(a_stop_in_a_round_ends_in_down_and_a_start_ends_the_delay)
{
	struct world *w = world_new(TREE("strategy: one_for_all",
		"  a: {command: a}\n  b: {command: b, restart: {backoff: {initial: 1m, max: 1m, jitter: 0}}}\n"
		"  c: {command: c}\n"));

	WORLD_SCRIPTS(w, "b", CRASH_AFTER(EFF_S(5)), STEADY);
	world_run_for(w, EFF_S(7));
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "a", "down");
	world_start(w, "c");
	world_run_for(w, EFF_S(100));

	EXPECT_TRACE(w, "a", "0 spawn, 5000 TERM, 5000 SIGTERM");
	EXPECT_TRACE(w, "b", "0 spawn, 5000 exit 1, 8000 spawn");
	EXPECT_TRACE(w, "c", "0 spawn, 5000 TERM, 5000 SIGTERM, 8000 spawn");
	EXPECT_STATE(w, "/", "up");
	world_free(w);
}
END_TEST

/* While one of the group still stops: whoever is started, or reset, ends the delay that is to come. */
START_TEST(a_start_or_a_reset_while_a_round_stops_ends_its_delay)
{
	static const char *const started[] = {"a", "b", "c"};

	for (int i = 0; i < 5; i++) {
		struct world *w = world_new(TREE("strategy: one_for_all",
			"  a: {command: a, restart: {backoff: {initial: 1m, max: 1m}}}\n"
			"  b: {command: slow}\n  c: {command: c}\n"));

		WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
		world_script(w, "slow",
			(struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(4)});
		world_run_for(w, EFF_S(7));
		EXPECT_STATE(w, "b", "stopping");
		if (i < 3)
			world_start(w, started[i]);
		else if (i == 3)
			world_reset(w, "a");
		else
			world_restart(w, "b");
		world_run_for(w, EFF_S(10));

		/* Not before all of the group has stopped. */
		EXPECT_TRACE(w, "a", "0 spawn, 5000 exit 1, 9000 spawn");
		EXPECT_TRACE(w, "b", "0 spawn, 5000 TERM, 9000 SIGTERM, 9000 spawn");
		EXPECT_TRACE(w, "c", "0 spawn, 5000 TERM, 5000 SIGTERM, 9000 spawn");
		EXPECT_STATE(w, "/", "up");
		world_free(w);
	}
}
END_TEST

START_TEST(supervisors_go_with_the_group_as_a_whole)
{
	struct world *w = world_new(TREE("strategy: one_for_all",
		"  a: {command: a}\n  g: {units: {x: {command: x}, y: {command: y}}}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "g/x", "0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn");
	EXPECT_STATES(w, "g", "0 up, 5000 waiting, 6000 up");
	ck_assert_uint_eq(world_unit(w, "g")->restarts, 1);
	/* For its children it is a new start. */
	ck_assert_uint_eq(world_unit(w, "g/x")->restarts, 0);
	world_free(w);
}
END_TEST

/* ── intensity ── */

START_TEST(five_in_a_minute_with_the_usual_delays_trips_at_the_sixth_end)
{
	struct world *w = world_new(
		"g:\n  intensity: {max_restarts: 5, period: 1m}\n  restart: no\n  units:\n"
		"    a: {command: a, restart: {backoff: {jitter: 0}}}\n    b: {command: b}\n");

	world_script(w, "a", CRASH);
	world_script(w, "b", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(10));
	ck_assert_uint_eq(eff_sup_restarts(world_unit(w, "g")->sup), 5);
	world_run_for(w, EFF_S(50));

	EXPECT_STATES(w, "g", "0 up, 15500 stopping, 16500 failed");
	ck_assert_str_eq(world_last_exit(w, "g"), "intensity_exceeded < exit 1");
	ck_assert_uint_eq(world_spawns(w, "g/a"), 6);
	EXPECT_TRACE(w, "g/b", "0 spawn, 15500 TERM, 16500 SIGTERM");
	EXPECT_STATE(w, "g/a", "down");
	ck_assert_int_eq(world_unit(w, "g/a")->cause->kind, CAUSE_DEPENDENCY);
	world_free(w);
}
END_TEST

START_TEST(a_failure_by_intensity_climbs_by_the_policy_and_intensity_above)
{
	struct world *w = world_new(
		"outer:\n  intensity: {max_restarts: 1, period: 1m}\n  restart: no\n  critical: true\n  units:\n"
		"    inner:\n      intensity: {max_restarts: 1, period: 10s}\n"
		"      restart: {backoff: {initial: 5s, jitter: 0}}\n      units:\n"
		"        a: {command: a, restart: {backoff: {initial: 1s, jitter: 0}}}\n"
		"    c: {command: c}\n");

	world_script(w, "a", CRASH_AFTER(EFF_S(1)));
	ck_assert(world_run_to_end(w, EFF_M(5)));

	EXPECT_TRACE(w, "outer/inner/a",
		"0 spawn, 1000 exit 1, 2000 spawn, 3000 exit 1, 8000 spawn, 9000 exit 1, 10000 spawn, 11000 exit 1");
	EXPECT_TRACE(w, "outer/c", "0 spawn, 11000 TERM, 11000 SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "/"),
		"critical < intensity_exceeded < intensity_exceeded < exit 1");
	ck_assert_int_eq(tree_exit_code(w->tree, w->end), 1);
	world_free(w);
}
END_TEST

START_TEST(a_reload_of_the_limits_holds_at_once_and_keeps_what_was_counted)
{
	struct world *w = world_new(TREE("intensity: {max_restarts: 9, period: 1h}",
		"  a: {command: a, restart: {backoff: {initial: 1s, max: 1s, jitter: 0}}}\n"));

	world_script(w, "a", CRASH_AFTER(EFF_S(9)));
	world_run_for(w, EFF_S(35));
	world_reload(w,
		TREE("intensity: {max_restarts: 3, period: 1h}",
			"  a: {command: a, restart: {backoff: {initial: 1s, max: 1s, jitter: 0}}}\n"));
	world_run_for(w, EFF_S(60));

	ck_assert(w->ended);
	EXPECT_TRACE(w, "a",
		"0 spawn, 9000 exit 1, 10000 spawn, 19000 exit 1, 20000 spawn, 29000 exit 1, 30000 spawn, 39000 exit 1");
	ck_assert_str_eq(world_last_exit(w, "/"), "intensity_exceeded < exit 1");
	world_free(w);
}
END_TEST

/* ── auto_shutdown ── */

START_TEST(any_significant_child_that_is_done_ends_the_tree_well)
{
	struct world *w = world_new(TREE("auto_shutdown: any",
		"  main: {command: main, restart: on-failure, significant: true}\n"
		"  other: {command: other, significant: true, restart: on-failure}\n"
		"  log: {command: log}\n"));

	WORLD_SCRIPTS(w, "main", CRASH_AFTER(EFF_S(1)), {.lives = EFF_S(3)});
	world_script(w, "log", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	ck_assert(world_run_to_end(w, EFF_M(1)));

	EXPECT_TRACE(w, "main", "0 spawn, 1000 exit 1, 2000 spawn, 5000 exit 0");
	EXPECT_TRACE(w, "log", "0 spawn, 5000 TERM, 6000 SIGTERM");
	EXPECT_STATE(w, "/", "done");
	ck_assert_str_eq(world_last_exit(w, "/"), "exit 0 < exit 0");
	ck_assert_int_eq(tree_exit_code(w->tree, w->end), 0);
	world_free(w);
}
END_TEST

START_TEST(all_significant_children_have_to_be_done_by_themselves)
{
	struct world *w = world_new(
		"g:\n  auto_shutdown: all\n  restart: on-failure\n  units:\n"
		"    a: {command: a, restart: no, significant: true}\n"
		"    b: {command: b, restart: no, significant: true}\n    c: {command: c}\n");

	world_script(w, "a", (struct script){.lives = EFF_S(2)});
	world_script(w, "b", (struct script){.lives = EFF_S(30)});
	world_run_for(w, EFF_S(10));
	world_restart(w, "g/a");
	world_stop(w, "g/b");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "g", "up");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "g/a", "0 spawn, 2000 exit 0, 10000 spawn, 12000 exit 0");
	EXPECT_STATES(w, "g", "0 up, 12000 done");
	EXPECT_STATE(w, "g/a", "down");
	EXPECT_STATE(w, "/", "up");
	world_free(w);
}
END_TEST

START_TEST(of_all_one_that_rests_until_its_schedule_is_awaited)
{
	struct world *w = world_new(
		"g: {auto_shutdown: all, restart: on-failure, units: {\n"
		"  a: {command: a, restart: no, significant: true},\n"
		"  b: {command: a, type: oneshot, schedule: {every: 5s}, significant: true}}}");

	world_script(w, "a", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "g/b", "5000 spawn, 6000 exit 0");
	EXPECT_STATES(w, "g", "0 up, 6000 done");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/strategies");
	TCase *tcase = tcase_create("strategies");

	tcase_add_test(tcase, one_for_all_stops_all_waits_the_delay_and_starts_all);
	tcase_add_test(tcase, rest_for_one_restarts_those_after_it_and_goes_in_sequence);
	tcase_add_test(tcase, an_end_while_the_group_starts_opens_a_new_round);
	tcase_add_test(
		tcase, what_rests_or_is_held_is_left_alone_and_what_never_restarts_stays_down);
	tcase_add_test(tcase, a_sibling_in_backoff_starts_with_the_group_and_keeps_its_k);
	tcase_add_test(tcase, a_stop_in_a_round_ends_in_down_and_a_start_ends_the_delay);
	tcase_add_test(tcase, a_start_or_a_reset_while_a_round_stops_ends_its_delay);
	tcase_add_test(tcase, supervisors_go_with_the_group_as_a_whole);
	tcase_add_test(tcase, five_in_a_minute_with_the_usual_delays_trips_at_the_sixth_end);
	tcase_add_test(tcase, a_failure_by_intensity_climbs_by_the_policy_and_intensity_above);
	tcase_add_test(tcase, a_reload_of_the_limits_holds_at_once_and_keeps_what_was_counted);
	tcase_add_test(tcase, any_significant_child_that_is_done_ends_the_tree_well);
	tcase_add_test(tcase, all_significant_children_have_to_be_done_by_themselves);
	tcase_add_test(tcase, of_all_one_that_rests_until_its_schedule_is_awaited);
	suite_add_tcase(suite, tcase);
	return suite;
}
