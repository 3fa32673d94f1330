/* SPDX-License-Identifier: MIT */
/* A unit's life in virtual time: how it starts, how its ends are judged and when it starts again. The numbers are exact. */
#include <errno.h>
#include <signal.h>

#include <check.h>

#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})

/* The n-th start of `unit` was at `ms`. */
static void expect_spawn(struct world *w, size_t n, eff_ns at)
{
	ck_assert_msg(world_spawn_at(w, "web", n) == at, "start %zu at %lld us, not %lld us", n,
		(long long)(world_spawn_at(w, "web", n) / EFF_US(1)), (long long)(at / EFF_US(1)));
}

START_TEST(a_unit_starts_at_once_and_is_up_when_it_has_executed)
{
	struct world *w = world_new("web: {command: web}");

	world_script(w, "web", (struct script){.exec_takes = EFF_MS(20), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "0 spawn");
	EXPECT_STATES(w, "web", "0 starting, 20 up");
	ck_assert_uint_eq(world_unit(w, "web")->starts, 1);
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 0);
	ck_assert_int_gt(world_unit(w, "web")->pid, 0);
	world_free(w);
}
END_TEST

START_TEST(the_default_timetable_of_a_unit_that_dies_at_once)
{
	static const int tenths[] = {0, 5, 15, 35, 75, 155, 315, 615, 915, 1215};
	struct world *w = world_new("web: {command: web, restart: {backoff: {jitter: 0}}}");

	world_script(w, "web", CRASH);
	world_run_for(w, EFF_S(122));

	ck_assert_uint_eq(world_spawns(w, "web"), 10);
	for (size_t i = 0; i < 10; i++)
		expect_spawn(w, i, EFF_MS(100) * tenths[i]);
	EXPECT_STATE(w, "web", "backoff");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 10);
	world_free(w);
}
END_TEST

START_TEST(a_day_of_crashes_backs_off_to_the_ceiling)
{
	struct world *w = world_new(
		"web: {command: crash, restart: {policy: always, backoff: {initial: 100ms, max: 5m, jitter: 0}}}");

	world_script(w, "crash", (struct script){.lives = EFF_MS(10), .exits = 1});
	world_run_for(w, EFF_H(24));

	ck_assert_uint_eq(world_unit(w, "web")->starts, 299);
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 298);
	/* Twelve delays that double, then the ceiling, with 10 ms of life each. */
	expect_spawn(w, 12, EFF_MS(409620));
	expect_spawn(w, 13, EFF_MS(709630));
	expect_spawn(w, 298, EFF_MS(409620) + 286 * EFF_MS(300010));
	world_free(w);
}
END_TEST

START_TEST(jitter_spreads_at_the_ceiling_too_and_only_adds)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {initial: 1s, max: 1s, jitter: 50%}}}");
	eff_ns least = EFF_FOREVER;
	eff_ns most = 0;

	world_script(w, "web", CRASH);
	world_run_for(w, EFF_S(250));

	ck_assert_uint_gt(world_spawns(w, "web"), 166);
	ck_assert_uint_lt(world_spawns(w, "web"), 250);
	for (size_t i = 1; i < world_spawns(w, "web"); i++) {
		eff_ns delay = world_spawn_at(w, "web", i) - world_spawn_at(w, "web", i - 1);

		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	ck_assert_int_ge(least, EFF_S(1));
	ck_assert_int_le(most, EFF_MS(1500));
	ck_assert_int_lt(least, EFF_MS(1050));
	ck_assert_int_gt(most, EFF_MS(1450));
	world_free(w);
}
END_TEST

START_TEST(an_end_more_than_max_restarts_is_the_last)
{
	struct world *w = world_new(
		"web: {command: web, restart: {max_restarts: 3, backoff: {jitter: 0}}}");

	world_script(w, "web", CRASH);
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "web",
		"0 spawn, 0 exit 1, 500 spawn, 500 exit 1, 1500 spawn, 1500 exit 1, 3500 spawn, 3500 exit 1");
	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_cause(w, "web"), "max_restarts < exit 1");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 3);
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 3);
	ck_assert(world_unit(w, "web")->wanted);
	world_free(w);
}
END_TEST

START_TEST(no_restarts_at_all_means_that_the_first_end_is_the_last)
{
	struct world *w = world_new("web: {command: web, restart: {max_restarts: 0}}");

	world_script(w, "web", (struct script){.exits = 0});
	world_run_for(w, EFF_H(1));

	ck_assert_uint_eq(world_spawns(w, "web"), 1);
	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_cause(w, "web"), "max_restarts < exit 0");
	world_free(w);
}
END_TEST

START_TEST(a_unit_that_was_up_for_reset_after_begins_again_from_the_first_delay)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {jitter: 0, reset_after: 1m}}}");

	WORLD_SCRIPTS(w, "web", CRASH, CRASH, {.lives = EFF_S(60), .exits = 1}, STEADY);
	world_run_for(w, EFF_S(61));
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 2);
	world_run_for(w, EFF_MS(499));
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 2);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web",
		"0 spawn, 0 exit 1, 500 spawn, 500 exit 1, 1500 spawn, 61500 exit 1, 62000 spawn");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 1);
	world_run_for(w, EFF_S(60));
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 0);
	world_free(w);
}
END_TEST

START_TEST(a_unit_that_was_up_for_less_goes_on_counting)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {jitter: 0, reset_after: 1m}}}");

	WORLD_SCRIPTS(w, "web", CRASH, {.lives = EFF_MS(59999), .exits = 1}, STEADY);
	world_run_for(w, EFF_S(120));

	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 1, 500 spawn, 60499 exit 1, 61499 spawn");
	world_free(w);
}
END_TEST

START_TEST(time_in_starting_earns_no_clean_slate)
{
	struct world *w = world_new("web: {command: web, type: notify, start_timeout: 10m,"
				    " restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "web", CRASH,
		{.ready_after = EFF_FOREVER, .lives = EFF_S(300), .exits = 1}, STEADY);
	world_run_for(w, EFF_S(400));

	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 1, 500 spawn, 300500 exit 1, 301500 spawn");
	world_free(w);
}
END_TEST

START_TEST(time_spent_stopping_earns_no_clean_slate)
{
	struct world *w = world_new("web: {command: web, max_runtime: 55s,"
				    " restart: {backoff: {jitter: 0, reset_after: 1m}}}");

	WORLD_SCRIPTS(w, "web", CRASH, {.lives = EFF_FOREVER, .term_takes = EFF_S(9)}, STEADY);
	world_run_for(w, EFF_S(100));

	EXPECT_TRACE(w, "web",
		"0 spawn, 0 exit 1, 500 spawn, 55500 TERM, 64500 SIGTERM, 65500 spawn");
	world_free(w);
}
END_TEST

START_TEST(an_operators_start_out_of_backoff_is_at_once_and_forgets_failures)
{
	struct world *w = world_new("web: {command: web, restart: {backoff: {jitter: 0}}}");

	world_script(w, "web", CRASH);
	world_run_for(w, EFF_S(4));
	world_start(w, "web");
	world_run_for(w, EFF_S(2));

	EXPECT_TRACE(w, "web",
		"0 spawn, 0 exit 1, 500 spawn, 500 exit 1, 1500 spawn, 1500 exit 1, 3500 spawn, 3500 exit 1, "
		"4000 spawn, 4000 exit 1, 4500 spawn, 4500 exit 1, 5500 spawn, 5500 exit 1");
	/* The operator's start is none that effd did by itself. */
	ck_assert_uint_eq(world_unit(w, "web")->starts, 7);
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 5);
	world_free(w);
}
END_TEST

START_TEST(a_reset_leaves_backoff_and_failed_at_once)
{
	struct world *w = world_new(
		"web: {command: web, restart: {max_restarts: 2, backoff: {jitter: 0}}}");

	world_script(w, "web", CRASH);
	world_run_for(w, EFF_MS(700));
	world_reset(w, "web");
	world_run_for(w, EFF_S(60));
	EXPECT_TRACE(w, "web",
		"0 spawn, 0 exit 1, 500 spawn, 500 exit 1, 700 spawn, 700 exit 1, "
		"1200 spawn, 1200 exit 1, 2200 spawn, 2200 exit 1");
	EXPECT_STATE(w, "web", "failed");
	world_mark(w);
	world_script(w, "web", STEADY);
	world_reset(w, "web");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn");
	EXPECT_STATE(w, "web", "up");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 0);
	world_free(w);
}
END_TEST

START_TEST(a_reset_leaves_alone_what_runs_and_what_is_stopped)
{
	struct world *w = world_new("web: {command: web}\ndb: {command: db}");

	world_run_for(w, EFF_S(1));
	world_stop(w, "db");
	world_run_for(w, EFF_S(1));
	world_reset(w, "web");
	world_reset(w, "db");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn");
	EXPECT_TRACE(w, "db", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_STATE(w, "db", "down");
	world_free(w);
}
END_TEST

START_TEST(an_operators_restart_counts_as_a_start_and_forgets_failures)
{
	struct world *w = world_new("web: {command: web, restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "web", CRASH, CRASH, STEADY, STEADY);
	world_run_for(w, EFF_S(10));
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 2);
	world_mark(w);
	world_restart(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 TERM, 0 SIGTERM, 0 spawn");
	EXPECT_STATE(w, "web", "up");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 0);
	ck_assert_uint_eq(world_unit(w, "web")->starts, 4);
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 2);
	ck_assert_str_eq(world_last_exit(w, "web"), "stop_requested SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_restart_starts_what_rests_and_what_is_in_backoff)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {jitter: 0, initial: 1m, max: 1m}}}\n"
		"db: {command: db, restart: no}");

	WORLD_SCRIPTS(w, "web", CRASH, STEADY);
	WORLD_SCRIPTS(w, "db", CRASH, STEADY);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "db", "failed");
	world_restart(w, "web");
	world_restart(w, "db");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 1, 1000 spawn");
	EXPECT_TRACE(w, "db", "0 spawn, 0 exit 1, 1000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_failed_exec_is_an_end_like_any_other_and_rearms_the_delay)
{
	struct world *w = world_new("web: {command: web, restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "web", {.exec_error = ENOENT},
		{.exec_error = EACCES, .exec_stage = "chdir"},
		{.exec_error = ENOENT, .exec_stage = "user"}, STEADY);
	world_run_for(w, 0);
	ck_assert_str_eq(world_last_exit(w, "web"), "exec_error");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"exec: ENOENT (No such file or directory): web");
	EXPECT_STATE(w, "web", "backoff");
	world_run_for(w, EFF_MS(500));
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"chdir: EACCES (Permission denied): web");
	world_run_for(w, EFF_S(10));

	/* The third never was a process. */
	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 127, 500 spawn, 500 exit 127, 3500 spawn");
	ck_assert_uint_eq(world_unit(w, "web")->starts, 4);
	world_free(w);
}
END_TEST

START_TEST(the_last_exit_tells_how_the_process_really_ended)
{
	struct world *w = world_new(
		"code: {command: code, restart: no}\nsig: {command: sig, restart: no}");

	world_script(w, "code", (struct script){.lives = EFF_S(2), .exits = 42});
	world_script(
		w, "sig", (struct script){.lives = EFF_S(2), .dies_by = SIGSEGV, .core = true});
	world_run_for(w, EFF_S(3));

	ck_assert_str_eq(world_last_exit(w, "code"), "exit 42");
	ck_assert_str_eq(world_last_exit(w, "sig"), "signal SIGSEGV");
	ck_assert(world_unit(w, "sig")->last_exit->core);
	ck_assert_int_eq(world_unit(w, "sig")->last_exit->wall_at - w->wall_zero, EFF_S(2));
	EXPECT_STATES(w, "sig", "0 up, 2000 failed");
	world_free(w);
}
END_TEST

START_TEST(one_unit_that_crashes_disturbs_no_other)
{
	struct world *w = world_new("web: {command: web}\ndb: {command: db}\ncron: {command: cron}");

	world_script(w, "web", CRASH);
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "db", "0 spawn");
	EXPECT_TRACE(w, "cron", "0 spawn");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
/* What was missing is said before the process that found it out is gone: then the words may be of another. */
START_TEST(a_failed_exec_is_not_told_in_the_words_of_another)
{
	struct world *w = world_new("a: {command: a, restart: no}\nb: {command: b, restart: no}");

	world_script(w, "a",
		(struct script){.exec_error = ENOENT, .interpreter = "x", .fails_for = EFF_MS(20)});
	world_script(w, "b",
		(struct script){.exec_error = ENOENT, .interpreter = "y", .exec_takes = EFF_MS(10)});
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_unit(w, "a")->last_exit->text,
		"exec: ENOENT (No such file or directory): a: interpreter x");
	ck_assert_str_eq(world_unit(w, "b")->last_exit->text,
		"exec: ENOENT (No such file or directory): b: interpreter y");
	world_free(w);
}
END_TEST

struct own_reload {
	struct unit *unit;
	char *words;
	int result;
};

static eff_exit reload_by_itself(void *arg)
{
	struct own_reload *own = arg;

	own->result = unit_reload(own->unit, &own->words);
	return eff_ok(NULL);
}

/* It is told to in the very moment in which its row comes to say nothing of how. */
START_TEST(a_reload_command_that_is_taken_away_is_none)
{
	struct world *w = world_new("web: {command: web, reload: {command: again}}");
	struct own_reload own = {.result = 1};

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	own.unit = world_unit(w, "web");
	ck_assert_int_eq(eff_fork_daemon(EFF(reload_by_itself, &own), NULL), 0);
	world_reload(w, "web: {command: web}");
	world_run_for(w, EFF_S(1));

	ck_assert_int_eq(own.result, -ENOTSUP);
	ck_assert_ptr_null(own.words);
	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

#define SLOW(type) "web: {command: web, start_timeout: 5s, type: " type "}"

START_TEST(what_a_unit_has_not_said_is_why_its_start_took_too_long)
{
	static const char *const slow[][2] = {{SLOW("notify"), ": it has not said READY=1"},
		{SLOW("notify-fd"), ": it has not written a newline to descriptor 3"},
		{SLOW("forking, pid_file: /run/x"), ": its first process has not ended"}};
	struct world *w = world_new(slow[_i][0]);

	world_script(w, "web", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(5) + EFF_MS(1));
	ck_assert_ptr_nonnull(strstr(world_unit(w, "web")->last_exit->text, slow[_i][1]));
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/life");
	TCase *tcase = tcase_create("life");

	tcase_add_test(tcase, a_unit_starts_at_once_and_is_up_when_it_has_executed);
	tcase_add_test(tcase, the_default_timetable_of_a_unit_that_dies_at_once);
	tcase_add_test(tcase, a_day_of_crashes_backs_off_to_the_ceiling);
	tcase_add_test(tcase, jitter_spreads_at_the_ceiling_too_and_only_adds);
	tcase_add_test(tcase, an_end_more_than_max_restarts_is_the_last);
	tcase_add_test(tcase, no_restarts_at_all_means_that_the_first_end_is_the_last);
	tcase_add_test(tcase, a_unit_that_was_up_for_reset_after_begins_again_from_the_first_delay);
	tcase_add_test(tcase, a_unit_that_was_up_for_less_goes_on_counting);
	tcase_add_test(tcase, time_in_starting_earns_no_clean_slate);
	tcase_add_test(tcase, time_spent_stopping_earns_no_clean_slate);
	tcase_add_test(tcase, an_operators_start_out_of_backoff_is_at_once_and_forgets_failures);
	tcase_add_test(tcase, a_reset_leaves_backoff_and_failed_at_once);
	tcase_add_test(tcase, a_reset_leaves_alone_what_runs_and_what_is_stopped);
	tcase_add_test(tcase, an_operators_restart_counts_as_a_start_and_forgets_failures);
	tcase_add_test(tcase, a_restart_starts_what_rests_and_what_is_in_backoff);
	tcase_add_test(tcase, a_failed_exec_is_an_end_like_any_other_and_rearms_the_delay);
	tcase_add_test(tcase, the_last_exit_tells_how_the_process_really_ended);
	tcase_add_test(tcase, one_unit_that_crashes_disturbs_no_other);
	tcase_add_test(tcase, a_failed_exec_is_not_told_in_the_words_of_another);
	tcase_add_test(tcase, a_reload_command_that_is_taken_away_is_none);
	tcase_add_loop_test(tcase, what_a_unit_has_not_said_is_why_its_start_took_too_long, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
