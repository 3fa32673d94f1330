/* SPDX-License-Identifier: MIT */
/* When a unit is up by its own word: notifications, and the time that a start may take. */
#include <errno.h>
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

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/ready");
	TCase *tcase = tcase_create("ready");

	tcase_add_test(tcase, a_notify_unit_is_up_when_it_says_so);
	tcase_add_test(tcase, a_status_text_is_of_the_present_run);
	tcase_add_test(tcase, start_timeout_ends_a_unit_that_never_becomes_ready);
	tcase_add_test(tcase, the_default_start_timeout_is_ninety_seconds);
	tcase_add_test(tcase, a_unit_may_ask_for_more_time_to_start);
	suite_add_tcase(suite, tcase);
	return suite;
}
