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

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/order");
	TCase *tcase = tcase_create("order");

	tcase_add_test(tcase, after_waits_while_the_other_is_on_its_way_and_starts_nothing);
	tcase_add_test(tcase, after_stops_nobody_but_in_a_shutdown_it_goes_first);
	tcase_add_test(tcase, stops_go_at_once_as_far_as_the_order_allows);
	tcase_add_test(tcase, the_stop_order_holds_across_nested_supervisors);
	suite_add_tcase(suite, tcase);
	return suite;
}
