/* SPDX-License-Identifier: MIT */
/* Probes whose command the kernel does not let go of. */
#include <check.h>

#include "fake/world.h"

/* What the kernel does not let go of takes its time, and the unit does not wait for it: only the end of its run does. */
static struct world *world_with_stuck_probe(const char *units)
{
	struct world *w = world_new(units);

	world_script(w, "hang",
		(struct script){.lives = EFF_FOREVER, .unkillable_for = EFF_S(3), .helper = true});
	return w;
}

START_TEST(a_probe_that_cannot_be_killed_holds_up_no_stop)
{
	struct world *w = world_with_stuck_probe(
		"web: {command: web, liveness_probe: "
		"{exec: {command: hang}, period: 1s, timeout: 1s}}");

	world_run_for(w, EFF_MS(1500));
	world_stop(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 1500 TERM, 1500 SIGTERM");
	EXPECT_STATES(w, "web", "0 up, 1500 stopping, 4500 down");
	world_free(w);
}
END_TEST

START_TEST(nor_one_that_still_starts)
{
	struct world *w = world_with_stuck_probe(
		"web: {command: web, startup_probe: "
		"{exec: {command: hang}, period: 1h, initial_delay: 1s, timeout: 1h}}");

	world_run_for(w, EFF_MS(1500));
	world_stop(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 1500 TERM, 1500 SIGTERM");
	EXPECT_STATES(w, "web", "0 starting, 1500 stopping, 4500 down");
	world_free(w);
}
END_TEST

START_TEST(nor_does_one_whose_time_was_up_before)
{
	struct world *w = world_with_stuck_probe(
		"web: {command: web, liveness_probe: "
		"{exec: {command: hang}, period: 1s, timeout: 500ms}}");

	world_run_for(w, EFF_MS(2000));
	world_stop(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 2000 TERM, 2000 SIGTERM");
	EXPECT_STATES(w, "web", "0 up, 2000 stopping, 4500 down");
	world_free(w);
}
END_TEST

START_TEST(one_that_has_ended_is_not_up_while_its_probe_cannot_be_killed)
{
	struct world *w = world_with_stuck_probe(
		"web: {command: web, liveness_probe: {exec: {command: hang}, period: 1s, timeout: 1s}}\n"
		"tail: {command: tail, depends_on: {web: {bind: true}}}");

	world_script(w, "web", (struct script){.lives = EFF_MS(1500), .exits = 1});
	world_run_for(w, EFF_S(4));

	EXPECT_STATES(w, "web", "0 up, 1500 stopping");
	EXPECT_TRACE(w, "tail", "0 spawn, 1500 TERM, 1500 SIGTERM");
	world_run_for(w, EFF_MS(600));
	EXPECT_STATES(w, "web", "0 up, 1500 stopping, 4500 backoff");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/probe_stuck");
	TCase *tcase = tcase_create("probe_stuck");

	tcase_add_test(tcase, a_probe_that_cannot_be_killed_holds_up_no_stop);
	tcase_add_test(tcase, nor_one_that_still_starts);
	tcase_add_test(tcase, nor_does_one_whose_time_was_up_before);
	tcase_add_test(tcase, one_that_has_ended_is_not_up_while_its_probe_cannot_be_killed);
	suite_add_tcase(suite, tcase);
	return suite;
}
