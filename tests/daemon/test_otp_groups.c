/* SPDX-License-Identifier: MIT */
/* What people know of OTP's supervisors, as a tree says it, second part: starts and ends that come at the wrong moment of a
 * group, and significant children. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
#define CRASH_AFTER(t) ((struct script){.lives = (t), .exits = 1})
#define ENDS_AFTER(t) ((struct script){.lives = (t)})
#define PLAIN "defaults: {restart: {backoff: {initial: 1s, jitter: 0}}}\n"
#define TREE(fields, units) "version: 1\nname: test\n" PLAIN fields "\nunits:\n" units

/* ── in sequence ── */

START_TEST(one_that_fails_in_the_middle_of_a_start_holds_up_the_rest_until_it_is_up)
{
	struct world *w = world_new(TREE("start_order: sequential",
		"  a: {command: a}\n  b: {command: b}\n  c: {command: c}\n"));

	WORLD_SCRIPTS(w, "b", {.exec_error = ENOENT}, {.exec_error = ENOENT}, STEADY);
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "b", "backoff");
	EXPECT_STATE(w, "c", "waiting");
	ck_assert_str_eq(world_cause(w, "c"), "dependency < exec_error");
	ck_assert_str_eq(world_unit(w, "c")->cause->text, "waits for b, which is in backoff");
	EXPECT_STATE(w, "/", "starting");
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "a", "0 spawn");
	ck_assert_int_eq(world_spawn_at(w, "b", 2), EFF_S(3));
	EXPECT_TRACE(w, "c", "3000 spawn");
	EXPECT_STATES(w, "/", "0 starting, 3000 up");
	world_free(w);
}
END_TEST

START_TEST(one_that_has_failed_for_good_in_the_middle_of_a_start_lets_the_rest_go)
{
	struct world *w = world_new(TREE("start_order: sequential",
		"  a: {command: a}\n  b: {command: b, restart: {max_restarts: 1}}\n  c: {command: c}\n"));

	world_script(w, "b", (struct script){.exec_error = ENOENT});
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "b", "0 backoff, 1000 failed");
	EXPECT_TRACE(w, "c", "1000 spawn");
	EXPECT_STATES(w, "/", "0 starting, 1000 up");
	world_free(w);
}
END_TEST

START_TEST(a_critical_one_that_fails_in_the_middle_of_a_start_fails_the_supervisor)
{
	struct world *w = world_new(TREE("start_order: sequential",
		"  a: {command: a}\n  b: {command: b, restart: no, critical: true}\n  c: {command: c}\n"));

	world_script(w, "a", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_script(w, "b", (struct script){.exec_takes = EFF_S(3), .exec_error = ENOENT});
	ck_assert(world_run_to_end(w, EFF_H(1)));

	EXPECT_TRACE(w, "a", "0 spawn, 3000 TERM, 5000 SIGTERM");
	ck_assert_uint_eq(world_unit(w, "c")->starts, 0);
	EXPECT_STATE(w, "c", "down");
	EXPECT_STATES(w, "/", "0 starting, 3000 stopping, 5000 failed");
	ck_assert_str_eq(world_last_exit(w, "/"), "critical < exec_error");
	world_free(w);
}
END_TEST

START_TEST(a_stop_goes_backwards_one_by_one_and_past_what_does_not_run)
{
	struct world *w = world_new(TREE("",
		"  g:\n    start_order: sequential\n    units:\n"
		"      a: {command: slow}\n      b: {command: b, restart: no}\n      c: {command: slow}\n"
		"      d: {command: d, restart: {backoff: {initial: 30s}}}\n      e: {command: slow}\n"));

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_script(w, "b", ENDS_AFTER(EFF_S(1)));
	world_script(w, "d", CRASH_AFTER(EFF_S(1)));
	world_run_for(w, EFF_S(5));
	world_stop(w, "g");
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "g/e", "0 spawn, 5000 TERM, 7000 SIGTERM");
	EXPECT_TRACE(w, "g/c", "0 spawn, 7000 TERM, 9000 SIGTERM");
	EXPECT_TRACE(w, "g/a", "0 spawn, 9000 TERM, 11000 SIGTERM");
	EXPECT_STATES(w, "g/d", "0 up, 1000 backoff, 5000 down");
	EXPECT_STATES(w, "g", "0 up, 5000 stopping, 11000 down");
	world_free(w);
}
END_TEST

/* ── in a round ── */

START_TEST(the_leader_that_fails_to_start_again_tries_again_before_the_rest_starts)
{
	struct world *w = world_new(
		TREE("strategy: rest_for_one\nintensity: {max_restarts: 9, period: 1h}",
			"  a: {command: a}\n  b: {command: b}\n  c: {command: c}\n"));

	WORLD_SCRIPTS(w, "b", CRASH_AFTER(EFF_S(5)), {.exec_error = ENOENT}, STEADY);
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "a", "0 spawn");
	ck_assert_int_eq(world_spawn_at(w, "b", 1), EFF_S(6));
	ck_assert_int_eq(world_spawn_at(w, "b", 2), EFF_S(8));
	EXPECT_TRACE(w, "c", "0 spawn, 5000 TERM, 5000 SIGTERM, 8000 spawn");
	EXPECT_STATES(w, "c", "0 up, 5000 waiting, 8000 up");
	EXPECT_STATES(w, "/", "0 up, 5000 starting, 8000 up");
	/* A start that failed counts, too. */
	ck_assert_uint_eq(eff_sup_restarts(world_unit(w, "/")->sup), 2);
	ck_assert_uint_eq(world_unit(w, "c")->restarts, 1);
	world_free(w);
}
END_TEST

START_TEST(another_that_fails_to_start_in_a_round_leads_the_next_with_its_own_delay)
{
	struct world *w = world_new(
		TREE("strategy: one_for_all\nintensity: {max_restarts: 9, period: 1h}",
			"  a: {command: a}\n  b: {command: b}\n"
			"  c: {command: c, restart: {backoff: {initial: 4s}}}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
	WORLD_SCRIPTS(w, "c", STEADY, {.exec_takes = EFF_S(1), .exec_error = ENOENT}, STEADY);
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "a",
		"0 spawn, 5000 exit 1, 6000 spawn, 7000 TERM, 7000 SIGTERM, 11000 spawn");
	EXPECT_TRACE(w, "b",
		"0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn, 7000 TERM, 7000 SIGTERM, 11000 spawn");
	ck_assert_int_eq(world_spawn_at(w, "c", 2), EFF_S(11));
	EXPECT_STATES(w, "/", "0 up, 5000 starting, 11000 up");
	ck_assert_uint_eq(eff_sup_restarts(world_unit(w, "/")->sup), 2);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "a")->child), 1);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "b")->child), 0);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "c")->child), 1);
	world_free(w);
}
END_TEST

START_TEST(how_others_end_while_the_group_is_stopped_is_neither_judged_nor_counted)
{
	struct world *w = world_new(TREE(
		"strategy: one_for_all\nintensity: {max_restarts: 1, period: 1h}",
		"  a: {command: a}\n  code: {command: code}\n"
		"  itself: {command: itself, restart: {prevent_exit: [4], max_restarts: 0}, critical: true}\n"
		"  job: {command: job, type: oneshot}\n  fiber: {fiber: idle, with: {for: 6s, exit: die}}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
	world_script(w, "code",
		(struct script){.lives = EFF_FOREVER,
			.term_takes = EFF_S(2),
			.term_exits = true,
			.term_code = 3});
	WORLD_SCRIPTS(w, "itself", {.lives = EFF_S(6), .ignores_term = true, .exits = 4}, STEADY);
	WORLD_SCRIPTS(w, "job", {.lives = EFF_S(6), .ignores_term = true}, STEADY);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "code", "0 spawn, 5000 TERM, 7000 exit 3, 8000 spawn");
	EXPECT_TRACE(w, "itself", "0 spawn, 5000 TERM, 6000 exit 4, 8000 spawn");
	/* Nor is an end that looks well: it is a run that the round cut short. */
	EXPECT_TRACE(w, "job", "0 spawn, 5000 TERM, 6000 exit 0, 8000 spawn");
	ck_assert_str_eq(world_last_exit(w, "itself"), "group_restart 4 < exit 1");
	ck_assert_uint_eq(world_unit(w, "itself")->ends, 0);
	ck_assert_uint_eq(world_unit(w, "itself")->restarts, 1);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "itself")->child), 0);
	ck_assert_uint_eq(eff_sup_restarts(world_unit(w, "/")->sup), 1);
	world_free(w);
}
END_TEST

START_TEST(two_that_end_in_one_moment_are_one_round)
{
	struct world *w = world_new(TREE("intensity: {max_restarts: 1, period: 1h}",
		"  a: {command: a}\n  b: {command: b}\n  c: {command: c}\nstrategy: one_for_all\n"));

	world_run_for(w, EFF_S(5));
	os_fake_kill(w->fake, "a", SIGSEGV);
	os_fake_kill(w->fake, "b", SIGSEGV);
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "a", "0 spawn, 5000 SEGV@main, 5000 SIGSEGV, 6000 spawn");
	EXPECT_TRACE(w, "b", "0 spawn, 5000 SEGV@main, 5000 SIGSEGV, 6000 spawn");
	EXPECT_TRACE(w, "c", "0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn");
	ck_assert_uint_eq(eff_sup_restarts(world_unit(w, "/")->sup), 1);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "a")->child), 1);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "b")->child), 0);
	world_free(w);
}
END_TEST

START_TEST(a_round_that_is_one_too_many_stops_the_group_and_starts_nobody)
{
	struct world *w = world_new(TREE("",
		"  g:\n    strategy: rest_for_one\n    restart: no\n"
		"    intensity: {max_restarts: 1, period: 1h}\n    units:\n"
		"      a: {command: slow}\n      b: {command: b}\n      c: {command: slow}\n"));

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	WORLD_SCRIPTS(w, "b", CRASH_AFTER(EFF_S(5)), CRASH_AFTER(EFF_S(5)), STEADY);
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "g/b", "0 spawn, 5000 exit 1, 7000 spawn, 12000 exit 1");
	EXPECT_TRACE(w, "g/c",
		"0 spawn, 5000 TERM, 6000 SIGTERM, 7000 spawn, 12000 TERM, 13000 SIGTERM");
	EXPECT_TRACE(w, "g/a", "0 spawn, 13000 TERM, 14000 SIGTERM");
	EXPECT_STATES(w, "g", "0 up, 5000 starting, 7000 up, 12000 stopping, 14000 failed");
	world_free(w);
}
END_TEST

/* ── significant children ── */

START_TEST(of_any_only_a_clean_end_by_itself_of_a_significant_child_counts)
{
	struct world *w = world_new(TREE("auto_shutdown: any\nstrategy: one_for_all",
		"  plain: {command: done1, restart: no}\n"
		"  failed: {command: crash2, restart: no, significant: true}\n"
		"  stopped: {command: run, restart: no, significant: true}\n"
		"  again: {command: done3, restart: {policy: on-failure, force_exit: [0]}, significant: true}\n"
		"  led: {command: run, restart: no, significant: true}\n"
		"  last: {command: last, restart: on-failure, significant: true}\n"));

	world_script(w, "done1", ENDS_AFTER(EFF_S(1)));
	world_script(w, "crash2", CRASH_AFTER(EFF_S(2)));
	WORLD_SCRIPTS(w, "done3", ENDS_AFTER(EFF_S(3)), STEADY);
	WORLD_SCRIPTS(w, "last", STEADY, ENDS_AFTER(EFF_S(20)));
	world_run_for(w, EFF_MS(2500));
	world_stop(w, "stopped");
	world_run_for(w, EFF_S(10));
	EXPECT_STATE(w, "plain", "done");
	EXPECT_STATE(w, "failed", "failed");
	EXPECT_STATE(w, "stopped", "down");
	/* It ended well, and was restarted, which took this one along for good. */
	EXPECT_STATE(w, "again", "up");
	EXPECT_STATE(w, "led", "down");
	EXPECT_STATE(w, "/", "up");
	ck_assert(world_run_to_end(w, EFF_H(1)));

	ck_assert_int_eq(world_now(w), EFF_S(24));
	EXPECT_STATE(w, "/", "done");
	ck_assert_str_eq(world_last_exit(w, "/"), "exit 0 < exit 0");
	ck_assert_int_eq(tree_exit_code(w->tree, w->end), 0);
	world_free(w);
}
END_TEST

START_TEST(of_all_one_that_failed_is_awaited_until_it_has_ended_well)
{
	struct world *w = world_new(TREE("auto_shutdown: all",
		"  a: {command: a, restart: no, significant: true}\n"
		"  b: {command: b, restart: no, significant: true}\n  c: {command: c}\n"));

	world_script(w, "a", ENDS_AFTER(EFF_S(1)));
	WORLD_SCRIPTS(w, "b", CRASH_AFTER(EFF_S(2)), ENDS_AFTER(EFF_S(3)));
	world_run_for(w, EFF_S(10));
	EXPECT_STATE(w, "/", "up");
	world_start(w, "b");
	ck_assert(world_run_to_end(w, EFF_H(1)));

	EXPECT_TRACE(w, "c", "0 spawn, 13000 TERM, 13000 SIGTERM");
	EXPECT_STATES(w, "/", "0 up, 13000 done");
	world_free(w);
}
END_TEST

START_TEST(an_inner_supervisor_that_is_done_counts_for_the_outer_one)
{
	struct world *w = world_new(TREE("auto_shutdown: all",
		"  x:\n    auto_shutdown: any\n    restart: on-failure\n    significant: true\n    units:\n"
		"      a: {command: a, restart: no, significant: true}\n      b: {command: slow}\n"
		"  y:\n    auto_shutdown: all\n    restart: on-failure\n    significant: true\n    units:\n"
		"      c: {command: c, restart: no, significant: true}\n"));

	world_script(w, "a", ENDS_AFTER(EFF_S(1)));
	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_script(w, "c", ENDS_AFTER(EFF_S(10)));
	ck_assert(world_run_to_end(w, EFF_H(1)));

	EXPECT_STATES(w, "x", "0 up, 1000 stopping, 3000 done, 10000 down");
	ck_assert_str_eq(world_last_exit(w, "x/b"), "dependency SIGTERM < exit 0 < exit 0");
	EXPECT_STATES(w, "/", "0 up, 10000 done");
	ck_assert_str_eq(world_last_exit(w, "/"), "exit 0 < exit 0 < exit 0");
	ck_assert_int_eq(tree_exit_code(w->tree, w->end), 0);
	world_free(w);
}
END_TEST

START_TEST(an_inner_supervisor_that_gave_up_is_restarted_and_is_not_done)
{
	/* In OTP both ends look the same to the one above; here one is a failure and the other is not. */
	struct world *w = world_new(TREE("auto_shutdown: any",
		"  x:\n    intensity: {max_restarts: 0, period: 1h}\n    restart: on-failure\n"
		"    significant: true\n    units: {a: {command: a}}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(1)), STEADY);
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "x", "0 up, 1000 backoff, 2000 up");
	EXPECT_STATE(w, "/", "up");
	world_free(w);
}
END_TEST

START_TEST(a_supervisor_that_is_done_and_always_restarts_begins_anew)
{
	struct world *w = world_new(TREE("",
		"  x:\n    auto_shutdown: any\n    units:\n"
		"      a: {command: a, restart: no, significant: true}\n      b: {command: b}\n"));

	WORLD_SCRIPTS(w, "a", ENDS_AFTER(EFF_S(1)), STEADY);
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "x", "0 up, 1000 backoff, 2000 up");
	EXPECT_TRACE(w, "x/b", "0 spawn, 1000 TERM, 1000 SIGTERM, 2000 spawn");
	world_free(w);
}
END_TEST

/* A temporary one is not missed, unless it has failed itself; when it is asked for again it is as any other. */
START_TEST(a_group_is_well_without_whom_its_round_has_left_out)
{
	struct world *w = world_new(TREE("",
		"  g:\n    strategy: one_for_all\n    units:\n"
		"      a: {command: a}\n      b: {command: b, restart: no}\n"));
	struct tree *t;
	char summary[200];

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(1)), STEADY);
	WORLD_SCRIPTS(w, "b", STEADY, CRASH_AFTER(EFF_S(1)));
	world_run_for(w, EFF_MS(1500));
	t = tree_of(world_unit(w, "g"));
	ck_assert_str_eq(tree_summary(t, summary, sizeof(summary)),
		"0 of 1 up; g/a: exit 1, next try in 500 ms");
	world_run_for(w, EFF_H(1));

	EXPECT_STATE(w, "g/b", "down");
	ck_assert(world_unit(w, "g/b")->wanted);
	ck_assert(!tree_ails(world_unit(w, "g/b")));
	ck_assert_str_eq(tree_summary(t, summary, sizeof(summary)), "1 of 1 up");
	world_start(w, "g/b");
	world_run_for(w, 0);
	ck_assert_str_eq(tree_summary(t, summary, sizeof(summary)), "2 of 2 up");
	world_run_for(w, EFF_H(1));
	EXPECT_STATE(w, "g/b", "failed");
	ck_assert(tree_ails(world_unit(w, "g/b")));
	world_free(w);
}
END_TEST

/* Nobody brings it back but a hand: who needs it waits for that, and the group is up meanwhile. */
START_TEST(a_round_is_over_though_one_requires_whom_it_has_left_out)
{
	static const char *const strategies[] = {"one_for_all", "rest_for_one"};
	char units[600];
	struct world *w;

	(void)snprintf(units, sizeof(units),
		TREE("",
			"  g:\n    strategy: %s\n    units:\n      a: {command: a}\n"
			"      b: {restart: no, units: {x: {command: x}}}\n"
			"      c: {command: c, depends_on: [b/x]}\n      d: {command: d, depends_on: [c]}\n"
			"      e: {command: e}\n"
			"  z: {command: z, activate: manual, depends_on: [g]}\n"),
		strategies[_i]);
	w = world_new(units);
	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(1)), STEADY);
	world_run_for(w, EFF_H(1));
	world_start(w, "z");
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "g", "0 up, 1000 starting, 2000 up");
	EXPECT_STATE(w, "g/c", "waiting");
	ck_assert_str_eq(world_cause(w, "g/c"),
		"dependency < dependency SIGTERM < group_restart < exit 1");
	EXPECT_STATE(w, "g/d", "waiting");
	EXPECT_STATE(w, "g/e", "up");
	EXPECT_STATE(w, "z", "up");
	world_start(w, "g/b");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "g/c", "up");
	EXPECT_STATE(w, "g/d", "up");
	world_free(w);
}
END_TEST

/* It had not been up before: the tree has settled without it, and without who waits for it. */
START_TEST(a_tree_settles_without_whom_a_round_has_left_out)
{
	struct world *w = world_new(TREE("strategy: one_for_all",
		"  a: {command: a}\n  b: {command: b, type: notify, restart: no}\n"
		"  c: {command: c, after: [b], depends_on: {b: {condition: started}}}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(1)), STEADY);
	world_script(w, "b", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(2)});
	world_run_for(w, EFF_MS(1500));
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "b", "down");
	EXPECT_STATE(w, "c", "waiting");
	ck_assert(tree_is_settled(w->tree));
	EXPECT_STATES(w, "/", "0 starting, 2000 up");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/otp_groups");
	TCase *tcase = tcase_create("otp_groups");

	tcase_add_test(tcase,
		one_that_fails_in_the_middle_of_a_start_holds_up_the_rest_until_it_is_up);
	tcase_add_test(
		tcase, one_that_has_failed_for_good_in_the_middle_of_a_start_lets_the_rest_go);
	tcase_add_test(
		tcase, a_critical_one_that_fails_in_the_middle_of_a_start_fails_the_supervisor);
	tcase_add_test(tcase, a_stop_goes_backwards_one_by_one_and_past_what_does_not_run);
	tcase_add_test(
		tcase, the_leader_that_fails_to_start_again_tries_again_before_the_rest_starts);
	tcase_add_test(tcase,
		another_that_fails_to_start_in_a_round_leads_the_next_with_its_own_delay);
	tcase_add_test(
		tcase, how_others_end_while_the_group_is_stopped_is_neither_judged_nor_counted);
	tcase_add_test(tcase, two_that_end_in_one_moment_are_one_round);
	tcase_add_test(tcase, a_round_that_is_one_too_many_stops_the_group_and_starts_nobody);
	tcase_add_test(tcase, of_any_only_a_clean_end_by_itself_of_a_significant_child_counts);
	tcase_add_test(tcase, of_all_one_that_failed_is_awaited_until_it_has_ended_well);
	tcase_add_test(tcase, an_inner_supervisor_that_is_done_counts_for_the_outer_one);
	tcase_add_test(tcase, an_inner_supervisor_that_gave_up_is_restarted_and_is_not_done);
	tcase_add_test(tcase, a_supervisor_that_is_done_and_always_restarts_begins_anew);
	tcase_add_test(tcase, a_group_is_well_without_whom_its_round_has_left_out);
	tcase_add_loop_test(tcase, a_round_is_over_though_one_requires_whom_it_has_left_out, 0, 2);
	tcase_add_test(tcase, a_tree_settles_without_whom_a_round_has_left_out);
	suite_add_tcase(suite, tcase);
	return suite;
}
