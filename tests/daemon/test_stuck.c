/* SPDX-License-Identifier: MIT */
/* What cannot be killed, within groups: the group that it is in goes on to be stopping with it, and neither of them holds up
 * anybody else. */
#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
/* It is asked at `t`, killed a second later, and told to be stuck five seconds after that. */
#define STUCK \
	((struct script){.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(100)})
#define STUCK_UNIT "{command: stuck, stop: {timeout: 1s}}"

static struct world *stuck_world(const char *units)
{
	struct world *w = world_new(units);

	WORLD_SCRIPTS(w, "stuck", STUCK, STEADY);
	WORLD_SCRIPTS(w, "crash", {.lives = EFF_S(1), .exits = 1}, STEADY);
	world_run_for(w, EFF_S(1));
	return w;
}

START_TEST(what_a_group_with_it_requires_is_stopped_all_the_same)
{
	struct world *w = stuck_world("db: {command: db}\n"
				      "g: {depends_on: [db], units: {h: {units: {x: " STUCK_UNIT
				      "}}, y: {command: y}}}");

	world_stop(w, "db");
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "db", "0 spawn, 7000 TERM, 7000 SIGTERM");
	EXPECT_STATE(w, "db", "down");
	EXPECT_TRACE(w, "g/y", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_STATE(w, "g/h/x", "stopping");
	EXPECT_STATE(w, "g/h", "stopping");
	EXPECT_STATE(w, "g", "stopping");
	ck_assert(world_unit(w, "g/h/x")->stuck);
	ck_assert(world_unit(w, "g/h")->stuck);
	ck_assert(world_unit(w, "g")->stuck);
	/* One process is told of, once. */
	ck_assert_ptr_nonnull(world_said(w, "g/h/x", "stuck"));
	ck_assert_ptr_null(world_said(w, "g", "stuck"));
	world_start(w, "db");
	world_run_for(w, EFF_S(100));

	/* It starts again when all of it is gone, and is like any other then. */
	EXPECT_TRACE(w, "db", "0 spawn, 7000 TERM, 7000 SIGTERM, 21000 spawn");
	EXPECT_TRACE(w, "g/h/x", "0 spawn, 1000 TERM, 2000 KILL, 102000 SIGKILL, 102000 spawn");
	EXPECT_TRACE(w, "g/y", "0 spawn, 1000 TERM, 1000 SIGTERM, 102000 spawn");
	ck_assert(!world_unit(w, "g/h/x")->stuck && !world_unit(w, "g/h")->stuck &&
		!world_unit(w, "g")->stuck);
	world_free(w);
}
END_TEST

START_TEST(those_before_a_group_with_it_in_a_sequence_are_stopped_all_the_same)
{
	struct world *w = stuck_world(
		"version: 1\nname: test\nstart_order: sequential\nunits:\n  a: {command: a}\n"
		"  g: {start_order: sequential, units: {y: {command: y}, x: " STUCK_UNIT "}}\n"
		"  z: {command: z}\n");

	world_shutdown(w, false);
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "z", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_TRACE(w, "g/y", "0 spawn, 7000 TERM, 7000 SIGTERM");
	EXPECT_TRACE(w, "a", "0 spawn, 7000 TERM, 7000 SIGTERM");
	ck_assert(!w->ended);
	world_run_for(w, EFF_S(100));
	ck_assert(w->ended);
	world_free(w);
}
END_TEST

START_TEST(one_that_still_ends_well_is_waited_for)
{
	struct world *w = stuck_world("db: {command: db}\n"
				      "g: {depends_on: [db], units: {x: " STUCK_UNIT
				      ", y: {command: slow, stop: {timeout: 1m}}}}");

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(20)});
	world_stop(w, "g");
	world_run_for(w, EFF_S(60));
	world_script(w, "stuck", STUCK);
	world_start(w, "g");
	world_run_for(w, EFF_S(60));
	world_restart(w, "g/x");
	world_run_for(w, EFF_S(10));
	/* Its child is stuck, and it is up: that is no hindrance to its stop, and no reason to let the others go first. */
	ck_assert(world_unit(w, "g/x")->stuck);
	ck_assert(!world_unit(w, "g")->stuck);
	world_mark(w);
	world_stop(w, "db");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "g/y", "0 TERM, 20000 SIGTERM");
	EXPECT_TRACE(w, "db", "20000 TERM, 20000 SIGTERM");
	world_run_for(w, EFF_S(100));
	EXPECT_STATE(w, "g", "waiting");
	world_free(w);
}
END_TEST

START_TEST(a_round_with_a_group_with_it_goes_on)
{
	struct world *w = stuck_world(
		"version: 1\nname: test\nstrategy: one_for_all\n"
		"defaults: {restart: {backoff: {initial: 1s, jitter: 0}}}\nunits:\n  a: {command: crash}\n"
		"  g: {units: {x: " STUCK_UNIT "}}\n  c: {command: c}\n");

	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "a", "0 spawn, 1000 exit 1, 8000 spawn");
	EXPECT_TRACE(w, "c", "0 spawn, 1000 TERM, 1000 SIGTERM, 8000 spawn");
	EXPECT_STATE(w, "g", "stopping");
	EXPECT_STATE(w, "/", "starting");
	world_run_for(w, EFF_S(60));
	EXPECT_TRACE(w, "g/x", "0 spawn, 1000 TERM, 2000 KILL, 102000 SIGKILL, 102000 spawn");
	EXPECT_STATES(w, "g", "0 up, 1000 stopping, 102000 up");
	EXPECT_STATES(w, "/", "0 up, 1000 starting, 102000 up");
	world_free(w);
}
END_TEST

START_TEST(one_that_gave_up_with_it_holds_up_nobody_but_its_own)
{
	struct world *w = stuck_world(
		"db: {command: db}\n"
		"g: {depends_on: [db], intensity: {max_restarts: 0, period: 1m},\n"
		"  restart: {backoff: {initial: 1s, jitter: 0}}, units: {a: {command: crash}, x: " STUCK_UNIT
		"}}");

	world_run_for(w, EFF_S(9));
	EXPECT_STATE(w, "g", "stopping");
	world_stop(w, "db");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "db", "0 spawn, 10000 TERM, 10000 SIGTERM");
	world_start(w, "db");
	world_run_for(w, EFF_S(120));

	/* Never two runs of one unit: its delay, and then its children, begin when the last of them has gone. */
	EXPECT_TRACE(w, "g/a", "0 spawn, 1000 exit 1, 103000 spawn");
	EXPECT_STATES(w, "g", "0 up, 1000 stopping, 102000 backoff, 103000 up");
	world_free(w);
}
END_TEST

/* It names those that come after it, and they do not name it: so they may go before it. */
#define GONE_GROUP "g: {before: [d, w], units: {x: " STUCK_UNIT "}}\n"
#define SLOW_UNIT "d: {command: slow, stop: {timeout: 1m}}\n"

START_TEST(one_that_was_taken_out_and_waits_does_not_look_at_those_that_are_gone)
{
	struct world *w = stuck_world(GONE_GROUP SLOW_UNIT "w: {command: w}\n");

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(30)});
	world_restart(w, "d");
	world_restart(w, "g/x");
	world_run_for(w, EFF_S(10));
	ck_assert(world_unit(w, "g/x")->stuck);
	world_stop(w, "d");
	world_run_for(w, EFF_S(1));
	world_mark(w);
	world_reload(w, SLOW_UNIT "w: {command: w}\n");
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_reload(w, SLOW_UNIT);
	world_run_for(w, EFF_S(200));

	EXPECT_TRACE(w, "w", "1000 TERM, 1000 SIGTERM");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/stuck");
	TCase *tcase = tcase_create("stuck");

	tcase_add_test(tcase, what_a_group_with_it_requires_is_stopped_all_the_same);
	tcase_add_test(tcase, those_before_a_group_with_it_in_a_sequence_are_stopped_all_the_same);
	tcase_add_test(tcase, one_that_still_ends_well_is_waited_for);
	tcase_add_test(tcase, a_round_with_a_group_with_it_goes_on);
	tcase_add_test(tcase, one_that_gave_up_with_it_holds_up_nobody_but_its_own);
	tcase_add_test(tcase, one_that_was_taken_out_and_waits_does_not_look_at_those_that_are_gone);
	suite_add_tcase(suite, tcase);
	return suite;
}
