/* SPDX-License-Identifier: MIT */
/* When a unit is up by its own word: notifications, and the time that a start may take. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})

START_TEST(a_notify_unit_is_up_when_it_says_so)
{
	struct world *w = world_new("web: {command: web, type: notify}");

	world_script(w, "web",
		(struct script){
			.ready_after = EFF_S(3), .lives = EFF_FOREVER, .says = "STATUS=loading"});
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_unit(w, "web")->status_text, "loading");
	world_run_for(w, EFF_S(4));
	os_fake_notify(w->fake, "web", "STATUS=serving\nX=1\n");
	world_run_for(w, 0);

	EXPECT_STATES(w, "web", "0 starting, 3000 up");
	ck_assert_str_eq(world_unit(w, "web")->status_text, "serving");
	world_free(w);
}
END_TEST

START_TEST(a_status_text_is_of_the_present_run)
{
	struct world *w = world_new("web: {command: web, type: notify}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_FOREVER, .says = "STATUS=first"}, STEADY);
	world_run_for(w, EFF_S(1));
	world_restart(w, "web");
	world_run_for(w, EFF_S(1));

	ck_assert_ptr_null(world_unit(w, "web")->status_text);
	world_free(w);
}
END_TEST

START_TEST(what_has_ended_says_nothing_any_more)
{
	struct world *w = world_new("web: {command: web, type: notify, restart: no}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(2), .says = "READY=1\nSTATUS=serving"});
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_unit(w, "web")->status_text, "serving");
	world_run_for(w, EFF_S(3));

	ck_assert_int_eq(world_unit(w, "web")->state, UNIT_DONE);
	ck_assert_ptr_null(world_unit(w, "web")->status_text);
	world_free(w);
}
END_TEST

START_TEST(start_timeout_ends_a_unit_that_never_becomes_ready)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, start_timeout: 5s, stop: {timeout: 2s},"
		" restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "web",
		{.ready_after = EFF_FOREVER, .lives = EFF_FOREVER, .ignores_term = true}, STEADY);
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "web", "0 spawn, 5000 TERM, 7000 KILL, 7000 SIGKILL, 7500 spawn");
	ck_assert_str_eq(world_last_exit(w, "web"), "start_timeout SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(the_default_start_timeout_is_ninety_seconds)
{
	struct world *w = world_new("web: {command: web, type: notify, restart: no}");

	world_script(w, "web", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "web", "0 spawn, 90000 TERM, 90000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_unit_may_ask_for_more_time_to_start)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, start_timeout: 5s, restart: no}");

	world_script(w, "web", (struct script){.ready_after = EFF_S(13), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(4));
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=10000000");
	world_run_for(w, EFF_S(60));

	EXPECT_STATES(w, "web", "0 starting, 13000 up");
	world_free(w);
}
END_TEST

START_TEST(more_time_is_never_less)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, start_timeout: 50s, restart: no}");

	world_script(w, "web", (struct script){.ready_after = EFF_S(13), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(4));
	os_fake_notify(w->fake, "web", "EXTEND_TIMEOUT_USEC=1000000");
	world_run_for(w, EFF_S(60));

	EXPECT_STATES(w, "web", "0 starting, 13000 up");
	world_free(w);
}
END_TEST

/* However well it ends when it is told to: it was not ready in time. */
START_TEST(a_start_that_took_too_long_has_failed_even_if_it_ends_well)
{
	struct world *w = world_new(
		"web: {command: web, type: notify, start_timeout: 5s, restart: no}");

	world_script(w, "web",
		(struct script){
			.ready_after = EFF_FOREVER, .lives = EFF_FOREVER, .term_exits = true});
	world_run_for(w, EFF_S(60));

	EXPECT_STATE(w, "web", "failed");
	world_free(w);
}
END_TEST

START_TEST(a_newline_on_its_descriptor_makes_a_unit_up)
{
	struct world *w = world_new("web: {command: web, type: notify-fd, notify_fd: 5}");

	world_script(w, "web", (struct script){.ready_after = EFF_S(2), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(3));

	EXPECT_STATES(w, "web", "0 starting, 2000 up");
	world_free(w);
}
END_TEST

START_TEST(without_a_newline_start_timeout_ends_it)
{
	struct world *w = world_new(
		"web: {command: web, type: notify-fd, start_timeout: 5s, restart: no}");

	world_script(w, "web", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(9));

	EXPECT_STATES(w, "web", "0 starting, 5000 failed");
	ck_assert_str_eq(world_last_exit(w, "web"), "start_timeout SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(an_end_before_the_newline_is_a_failed_start)
{
	struct world *w = world_new("web: {command: web, type: notify-fd, restart: no}");

	world_script(w, "web", (struct script){.ready_after = EFF_S(2), .lives = EFF_S(1)});
	world_run_for(w, EFF_S(9));

	EXPECT_STATES(w, "web", "0 starting, 1000 failed");
	world_free(w);
}
END_TEST

/* The pid that the fake kernel gives the one that its first process leaves. */
#define BACKGROUND 101001
#define FORKING(more) "web: {command: web, type: forking, pid_file: /run/web.pid" more "}"

START_TEST(a_forking_unit_is_up_when_its_file_names_who_goes_on)
{
	struct world *w = world_new(FORKING(""));

	world_script(w, "web", (struct script){.lives = EFF_MS(300), .leaves = EFF_S(10)});
	world_run_for(w, EFF_MS(400));
	EXPECT_STATE(w, "web", "starting");
	os_fake_socket(w->fake, "/run/web.pid", BACKGROUND, 0);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "up");
	ck_assert_int_eq(world_unit(w, "web")->pid, BACKGROUND);
	/* It ends 10 s after the first one did, by itself: with 0. */
	world_run_for(w, EFF_S(9));

	/* Looked at after 10 ms, doubling: at 310, 330, 370, 450 … of which the last one finds it. */
	EXPECT_STATES(w, "web", "0 starting, 450 up, 10300 backoff");
	ck_assert_str_eq(world_last_exit(w, "web"), "exit 0");
	world_free(w);
}
END_TEST

/* Its row is another then, and where the first one stood is something else. */
START_TEST(a_file_is_awaited_through_reloads)
{
	struct world *w = world_new(FORKING(""));

	(void)mallopt(M_PERTURB, 0x55);
	world_script(w, "web", (struct script){.lives = EFF_MS(300), .leaves = EFF_S(10)});
	world_run_for(w, EFF_MS(400));
	world_reload(w, FORKING(", labels: {a: b}"));
	world_reload(w, FORKING(", labels: {a: c}"));
	os_fake_socket(w->fake, "/run/web.pid", BACKGROUND, 0);
	world_run_for(w, EFF_S(1));

	EXPECT_STATES(w, "web", "0 starting, 450 up");
	world_free(w);
}
END_TEST

START_TEST(a_file_that_names_none_of_the_unit_is_not_believed)
{
	static const char *const why[] = {
		"its first line is no pid", "names no process of the unit"};
	struct world *w = world_new(FORKING(", start_timeout: 5s, restart: no"));

	world_script(w, "web", (struct script){.lives = EFF_MS(300), .leaves = EFF_S(100)});
	os_fake_socket(w->fake, "/run/web.pid", _i, 0);
	world_run_for(w, EFF_S(20));

	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_last_exit(w, "web"), "start_timeout 0");
	ck_assert_ptr_nonnull(strstr(world_unit(w, "web")->last_exit->text, why[_i]));
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 0);
	world_free(w);
}
END_TEST

START_TEST(a_forking_unit_that_fails_to_put_anything_into_the_background_has_failed)
{
	struct world *w = world_new(FORKING(", restart: no"));

	world_script(w, "web", (struct script){.lives = EFF_MS(300), .exits = 3});
	world_run_for(w, EFF_S(1));

	EXPECT_STATES(w, "web", "0 starting, 300 failed");
	ck_assert_str_eq(world_last_exit(w, "web"), "exit 3");
	world_free(w);
}
END_TEST

START_TEST(what_a_forking_unit_left_in_the_background_is_stopped_with_it)
{
	struct world *w = world_new(FORKING(""));

	world_script(w, "web", (struct script){.lives = EFF_MS(300), .leaves = EFF_FOREVER});
	os_fake_socket(w->fake, "/run/web.pid", BACKGROUND, 0);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "up");
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "down");
	ck_assert_str_eq(world_last_exit(w, "web"), "stop_requested SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(what_a_probe_counted_is_forgotten_at_each_start)
{
	struct world *w = world_new(
		"live: {command: web, restart: {backoff: {initial: 1s, jitter: 0}},\n"
		"  liveness_probe: {tcp: {port: 80}, period: 1s, failure_threshold: 3}}\n"
		"ready: {command: web, restart: {backoff: {initial: 1s, jitter: 0}},\n"
		"  readiness_probe: {tcp: {port: 81}, period: 2s, success_threshold: 3}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_MS(2500), .exits = 1}, {.lives = EFF_FOREVER});
	os_fake_port(w->fake, 81, 0, 0);
	world_run_for(w, EFF_S(7));

	/* Two have failed when it ends; the next run has three of its own. */
	EXPECT_TRACE(w, "live", "0 spawn, 2500 exit 1, 3500 spawn, 6500 TERM, 6500 SIGTERM");
	EXPECT_STATES(w, "ready", "0 starting, 700 up, 2500 backoff, 3500 starting, 4200 up");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_that_remains_is_up_after_its_clean_end)
{
	struct world *w = world_new(
		"net: {command: net, type: oneshot, remain_after_exit: true,"
		" stop: {command: unnet}}\n"
		"user: {command: user, depends_on: [net]}\n"
		"other: {command: other, depends_on: {net: {condition: completed}}}");

	world_script(w, "net", (struct script){.lives = EFF_S(2)});
	world_script(w, "unnet", (struct script){.helper = true, .lives = EFF_S(1)});
	world_run_for(w, EFF_H(2));
	EXPECT_STATES(w, "net", "0 starting, 2000 up");
	EXPECT_TRACE(w, "user", "2000 spawn");
	EXPECT_TRACE(w, "other", "2000 spawn");
	ck_assert_int_eq(world_unit(w, "net")->pid, 0);
	world_mark(w);
	world_stop(w, "net");
	world_run_for(w, EFF_S(10));

	/* Its dependants first, then its stop command, which takes a second. */
	EXPECT_STATES(w, "net", "0 stopping, 1000 down");
	EXPECT_STATE(w, "user", "waiting");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_that_remains_and_failed_does_not_remain)
{
	struct world *w = world_new(
		"net: {command: net, type: oneshot, remain_after_exit: true, restart: no}");

	world_script(w, "net", (struct script){.lives = EFF_S(2), .exits = 1});
	world_run_for(w, EFF_S(3));

	EXPECT_STATES(w, "net", "0 starting, 2000 failed");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_that_remains_is_up_when_its_probes_pass_too)
{
	struct world *w = world_new(
		"net: {command: net, type: oneshot, remain_after_exit: true, stop: {command: unnet},\n"
		"  startup_probe: {unix: {path: /s}, period: 1s},\n"
		"  readiness_probe: {tcp: {port: 80}, period: 1s, failure_threshold: 1}}\n"
		"user: {command: user, depends_on: [net]}\n"
		"fiber: {fiber: idle, with: {for: 2s}, type: oneshot, remain_after_exit: true,\n"
		"  readiness_probe: {tcp: {port: 80}, period: 1s}}\n"
		"done: {command: net, type: oneshot}");

	world_script(w, "net", (struct script){.lives = EFF_S(2)});
	world_script(w, "unnet", (struct script){.helper = true, .lives = EFF_S(1)});
	world_run_for(w, EFF_S(3));
	EXPECT_STATE(w, "net", "starting");
	EXPECT_STATE(w, "fiber", "starting");
	EXPECT_STATES(w, "done", "0 starting, 2000 done");
	os_fake_socket(w->fake, "/s", 0, 0);
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "net", "starting");
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(5));
	/* The first at 2100, 2300, 2700 and 3500, the second 100, 300, 700 and 1500 ms after that, and a second later. */
	EXPECT_STATES(w, "net", "0 starting, 6000 up");
	EXPECT_STATES(w, "fiber", "0 starting, 5500 up");
	EXPECT_TRACE(w, "user", "6000 spawn");
	os_fake_port(w->fake, 80, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "net", "starting");
	EXPECT_TRACE(w, "user", "6000 spawn");
	ck_assert_uint_eq(world_unit(w, "net")->starts, 1);
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_that_remains_has_no_process_to_give_signs_of_life)
{
	struct world *w = world_new(
		"version: 1\nname: test\ndefaults: {watchdog: 10s, max_runtime: 1m}\nunits:\n"
		"  net: {command: net, type: oneshot, remain_after_exit: true}\n"
		"  fiber: {fiber: idle, with: {for: 2s}, type: oneshot, remain_after_exit: true}\n");

	world_script(w, "net", (struct script){.lives = EFF_S(2), .says = "STOPPING=1"});
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "net", "0 starting, 2000 up");
	EXPECT_STATES(w, "fiber", "0 starting, 2000 up");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_whose_probes_do_not_pass_is_undone)
{
	struct world *w = world_new(
		"a: {command: net, type: oneshot, remain_after_exit: true, stop: {command: unnet},\n"
		"  start_timeout: 10s, restart: no, readiness_probe: {tcp: {port: 80}, period: 1s}}\n"
		"b: {command: net, type: oneshot, remain_after_exit: true, stop: {command: unnet},\n"
		"  readiness_probe: {tcp: {port: 80}, period: 1s}}");

	world_script(w, "net", (struct script){.lives = EFF_S(2)});
	world_script(w, "unnet", (struct script){.helper = true, .lives = EFF_S(1)});
	world_run_for(w, EFF_S(5));
	world_stop(w, "b");
	world_run_for(w, EFF_H(1));

	EXPECT_STATES(w, "a", "0 starting, 10000 stopping, 11000 failed");
	ck_assert_str_eq(world_last_exit(w, "a"), "start_timeout 0");
	EXPECT_STATES(w, "b", "0 starting, 5000 stopping, 6000 down");
	world_free(w);
}
END_TEST

START_TEST(what_is_only_outside_is_up_while_its_probe_passes)
{
	struct world *w = world_new("db: {readiness_probe: {tcp: {port: 5432}, period: 1s},"
				    " start_timeout: infinity}\n"
				    "user: {command: user, depends_on: [db]}");

	world_run_for(w, EFF_S(60));
	EXPECT_STATE(w, "db", "starting");
	EXPECT_STATE(w, "user", "waiting");
	os_fake_port(w->fake, 5432, 0, 0);
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "db", "up");
	EXPECT_STATE(w, "user", "up");
	os_fake_port(w->fake, 5432, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(5));

	EXPECT_STATE(w, "db", "starting");
	EXPECT_STATE(w, "user", "up");
	ck_assert_uint_eq(os_fake_live(w->fake, "db"), 0);
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/ready");
	TCase *tcase = tcase_create("ready");

	tcase_add_test(tcase, a_notify_unit_is_up_when_it_says_so);
	tcase_add_test(tcase, a_status_text_is_of_the_present_run);
	tcase_add_test(tcase, what_has_ended_says_nothing_any_more);
	tcase_add_test(tcase, start_timeout_ends_a_unit_that_never_becomes_ready);
	tcase_add_test(tcase, the_default_start_timeout_is_ninety_seconds);
	tcase_add_test(tcase, a_unit_may_ask_for_more_time_to_start);
	tcase_add_test(tcase, more_time_is_never_less);
	tcase_add_test(tcase, a_start_that_took_too_long_has_failed_even_if_it_ends_well);
	tcase_add_test(tcase, a_newline_on_its_descriptor_makes_a_unit_up);
	tcase_add_test(tcase, without_a_newline_start_timeout_ends_it);
	tcase_add_test(tcase, an_end_before_the_newline_is_a_failed_start);
	tcase_add_test(tcase, a_forking_unit_is_up_when_its_file_names_who_goes_on);
	tcase_add_test(tcase, a_file_is_awaited_through_reloads);
	tcase_add_loop_test(tcase, a_file_that_names_none_of_the_unit_is_not_believed, 0, 2);
	tcase_add_test(tcase,
		a_forking_unit_that_fails_to_put_anything_into_the_background_has_failed);
	tcase_add_test(tcase, what_a_forking_unit_left_in_the_background_is_stopped_with_it);
	tcase_add_test(tcase, what_a_probe_counted_is_forgotten_at_each_start);
	tcase_add_test(tcase, a_oneshot_that_remains_is_up_after_its_clean_end);
	tcase_add_test(tcase, a_oneshot_that_remains_and_failed_does_not_remain);
	tcase_add_test(tcase, a_oneshot_that_remains_is_up_when_its_probes_pass_too);
	tcase_add_test(tcase, a_oneshot_that_remains_has_no_process_to_give_signs_of_life);
	tcase_add_test(tcase, a_oneshot_whose_probes_do_not_pass_is_undone);
	tcase_add_test(tcase, what_is_only_outside_is_up_while_its_probe_passes);
	suite_add_tcase(suite, tcase);
	return suite;
}
