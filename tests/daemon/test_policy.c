/* SPDX-License-Identifier: MIT */
/* Again, or not: what is clean, what outranks the policy, and from when on a run is bounded. (The table of ends and policies,
 * cell by cell, is test_ends.c's.) */
#include <errno.h>
#include <signal.h>

#include <check.h>

#include "fake/world.h"

START_TEST(what_is_in_success_exit_is_clean)
{
	struct world *w = world_new(
		"a: {command: a, restart: on-failure, success_exit: [0, 3, 64-78, SIGUSR1]}\n"
		"b: {command: b, restart: on-failure, success_exit: [0, 3, 64-78, SIGUSR1]}\n"
		"c: {command: c, restart: on-failure, success_exit: [0, 3, 64-78, SIGUSR1]}\n"
		"d: {command: d, restart: on-failure, success_exit: [0, 3, 64-78, SIGUSR1]}\n"
		"e: {command: e, restart: on-failure, success_exit: [3]}");
	world_script(w, "a", (struct script){.exits = 3});
	world_script(w, "b", (struct script){.exits = 78});
	world_script(w, "c", (struct script){.dies_by = SIGUSR1});
	world_script(w, "d", (struct script){.exits = 79});
	world_script(w, "e", (struct script){.exits = 0});
	world_run_for(w, EFF_MS(100));

	EXPECT_STATE(w, "a", "done");
	EXPECT_STATE(w, "b", "done");
	EXPECT_STATE(w, "c", "done");
	EXPECT_STATE(w, "d", "backoff");
	EXPECT_STATE(w, "e", "backoff");
	world_free(w);
}
END_TEST

START_TEST(what_is_in_prevent_exit_rests_whatever_the_policy)
{
	struct world *w = world_new(
		"code: {command: code, restart: {policy: always, prevent_exit: [2, 64-78]}}\n"
		"range: {command: range, restart: {policy: always, prevent_exit: [2, 64-78]}}\n"
		"sig: {command: sig, restart: {policy: always, prevent_exit: [SIGABRT]}}\n"
		"cause: {command: cause, restart: {policy: always, prevent_exit: [exec_error]}}\n"
		"clean: {command: clean, restart: {policy: always, prevent_exit: [0]}}\n"
		"other: {command: other, restart: {policy: always, prevent_exit: [2, 64-78]}}");

	world_script(w, "code", (struct script){.exits = 2});
	world_script(w, "range", (struct script){.exits = 70});
	world_script(w, "sig", (struct script){.dies_by = SIGABRT});
	world_script(w, "cause", (struct script){.exec_error = ENOEXEC});
	world_script(w, "clean", (struct script){.exits = 0});
	world_script(w, "other", (struct script){.exits = 63});
	world_run_for(w, EFF_MS(100));

	EXPECT_STATE(w, "code", "failed");
	EXPECT_STATE(w, "range", "failed");
	EXPECT_STATE(w, "sig", "failed");
	EXPECT_STATE(w, "cause", "failed");
	EXPECT_STATE(w, "clean", "done");
	EXPECT_STATE(w, "other", "backoff");
	world_free(w);
}
END_TEST

START_TEST(what_is_in_force_exit_goes_on_whatever_the_policy)
{
	struct world *w = world_new(
		"code: {command: code, restart: {policy: no, force_exit: [7]}}\n"
		"clean: {command: clean, restart: {policy: no, force_exit: [0]}}\n"
		"sig: {command: sig, restart: {policy: on-success, force_exit: [SIGABRT]}}\n"
		"cause: {command: cause, type: notify, start_timeout: 50ms, restart: {policy: no, force_exit: [start_timeout]}}\n"
		"both: {command: both, restart: {policy: no, force_exit: [exit], prevent_exit: [7]}}");

	world_script(w, "code", (struct script){.exits = 7});
	world_script(w, "clean", (struct script){.exits = 0});
	world_script(w, "sig", (struct script){.dies_by = SIGABRT});
	world_script(w, "cause", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_script(w, "both", (struct script){.exits = 7});
	world_run_for(w, EFF_MS(100));

	EXPECT_STATE(w, "code", "backoff");
	EXPECT_STATE(w, "clean", "backoff");
	EXPECT_STATE(w, "sig", "backoff");
	EXPECT_STATE(w, "cause", "backoff");
	/* prevent_exit is asked first. */
	EXPECT_STATE(w, "both", "failed");
	world_free(w);
}
END_TEST

START_TEST(force_exit_does_not_lift_max_restarts)
{
	struct world *w = world_new(
		"web: {command: web, restart: {policy: no, force_exit: [7], max_restarts: 1, backoff: {jitter: 0}}}");

	world_script(w, "web", (struct script){.exits = 7});
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 7, 500 spawn, 500 exit 7");
	ck_assert_str_eq(world_cause(w, "web"), "max_restarts < exit 7");
	world_free(w);
}
END_TEST

START_TEST(an_end_before_ready_is_a_failed_start_even_when_its_code_is_clean)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, restart: on-success, success_exit: [0, 5]}");

	world_script(w, "web",
		(struct script){.ready_after = EFF_FOREVER, .lives = EFF_MS(10), .exits = 5});
	world_run_for(w, EFF_S(10));

	EXPECT_STATE(w, "web", "failed");
	EXPECT_TRACE(w, "web", "0 spawn, 10 exit 5");
	world_free(w);
}
END_TEST

START_TEST(max_runtime_counts_from_when_each_run_is_first_up)
{
	struct world *w = world_new(
		"web: {command: web, max_runtime: 10s, restart: {backoff: {jitter: 0}}}\n"
		"slow: {command: slow, type: notify, max_runtime: 10s, restart: {backoff: {jitter: 0}}}\n"
		"lost: {command: web, max_runtime: 10s, restart: no,\n"
		"  readiness_probe: {tcp: {port: 80}, period: 1s, failure_threshold: 1}}\n"
		"job: {command: job, type: oneshot, max_runtime: 10s, restart: no, hooks: {pre_start: hook}}");

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(4)});
	world_script(w, "job", (struct script){.lives = EFF_FOREVER});
	world_script(w, "hook", (struct script){.helper = true, .lives = EFF_S(2)});
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(5));
	os_fake_port(w->fake, 80, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "lost", "starting");
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(14));

	EXPECT_TRACE(w, "web",
		"0 spawn, 10000 TERM, 10000 SIGTERM, 10500 spawn, 20500 TERM, 20500 SIGTERM");
	EXPECT_TRACE(w, "slow", "0 spawn, 14000 TERM, 14000 SIGTERM, 14500 spawn");
	/* That it was not ready for a while is no new beginning. */
	EXPECT_TRACE(w, "lost", "0 spawn, 10100 TERM, 10100 SIGTERM");
	EXPECT_TRACE(w, "job", "2000 spawn, 12000 TERM, 12000 SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "web"), "max_runtime SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "job"), "max_runtime SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_is_done_and_runs_no_more)
{
	struct world *w = world_new("job: {command: job, type: oneshot}");

	world_script(w, "job", (struct script){.lives = EFF_S(5)});
	world_run_for(w, EFF_S(3));
	EXPECT_STATE(w, "job", "starting");
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "job", "0 spawn, 5000 exit 0");
	EXPECT_STATE(w, "job", "done");
	ck_assert_str_eq(world_last_exit(w, "job"), "exit 0");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_that_fails_is_tried_again_and_its_failures_are_forgotten_when_it_is_done)
{
	struct world *w = world_new(
		"job: {command: job, type: oneshot, restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "job", {.lives = EFF_S(1), .exits = 1},
		{.lives = EFF_S(1), .dies_by = SIGKILL}, {.lives = EFF_S(1)});
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "job",
		"0 spawn, 1000 exit 1, 1500 spawn, 2500 SIGKILL, 3500 spawn, 4500 exit 0");
	EXPECT_STATE(w, "job", "done");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "job")->child), 0);
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_has_no_start_timeout_unless_it_says_so_and_then_max_runtime)
{
	struct world *w = world_new(
		"job: {command: job, type: oneshot, restart: no}\n"
		"late: {command: job, type: oneshot, restart: no, start_timeout: 1m}\n"
		"long: {command: job, type: oneshot, restart: no, max_runtime: 1m}");

	world_script(w, "job", (struct script){.lives = EFF_S(600)});
	world_run_for(w, EFF_S(700));

	EXPECT_TRACE(w, "job", "0 spawn, 600000 exit 0");
	EXPECT_TRACE(w, "late", "0 spawn, 60000 TERM, 60000 SIGTERM");
	EXPECT_TRACE(w, "long", "0 spawn, 60000 TERM, 60000 SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "late"), "start_timeout SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "long"), "max_runtime SIGTERM");
	EXPECT_STATE(w, "late", "failed");
	world_free(w);
}
END_TEST

START_TEST(what_effd_ended_is_never_clean_even_where_its_code_is)
{
	struct world *w = world_new(
		"web: {command: web, max_runtime: 1s, success_exit: [0, SIGTERM], restart: on-success}");

	world_run_for(w, EFF_S(2));

	EXPECT_STATE(w, "web", "failed");
	world_free(w);
}
END_TEST

/* Who asks for a restart, or a stop, while what has ended is cleared away did not bring that end about. */
START_TEST(an_end_by_itself_keeps_its_cause_whatever_is_asked_for_after_it)
{
	struct world *w = world_new("web: {command: web, hooks: {post_stop: clear}}\n"
				    "job: {command: web, hooks: {post_stop: clear}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(3), .exits = 1}, {.lives = EFF_FOREVER});
	world_script(w, "clear", (struct script){.lives = EFF_S(2), .helper = true});
	world_run_for(w, EFF_S(4));
	world_restart(w, "web");
	world_stop(w, "job");
	world_run_for(w, EFF_S(60));

	EXPECT_STATES(w, "web", "0 up, 3000 stopping, 5000 up");
	ck_assert_str_eq(world_last_exit(w, "web"), "exit 1");
	EXPECT_STATES(w, "job", "0 up, 3000 stopping, 5000 down");
	ck_assert_str_eq(world_last_exit(w, "job"), "exit 1");
	ck_assert_str_eq(world_cause(w, "job"), "stop_requested");
	world_free(w);
}
END_TEST

START_TEST(a_shorter_backoff_holds_for_the_delay_that_runs)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {initial: 1h, max: 4h, jitter: 0}}}\n"
		"g: {restart: {backoff: {initial: 1h, jitter: 0, max: 1h}}, intensity: {max_restarts: 0, period: 1s},\n"
		"    units: {in: {command: in}}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(1), .exits = 1}, {.lives = EFF_FOREVER});
	WORLD_SCRIPTS(w, "in", {.lives = EFF_S(1), .exits = 1}, {.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(11));
	world_reload(w,
		"web: {command: web, restart: {backoff: {initial: 4s, max: 4h, jitter: 0}}}\n"
		"g: {restart: {backoff: {initial: 2s, jitter: 0, max: 1h}}, intensity: {max_restarts: 0, period: 1s},\n"
		"    units: {in: {command: in}}}");
	world_run_for(w, EFF_S(60));

	ck_assert_str_eq(world_changes(w), "web live; g live");
	EXPECT_TRACE(w, "web", "0 spawn, 1000 exit 1, 15000 spawn");
	EXPECT_TRACE(w, "g/in", "0 spawn, 1000 exit 1, 13000 spawn");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/policy");
	TCase *tcase = tcase_create("policy");

	tcase_add_test(tcase, what_is_in_success_exit_is_clean);
	tcase_add_test(tcase, what_is_in_prevent_exit_rests_whatever_the_policy);
	tcase_add_test(tcase, what_is_in_force_exit_goes_on_whatever_the_policy);
	tcase_add_test(tcase, force_exit_does_not_lift_max_restarts);
	tcase_add_test(tcase, an_end_before_ready_is_a_failed_start_even_when_its_code_is_clean);
	tcase_add_test(tcase, max_runtime_counts_from_when_each_run_is_first_up);
	tcase_add_test(tcase, a_oneshot_is_done_and_runs_no_more);
	tcase_add_test(tcase,
		a_oneshot_that_fails_is_tried_again_and_its_failures_are_forgotten_when_it_is_done);
	tcase_add_test(tcase, a_oneshot_has_no_start_timeout_unless_it_says_so_and_then_max_runtime);
	tcase_add_test(tcase, what_effd_ended_is_never_clean_even_where_its_code_is);
	tcase_add_test(tcase, an_end_by_itself_keeps_its_cause_whatever_is_asked_for_after_it);
	tcase_add_test(tcase, a_shorter_backoff_holds_for_the_delay_that_runs);
	suite_add_tcase(suite, tcase);
	return suite;
}
