/* SPDX-License-Identifier: MIT */
/* Order: who starts after whom, who stops before whom, across groups too. */
#include <errno.h>
#include <signal.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
#define SLOW ((struct script){.ready_after = EFF_S(5), .lives = EFF_FOREVER})

START_TEST(after_waits_while_the_other_is_on_its_way_and_starts_nothing)
{
	struct world *w = world_new(
		"slow: {command: slow, type: notify}\nhand: {command: hand, activate: manual}\n"
		"a: {command: a, after: [slow]}\nb: {command: b, after: [hand]}\n"
		"c: {command: c, before: [d]}\nd: {command: d}\n"
		"bad: {command: bad, restart: no}\ne: {command: e, after: [bad]}");

	world_script(w, "slow", SLOW);
	world_script(w, "c", (struct script){.exec_takes = EFF_S(1), .lives = EFF_FOREVER});
	world_script(w, "bad", (struct script){.exec_takes = EFF_S(3), .exec_error = ENOENT});
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "a", "5000 spawn");
	EXPECT_TRACE(w, "b", "0 spawn");
	EXPECT_TRACE(w, "hand", "");
	EXPECT_TRACE(w, "d", "1000 spawn");
	EXPECT_TRACE(w, "e", "3000 spawn");
	world_free(w);
}
END_TEST

START_TEST(after_stops_nobody_but_in_a_shutdown_it_goes_first)
{
	struct world *w = world_new("a: {command: a}\nb: {command: b, after: [a]}");

	world_script(w, "b", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "a", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_TRACE(w, "b", "0 spawn");
	world_start(w, "a");
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "b", "0 spawn, 3000 TERM, 5000 SIGTERM");
	EXPECT_TRACE(w, "a",
		"0 spawn, 1000 TERM, 1000 SIGTERM, 2000 spawn, 5000 TERM, 5000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(stops_go_at_once_as_far_as_the_order_allows)
{
	struct world *w = world_new("db: {command: slow}\na: {command: slow, depends_on: [db]}\n"
				    "b: {command: slow, depends_on: [db]}\nx: {command: slow}");

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "a", "0 spawn, 1000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "b", "0 spawn, 1000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "x", "0 spawn, 1000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "db", "0 spawn, 2000 TERM, 3000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(the_stop_order_holds_across_nested_supervisors)
{
	struct world *w = world_new("store:\n  units:\n    db: {command: slow}\n"
				    "front:\n  units:\n    web: {command: slow, depends_on: [store/db]}\n"
				    "    proxy: {command: slow, depends_on: [web]}");

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "front/proxy", "0 spawn, 1000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "front/web", "0 spawn, 2000 TERM, 3000 SIGTERM");
	EXPECT_TRACE(w, "store/db", "0 spawn, 3000 TERM, 4000 SIGTERM");
	ck_assert(w->ended);
	world_free(w);
}
END_TEST

START_TEST(one_that_cannot_be_killed_holds_up_nobody_in_a_sequence)
{
	struct world *w = world_new("version: 1\nname: test\nstart_order: sequential\nunits:\n"
				    "  a: {command: a}\n  b: {command: b, stop: {timeout: 2s}}\n"
				    "  c: {command: c}\n");

	world_script(w, "b",
		(struct script){.lives = EFF_FOREVER,
			.term_takes = EFF_FOREVER,
			.unkillable_for = EFF_S(60)});
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(100));

	EXPECT_TRACE(w, "c", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_TRACE(w, "b", "0 spawn, 1000 TERM, 3000 KILL, 63000 SIGKILL");
	/* Five seconds after its final signal it is told to be stuck. */
	EXPECT_TRACE(w, "a", "0 spawn, 8000 TERM, 8000 SIGTERM");
	world_free(w);
}
END_TEST

#define IN_SEQUENCE(order) "version: 1\nname: test\nstart_order: " order "\nunits:\n"

START_TEST(a_reload_of_the_order_holds_for_those_that_wait)
{
	struct world *w = world_new(
		IN_SEQUENCE("sequential") "  a: {command: a, type: notify}\n  b: {command: b}\n");

	world_script(w, "a", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "b", "waiting");
	world_reload(w,
		IN_SEQUENCE("parallel") "  a: {command: a, type: notify}\n  b: {command: b}\n");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "b", "1000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_reload_gives_places_in_the_sequence)
{
	struct world *w = world_new(
		IN_SEQUENCE("sequential") "  a: {command: slow}\n  z: {command: slow}\n");

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(1));
	world_reload(w,
		IN_SEQUENCE("sequential") "  z: {command: slow}\n  m: {command: slow}\n"
					  "  a: {command: slow}\n  x: {command: slow}\n");
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "x", "1000 spawn, 2000 TERM, 3000 SIGTERM");
	EXPECT_TRACE(w, "a", "0 spawn, 3000 TERM, 4000 SIGTERM");
	EXPECT_TRACE(w, "m", "1000 spawn, 4000 TERM, 5000 SIGTERM");
	EXPECT_TRACE(w, "z", "0 spawn, 5000 TERM, 6000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_reload_does_not_wait_for_one_that_waits_for_its_turn)
{
	struct world *w = world_new(IN_SEQUENCE(
		"sequential") "  a: {command: a, restart: {backoff: {initial: 1m, max: 1m, jitter: 0}}}\n"
			      "  b: {command: b}\n");

	WORLD_SCRIPTS(w, "a", {.lives = EFF_S(1), .exits = 1}, STEADY);
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "b", "up");
	world_reload(w,
		IN_SEQUENCE("sequential") "  a: {command: a, restart: {backoff: {initial: 1m, max: 1m, jitter: 0}}}\n"
					  "  b: {command: b again}\n");
	world_run_for(w, EFF_S(2));
	ck_assert_uint_eq(w->reloads_under_way, 0);
	EXPECT_STATE(w, "b", "waiting");
	ck_assert_str_eq(world_unit(w, "b")->spec->argv[1], "again");
	world_run_for(w, EFF_M(2));

	EXPECT_TRACE(w, "b", "0 spawn, 2000 TERM, 2000 SIGTERM, 61000 spawn");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/order");
	TCase *tcase = tcase_create("order");

	tcase_add_test(tcase, after_waits_while_the_other_is_on_its_way_and_starts_nothing);
	tcase_add_test(tcase, after_stops_nobody_but_in_a_shutdown_it_goes_first);
	tcase_add_test(tcase, stops_go_at_once_as_far_as_the_order_allows);
	tcase_add_test(tcase, the_stop_order_holds_across_nested_supervisors);
	tcase_add_test(tcase, one_that_cannot_be_killed_holds_up_nobody_in_a_sequence);
	tcase_add_test(tcase, a_reload_of_the_order_holds_for_those_that_wait);
	tcase_add_test(tcase, a_reload_gives_places_in_the_sequence);
	tcase_add_test(tcase, a_reload_does_not_wait_for_one_that_waits_for_its_turn);
	suite_add_tcase(suite, tcase);
	return suite;
}
