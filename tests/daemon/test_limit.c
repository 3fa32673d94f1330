/* SPDX-License-Identifier: MIT */
/* What bounds a run is live: a reload makes it shorter or longer while it runs, counted from when it began. */
#include <signal.h>

#include <check.h>

#include "fake/world.h"

#define WEB(more) "web: {command: web, restart: {backoff: {jitter: 0}}" more "}"
#define NOTIFY(more) WEB(", type: notify" more)
#define JOB(more) "job: {command: job, type: oneshot, restart: no" more "}"
/* Of a notify unit: it is never ready by itself. */
#define STEADY ((struct script){.lives = EFF_FOREVER, .ready_after = EFF_FOREVER})

/* After 5 seconds of the first the second is the tree. */
static struct world *reloaded(const char *before, const char *after)
{
	struct world *w = world_new(before);

	world_script(w, "web", STEADY);
	world_script(w, "job", STEADY);
	world_run_for(w, EFF_S(5));
	world_reload(w, after);
	return w;
}

/* ── max_runtime ── */

START_TEST(a_shorter_max_runtime_counts_from_when_it_was_up)
{
	struct world *w = reloaded(WEB(""), WEB(", max_runtime: 8s"));

	world_run_for(w, EFF_S(4));

	ck_assert_str_eq(world_changes(w), "web live");
	EXPECT_TRACE(w, "web", "0 spawn, 8000 TERM, 8000 SIGTERM, 8500 spawn");
	ck_assert_int_eq(world_unit(w, "web")->last_exit->kind, CAUSE_MAX_RUNTIME);
	world_free(w);
}
END_TEST

START_TEST(a_max_runtime_that_has_passed_already_ends_it_at_once)
{
	struct world *w = reloaded(WEB(", max_runtime: 1h"), WEB(", max_runtime: 3s"));

	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "0 spawn, 5000 TERM, 5000 SIGTERM, 5500 spawn");
	ck_assert_int_eq(world_unit(w, "web")->last_exit->kind, CAUSE_MAX_RUNTIME);
	world_free(w);
}
END_TEST

START_TEST(a_longer_max_runtime_gives_more_time)
{
	struct world *w = reloaded(WEB(", max_runtime: 8s"), WEB(", max_runtime: 20s"));

	world_run_for(w, EFF_S(16));

	EXPECT_TRACE(w, "web", "0 spawn, 20000 TERM, 20000 SIGTERM, 20500 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_max_runtime_that_goes_ends_nothing)
{
	struct world *w = reloaded(WEB(", max_runtime: 8s"), WEB(""));

	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(the_max_runtime_of_a_oneshot_counts_from_its_start)
{
	struct world *w = reloaded(JOB(""), JOB(", max_runtime: 8s"));

	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "job", "0 spawn, 8000 TERM, 8000 SIGTERM");
	EXPECT_STATE(w, "job", "failed");
	ck_assert_int_eq(world_unit(w, "job")->last_exit->kind, CAUSE_MAX_RUNTIME);
	world_free(w);
}
END_TEST

/* ── start_timeout ── */

START_TEST(a_shorter_start_timeout_counts_from_the_start)
{
	struct world *w = reloaded(NOTIFY(""), NOTIFY(", start_timeout: 8s"));

	world_run_for(w, EFF_S(4));

	EXPECT_TRACE(w, "web", "0 spawn, 8000 TERM, 8000 SIGTERM, 8500 spawn");
	ck_assert_int_eq(world_unit(w, "web")->last_exit->kind, CAUSE_START_TIMEOUT);
	world_free(w);
}
END_TEST

START_TEST(a_longer_start_timeout_gives_more_time)
{
	struct world *w = reloaded(NOTIFY(", start_timeout: 8s"), NOTIFY(", start_timeout: 20s"));

	world_run_for(w, EFF_S(10));
	os_fake_notify(w->fake, "web", "READY=1");
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "web", "0 spawn");
	EXPECT_STATES(w, "web", "0 starting, 15000 up");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_is_bounded_by_both)
{
	struct world *w = reloaded(JOB(", max_runtime: 10s, start_timeout: 12s"),
		JOB(", max_runtime: 1h, start_timeout: 11s"));

	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "job", "0 spawn, 11000 TERM, 11000 SIGTERM");
	ck_assert_int_eq(world_unit(w, "job")->last_exit->kind, CAUSE_START_TIMEOUT);
	world_free(w);
}
END_TEST

/* ── what was asked for ── */

START_TEST(time_that_was_asked_for_is_not_taken_away)
{
	struct world *w = world_new(NOTIFY(", start_timeout: 1m"));

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(2));
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=10000000");
	world_run_for(w, EFF_S(3));
	world_reload(w, NOTIFY(", start_timeout: 1s"));
	world_run_for(w, EFF_S(8));

	EXPECT_TRACE(w, "web", "0 spawn, 12000 TERM, 12000 SIGTERM, 12500 spawn");
	world_free(w);
}
END_TEST

/* ── the grace ── */

/* 5 seconds of it have passed when it becomes another. */
static struct world *reloaded_while_it_stops(const char *before, const char *after)
{
	struct world *w = world_new(before);

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	world_mark(w);
	world_stop(w, "web");
	world_run_for(w, EFF_S(5));
	world_reload(w, after);
	world_run_for(w, EFF_H(2));
	return w;
}

START_TEST(a_grace_becomes_shorter)
{
	struct world *w = reloaded_while_it_stops(
		WEB(", stop: {timeout: 1h}"), WEB(", stop: {timeout: 8s}"));

	EXPECT_TRACE(w, "web", "0 TERM, 8000 KILL, 8000 SIGKILL");
	EXPECT_STATE(w, "web", "down");
	world_free(w);
}
END_TEST

START_TEST(a_grace_becomes_longer)
{
	struct world *w = reloaded_while_it_stops(
		WEB(", stop: {timeout: 8s}"), WEB(", stop: {timeout: 1h}"));

	EXPECT_TRACE(w, "web", "0 TERM, 3600000 KILL, 3600000 SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(no_grace_any_more_is_the_end_of_it)
{
	struct world *w = reloaded_while_it_stops(
		WEB(", stop: {timeout: 8s}"), WEB(", stop: {timeout: 0}"));

	EXPECT_TRACE(w, "web", "0 TERM, 5000 KILL, 5000 SIGKILL");
	world_free(w);
}
END_TEST

/* ── remain_after_exit ── */

#define NET(more) \
	"net: {command: net, type: oneshot, stop: {command: unnet}" more "}\n" \
	"user: {command: user, depends_on: [net]}"
#define REMAINS ", remain_after_exit: true"

/* A oneshot of a second; after 5 its row says something else. */
static struct world *remained(const char *before, const char *after)
{
	struct world *w = world_new(before);

	world_script(w, "net", (struct script){.lives = EFF_S(1)});
	world_script(w, "unnet", (struct script){.lives = EFF_S(1), .helper = true});
	world_run_for(w, EFF_S(5));
	world_reload(w, after);
	world_run_for(w, EFF_H(1));
	return w;
}

START_TEST(a_oneshot_that_is_to_remain_no_more_is_done)
{
	struct world *w = remained(NET(REMAINS), NET(""));

	/* As if it had never been to: it is not undone, and who requires it goes on. */
	EXPECT_STATES(w, "net", "0 starting, 1000 up, 5000 done");
	ck_assert_str_eq(world_last_exit(w, "net"), "exit 0");
	EXPECT_TRACE(w, "net", "0 spawn, 1000 exit 0");
	EXPECT_TRACE(w, "user", "1000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_that_has_not_ended_yet_remains_no_more_either)
{
	struct world *w = world_new(NET(REMAINS));

	world_script(w, "net", (struct script){.lives = EFF_S(9)});
	world_run_for(w, EFF_S(5));
	world_reload(w, NET(""));
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "net", "0 starting, 9000 done");
	world_free(w);
}
END_TEST

START_TEST(one_that_remains_and_whose_probe_does_not_pass_is_done_then)
{
	struct world *w = remained(NET(REMAINS ", readiness_probe: {tcp: {port: 80}}"),
		NET(", readiness_probe: {tcp: {port: 80}}"));

	EXPECT_STATES(w, "net", "0 starting, 5000 done");
	EXPECT_TRACE(w, "user", "5000 spawn");
	world_free(w);
}
END_TEST

START_TEST(another_field_of_one_that_remains_changes_nothing_of_that)
{
	struct world *w = remained(NET(REMAINS), NET(REMAINS ", max_runtime: 2s"));

	EXPECT_STATES(w, "net", "0 starting, 1000 up");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/limit");
	TCase *tcase = tcase_create("limit");

	tcase_add_test(tcase, a_shorter_max_runtime_counts_from_when_it_was_up);
	tcase_add_test(tcase, a_max_runtime_that_has_passed_already_ends_it_at_once);
	tcase_add_test(tcase, a_longer_max_runtime_gives_more_time);
	tcase_add_test(tcase, a_max_runtime_that_goes_ends_nothing);
	tcase_add_test(tcase, the_max_runtime_of_a_oneshot_counts_from_its_start);
	tcase_add_test(tcase, a_shorter_start_timeout_counts_from_the_start);
	tcase_add_test(tcase, a_longer_start_timeout_gives_more_time);
	tcase_add_test(tcase, a_oneshot_is_bounded_by_both);
	tcase_add_test(tcase, time_that_was_asked_for_is_not_taken_away);
	tcase_add_test(tcase, a_grace_becomes_shorter);
	tcase_add_test(tcase, a_grace_becomes_longer);
	tcase_add_test(tcase, no_grace_any_more_is_the_end_of_it);
	tcase_add_test(tcase, a_oneshot_that_is_to_remain_no_more_is_done);
	tcase_add_test(tcase, a_oneshot_that_has_not_ended_yet_remains_no_more_either);
	tcase_add_test(tcase, one_that_remains_and_whose_probe_does_not_pass_is_done_then);
	tcase_add_test(tcase, another_field_of_one_that_remains_changes_nothing_of_that);
	suite_add_tcase(suite, tcase);
	return suite;
}
