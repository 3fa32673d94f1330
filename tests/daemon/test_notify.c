/* SPDX-License-Identifier: MIT */
/* What units say of themselves: another main process, reloads, stops, time, signs of life. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
/* The pid that the fake kernel gives the one that its first process leaves. */
#define BACKGROUND "101001"

START_TEST(mainpid_moves_the_unit_to_another_of_its_processes)
{
	struct world *w = world_new("web: {command: web, type: notify, restart: no}");

	world_script(w, "web", (struct script){.lives = EFF_S(5), .leaves = EFF_S(10), .exits = 7});
	world_run_for(w, EFF_S(1));
	os_fake_notify(w->fake, "web", "MAINPID=" BACKGROUND "\nSTATUS=moved");
	world_run_for(w, EFF_S(10));
	EXPECT_STATES(w, "web", "0 up");
	ck_assert_int_eq(world_unit(w, "web")->pid, 101001);
	world_run_for(w, EFF_S(10));

	/* The first one's end, with 7, was none of the unit's. */
	EXPECT_STATES(w, "web", "0 up, 15000 done");
	world_free(w);
}
END_TEST

START_TEST(a_last_word_before_the_end_counts)
{
	struct world *w = world_new("web: {command: web, type: notify, restart: no}");

	world_script(w, "web",
		(struct script){
			.lives = 0, .leaves = EFF_S(10), .says = "READY=1\nMAINPID=" BACKGROUND});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "up");
	ck_assert_int_eq(world_unit(w, "web")->pid, 101001);
	world_free(w);
}
END_TEST

START_TEST(mainpid_of_a_stranger_is_refused_and_told_once)
{
	struct world *w = world_new("web: {command: web, type: notify}");
	const struct tree_event *event;
	unsigned n = 0;

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	for (int i = 0; i < 5; i++)
		os_fake_notify(w->fake, "web", "MAINPID=1");
	os_fake_notify(w->fake, "web", "MAINPID=99999999999999999999");
	os_fake_notify(w->fake, "web", "MAINPID=");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "up");
	ck_assert_int_eq(world_unit(w, "web")->pid, 1001);
	ck_assert_str_eq(world_said(w, "web", "notify_refused"),
		"MAINPID=1 is no process of the unit: ignored");
	for (uint64_t seq = 1; seq <= w->tree->last_seq; seq++)
		n += (event = tree_event(w->tree, seq)) && !strcmp(event->kind, "notify_refused");
	ck_assert_uint_eq(n, 1);
	world_free(w);
}
END_TEST

START_TEST(a_unit_that_says_that_it_stops_is_shown_so_and_ends_by_itself)
{
	struct world *w = world_new("web: {command: web, type: notify, restart: no,"
				    " readiness_probe: {tcp: {port: 80}, period: 1s}}\n"
				    "user: {command: user, depends_on: {web: {bind: true}}}");

	os_fake_port(w->fake, 80, 0, 0);
	world_script(w, "web", (struct script){.lives = EFF_S(8)});
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "user", "up");
	os_fake_notify(w->fake, "web", "STOPPING=1");
	os_fake_port(w->fake, 80, -ECONNREFUSED, 0);
	world_run_for(w, EFF_MS(2500));
	EXPECT_STATE(w, "web", "stopping");
	EXPECT_STATE(w, "user", "waiting");
	world_run_for(w, EFF_S(1));

	EXPECT_STATES(w, "web", "0 starting, 100 up, 5000 stopping, 8000 done");
	EXPECT_TRACE(w, "web", "0 spawn, 8000 exit 0");
	world_free(w);
}
END_TEST

START_TEST(one_that_says_that_it_stops_and_does_not_is_helped)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, restart: no, stop: {timeout: 3s}}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(1));
	os_fake_notify(w->fake, "web", "STOPPING=1");
	world_run_for(w, EFF_MS(3500));
	ck_assert_str_eq(world_unit(w, "web")->cause->text, "says that it stops");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 4000 TERM, 5000 SIGTERM");
	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_last_exit(w, "web"), "signal SIGTERM");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"said that it stops, and was stopped after 3s");
	world_free(w);
}
END_TEST

/* By what its row says in the meantime, too. */
START_TEST(one_that_says_that_it_stops_may_ask_for_more_time)
{
#define WEB(timeout) \
	"web: {command: web, type: notify, restart: no, max_runtime: 1h, stop: {timeout: " timeout "}}"
	struct world *w = world_new(WEB("3s"));

	world_script(w, "web", (struct script){.lives = EFF_S(30)});
	world_run_for(w, EFF_S(1));
	os_fake_notify(w->fake, "web", "STOPPING=1");
	world_run_for(w, EFF_S(2));
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=6000000");
	world_run_for(w, EFF_S(5));
	EXPECT_TRACE(w, "web", "0 spawn");
	world_reload(w, WEB("20s"));
	world_run_for(w, EFF_S(12));
	EXPECT_TRACE(w, "web", "0 spawn");
	world_run_for(w, EFF_S(12));

	EXPECT_TRACE(w, "web", "0 spawn, 21000 TERM, 21000 SIGTERM");
	EXPECT_STATE(w, "web", "failed");
	world_free(w);
#undef WEB
}
END_TEST

/* It ends by itself, and is judged by that; who stops what it needs waits for it, but not when all is killed. */
START_TEST(one_that_says_that_it_stops_is_neither_restarted_with_another_nor_brought_back)
{
	static const struct {
		const char *ties;
		void (*verb)(struct world *w, const char *unit);
		const char *db, *web;
	} cases[] = {
		{"{restart: true}", world_restart,
			"0 spawn, 2000 TERM, 2000 SIGTERM, 2000 spawn", "0 spawn, 5000 exit 0"},
		{"{bind: true}", world_restart, "0 spawn, 2000 TERM, 2000 SIGTERM, 2000 spawn",
			"0 spawn, 5000 exit 0"},
		{"{}", world_stop, "0 spawn, 5000 TERM, 5000 SIGTERM", "0 spawn, 5000 exit 0"},
		{"{}", world_stop_now, "0 spawn, 2000 KILL, 2000 SIGKILL",
			"0 spawn, 2000 KILL, 2000 SIGKILL"},
	};
	char units[300];
	struct world *w;

	(void)snprintf(units, sizeof(units),
		"db: {command: db}\n"
		"web: {command: web, type: notify, restart: no, depends_on: {db: %s}}",
		cases[_i].ties);
	w = world_new(units);
	world_script(w, "web", (struct script){.lives = EFF_S(5)});
	world_run_for(w, EFF_S(1));
	os_fake_notify(w->fake, "web", "STOPPING=1");
	world_run_for(w, EFF_S(1));
	cases[_i].verb(w, "db");
	world_run_for(w, EFF_S(10));
	world_start(w, "db");
	world_run_for(w, EFF_S(60));

	ck_assert_ptr_nonnull(strstr(world_trace(w, "db"), cases[_i].db));
	EXPECT_TRACE(w, "web", cases[_i].web);
	EXPECT_STATE(w, "web", cases[_i].verb == world_stop_now ? "failed" : "done");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		cases[_i].verb == world_stop_now ? "said that it stops, and was killed meanwhile"
						 : "");
	world_free(w);
}
END_TEST

/* It will never be ready; but what ends closes it as well, and is judged by its end. */
START_TEST(one_that_closes_its_descriptor_without_a_newline_has_failed_to_start)
{
	struct world *w = world_new("a: {command: a, type: notify-fd, notify_fd: 5, restart: no}\n"
				    "b: {command: b, type: notify-fd, restart: no}");

	world_script(w, "a",
		(struct script){.ready_after = EFF_S(1),
			.shuts_ready = true,
			.lives = EFF_FOREVER,
			.term_takes = EFF_S(2)});
	world_script(w, "b",
		(struct script){.ready_after = EFF_S(1),
			.shuts_ready = true,
			.lives = EFF_MS(1100),
			.exits = 3});
	world_run_for(w, EFF_M(1));

	EXPECT_STATES(w, "a", "0 starting, 1200 stopping, 3200 failed");
	ck_assert_str_eq(world_last_exit(w, "a"), "start_timeout SIGTERM");
	ck_assert_str_eq(world_unit(w, "a")->last_exit->text,
		"never to be ready: it closed descriptor 5 without a newline");
	EXPECT_STATES(w, "b", "0 starting, 1100 failed");
	ck_assert_str_eq(world_last_exit(w, "b"), "exit 3");
	world_free(w);
}
END_TEST

START_TEST(a_unit_may_ask_for_more_time_to_run_and_to_stop)
{
	struct world *w = world_new("web: {command: web, type: notify, restart: no,"
				    " max_runtime: 10s, stop: {timeout: 2s}}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(7)});
	world_run_for(w, EFF_S(9));
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=11000000");
	world_run_for(w, EFF_S(12));
	/* 20 s are over: it got its signal, and has until 22 s. */
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=9000000");
	world_run_for(w, EFF_S(12));

	EXPECT_TRACE(w, "web", "0 spawn, 20000 TERM, 27000 SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "web"), "max_runtime SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(nonsense_about_time_changes_nothing)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, restart: no, max_runtime: 10s, watchdog: 1h}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=-1");
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=99999999999999999999");
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=1x");
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=");
	os_fake_notify(w->fake, "web", "WATCHDOG_USEC=abc");
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "web", "0 spawn, 10000 TERM, 10000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(reloading_and_ready_again_are_events)
{
	struct world *w = world_new("web: {command: web, type: notify}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	os_fake_notify(w->fake, "web", "RELOADING=1\nMONOTONIC_USEC=5");
	world_run_for(w, EFF_S(1));
	ck_assert(world_unit(w, "web")->reloading);
	ck_assert_ptr_nonnull(world_said(w, "web", "reloading"));
	os_fake_notify(w->fake, "web", "READY=1");
	world_run_for(w, EFF_S(1));

	ck_assert(!world_unit(w, "web")->reloading);
	ck_assert_ptr_nonnull(world_said(w, "web", "reloaded"));
	EXPECT_STATES(w, "web", "0 up");
	world_free(w);
}
END_TEST

/* ── the watchdog ── */

START_TEST(signs_of_life_that_stay_away_end_a_unit)
{
	struct world *w = world_new("web: {command: web, watchdog: 10s, restart: no}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(9));
	os_fake_notify(w->fake, "web", "WATCHDOG=1");
	world_run_for(w, EFF_S(9));
	os_fake_notify(w->fake, "web", "WATCHDOG=1");
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "web", "0 spawn, 28000 TERM, 28000 SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "web"), "watchdog SIGTERM");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text, "no sign of life within 10s");
	EXPECT_STATE(w, "web", "failed");
	world_free(w);
}
END_TEST

START_TEST(a_unit_is_watched_from_when_it_is_up)
{
	struct world *w = world_new("web: {command: web, type: notify, watchdog: 10s, restart: no}");

	world_script(w, "web", (struct script){.ready_after = EFF_S(30), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn, 40000 TERM, 40000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_unit_may_change_its_watchdog_and_pull_it)
{
	struct world *w = world_new("web: {command: web, watchdog: 10s, restart: no}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(5));
	os_fake_notify(w->fake, "web", "WATCHDOG_USEC=60000000");
	world_run_for(w, EFF_S(50));
	EXPECT_STATE(w, "web", "up");
	os_fake_notify(w->fake, "web", "WATCHDOG=trigger");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "0 spawn, 55000 TERM, 55000 SIGTERM");
	ck_assert_str_eq(world_last_exit(w, "web"), "watchdog SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_unit_may_end_its_watchdog)
{
	struct world *w = world_new("web: {command: web, watchdog: 10s, restart: no}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(5));
	os_fake_notify(w->fake, "web", "WATCHDOG_USEC=0");
	world_run_for(w, EFF_H(1));
	EXPECT_STATES(w, "web", "0 up");
	os_fake_notify(w->fake, "web", "WATCHDOG_USEC=10000000");
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "web", "0 spawn, 3615000 TERM, 3615000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(without_a_watchdog_signs_of_life_mean_nothing)
{
	struct world *w = world_new("web: {command: web, type: notify}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	os_fake_notify(w->fake, "web", "WATCHDOG_USEC=1000");
	os_fake_notify(w->fake, "web", "WATCHDOG=trigger");
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "web", "0 up");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/notify");
	TCase *tcase = tcase_create("notify");

	tcase_add_test(tcase, mainpid_moves_the_unit_to_another_of_its_processes);
	tcase_add_test(tcase, a_last_word_before_the_end_counts);
	tcase_add_test(tcase, mainpid_of_a_stranger_is_refused_and_told_once);
	tcase_add_test(tcase, a_unit_that_says_that_it_stops_is_shown_so_and_ends_by_itself);
	tcase_add_test(tcase, one_that_says_that_it_stops_and_does_not_is_helped);
	tcase_add_test(tcase, one_that_says_that_it_stops_may_ask_for_more_time);
	tcase_add_test(tcase, one_that_closes_its_descriptor_without_a_newline_has_failed_to_start);
	tcase_add_loop_test(tcase,
		one_that_says_that_it_stops_is_neither_restarted_with_another_nor_brought_back,
		0, 4);
	tcase_add_test(tcase, a_unit_may_ask_for_more_time_to_run_and_to_stop);
	tcase_add_test(tcase, nonsense_about_time_changes_nothing);
	tcase_add_test(tcase, reloading_and_ready_again_are_events);
	tcase_add_test(tcase, signs_of_life_that_stay_away_end_a_unit);
	tcase_add_test(tcase, a_unit_is_watched_from_when_it_is_up);
	tcase_add_test(tcase, a_unit_may_change_its_watchdog_and_pull_it);
	tcase_add_test(tcase, a_unit_may_end_its_watchdog);
	tcase_add_test(tcase, without_a_watchdog_signs_of_life_mean_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
