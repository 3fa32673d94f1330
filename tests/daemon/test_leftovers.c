/* SPDX-License-Identifier: MIT */
/* What a stop or an end leaves: grandchildren, what cannot be killed, and who is told of it. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})

/* Whatever it was doing: it is down, nothing of it is there, and nothing comes later. */
static void expect_down_for_good(struct world *w, const char *unit)
{
	size_t n = world_spawns(w, unit);

	EXPECT_STATE(w, unit, "down");
	ck_assert_uint_eq(os_fake_live(w->fake, unit), 0);
	world_run_for(w, EFF_H(24));
	EXPECT_STATE(w, unit, "down");
	ck_assert_uint_eq(world_spawns(w, unit), n);
	ck_assert_int_eq(world_unit(w, unit)->pid, 0);
}

START_TEST(a_unit_stopped_while_it_ends_what_its_main_process_left_is_down)
{
	struct world *w = world_new("web: {command: web}");

	world_script(w, "web",
		(struct script){.lives = EFF_S(1),
			.exits = 1,
			.leaves = EFF_FOREVER,
			.left_ignores_term = true});
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "web", "stopping");
	world_stop(w, "web");
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 exit 1, 1000 TERM, 11000 KILL, 11000 gone");
	expect_down_for_good(w, "web");
	world_free(w);
}
END_TEST

START_TEST(what_cannot_be_killed_is_told_and_not_started_again_before_it_is_gone)
{
	struct world *w = world_new("web: {command: web, stop: {timeout: 2s}}");

	world_script(w, "web",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(60)});
	world_run_for(w, EFF_S(1));
	world_restart(w, "web");
	world_run_for(w, EFF_MS(6999));
	ck_assert(!world_unit(w, "web")->stuck);
	world_run_for(w, EFF_MS(1));
	ck_assert(world_unit(w, "web")->stuck);
	ck_assert_ptr_nonnull(world_said(w, "web", "stuck"));
	ck_assert_ptr_nonnull(strstr(world_said(w, "web", "stuck"), "1001"));
	EXPECT_STATE(w, "web", "stopping");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 3000 KILL, 63000 SIGKILL, 63000 spawn");
	ck_assert(!world_unit(w, "web")->stuck);
	world_script(w, "web", STEADY);
	world_stop(w, "web");
	world_run_for(w, EFF_S(100));
	world_free(w);
}
END_TEST

START_TEST(what_cannot_be_killed_holds_up_nobody_else)
{
	struct world *w = world_new(
		"db: {command: db}\nweb: {command: web, depends_on: [db], stop: {timeout: 2s}}");

	world_script(w, "web",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(600)});
	world_run_for(w, EFF_S(1));
	world_stop(w, "db");
	world_run_for(w, EFF_S(20));

	/* Two seconds of grace, five until it is stuck: then db goes. */
	EXPECT_TRACE(w, "db", "0 spawn, 8000 TERM, 8000 SIGTERM");
	EXPECT_STATE(w, "db", "down");
	EXPECT_STATE(w, "web", "stopping");
	world_run_for(w, EFF_S(600));
	world_free(w);
}
END_TEST

START_TEST(what_a_main_process_leaves_is_ended_before_any_delay)
{
	struct world *w = world_new(
		"soft: {command: soft, restart: {backoff: {jitter: 0}}}\n"
		"hard: {command: hard, restart: {backoff: {jitter: 0}}, stop: {timeout: 4s}}\n"
		"mixed: {command: hard, restart: {backoff: {jitter: 0}}, stop: {mode: mixed}}\n"
		"bound: {command: bound, depends_on: {hard: {bind: true}}}");

	WORLD_SCRIPTS(w, "soft", {.lives = EFF_S(1), .exits = 1, .leaves = EFF_FOREVER}, STEADY);
	WORLD_SCRIPTS(w, "hard",
		{.lives = EFF_S(1), .exits = 1, .leaves = EFF_FOREVER, .left_ignores_term = true},
		STEADY);
	world_run_for(w, EFF_S(2));
	/* Nobody ended it: why it stops is how it ended, and so it is for who is bound to it. */
	EXPECT_STATE(w, "hard", "stopping");
	ck_assert_str_eq(world_cause(w, "hard"), "exit 1");
	ck_assert_str_eq(world_cause(w, "bound"), "dependency");
	ck_assert_str_eq(world_last_exit(w, "bound"), "dependency SIGTERM < exit 1");
	world_run_for(w, EFF_S(58));

	EXPECT_TRACE(w, "soft", "0 spawn, 1000 exit 1, 1000 TERM, 1500 spawn");
	EXPECT_TRACE(w, "hard", "0 spawn, 1000 exit 1, 1000 TERM, 5000 KILL, 5000 gone, 5500 spawn");
	/* With mixed the first signal is for the main process alone, and that one has gone. */
	EXPECT_TRACE(w, "mixed", "0 spawn, 1000 exit 1, 1000 KILL, 1500 spawn");
	ck_assert_str_eq(world_last_exit(w, "hard"), "exit 1");
	world_free(w);
}
END_TEST

START_TEST(a_stop_waits_for_what_the_main_process_leaves)
{
	struct world *w = world_new(
		"group: {command: web, stop: {mode: group}}\nmixed: {command: web, stop: {mode: mixed}}\n"
		"hard: {command: hard, stop: {mode: group, timeout: 3s}}");

	world_script(w, "web",
		(struct script){
			.lives = EFF_FOREVER, .leaves = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_script(w, "hard",
		(struct script){
			.lives = EFF_FOREVER, .leaves = EFF_FOREVER, .left_ignores_term = true});
	world_run_for(w, EFF_S(1));
	world_stop(w, "group");
	world_stop(w, "mixed");
	world_stop(w, "hard");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "group", "0 spawn, 1000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "mixed", "0 spawn, 1000 TERM@main, 2000 SIGTERM, 11000 KILL, 11000 gone");
	EXPECT_TRACE(w, "hard", "0 spawn, 1000 TERM, 1000 SIGTERM, 4000 KILL, 4000 gone");
	world_free(w);
}
END_TEST

START_TEST(mode_process_leaves_the_rest_and_tells_whom)
{
	struct world *w = world_new("web: {command: web, stop: {mode: process, timeout: 2s}}");

	world_script(w, "web",
		(struct script){.lives = EFF_FOREVER, .leaves = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM@main, 3000 KILL@main, 3000 SIGKILL");
	EXPECT_STATE(w, "web", "down");
	ck_assert_ptr_nonnull(world_said(w, "web", "left_behind"));
	ck_assert_ptr_nonnull(strstr(world_said(w, "web", "left_behind"), "101001"));
	os_fake_sweep(w->fake);
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/leftovers");
	TCase *tcase = tcase_create("leftovers");

	tcase_add_test(tcase, a_unit_stopped_while_it_ends_what_its_main_process_left_is_down);
	tcase_add_test(tcase, what_cannot_be_killed_is_told_and_not_started_again_before_it_is_gone);
	tcase_add_test(tcase, what_cannot_be_killed_holds_up_nobody_else);
	tcase_add_test(tcase, what_a_main_process_leaves_is_ended_before_any_delay);
	tcase_add_test(tcase, a_stop_waits_for_what_the_main_process_leaves);
	tcase_add_test(tcase, mode_process_leaves_the_rest_and_tells_whom);
	suite_add_tcase(suite, tcase);
	return suite;
}
