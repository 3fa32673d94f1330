/* SPDX-License-Identifier: MIT */
/* The wish: what an operator, a dependant and the plan make of it. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})

START_TEST(an_operators_stop_is_sticky)
{
	struct world *w = world_new("db: {command: db, restart: {backoff: {jitter: 0}}}\n"
				    "web: {command: web, depends_on: {db: {restart: true}}}\n"
				    "app: {command: app, depends_on: [web]}");

	WORLD_SCRIPTS(w, "db", {.lives = EFF_S(5), .exits = 1}, STEADY);
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));
	/* No restart edge, no dependant and no reset brings it back. */
	world_run_for(w, EFF_S(60));
	world_reset(w, "web");
	world_restart(w, "db");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_STATE(w, "web", "down");
	EXPECT_STATE(w, "app", "waiting");
	ck_assert(world_unit(w, "web")->held);
	world_free(w);
}
END_TEST

static void note_lifted(void *context, struct unit *lifted)
{
	text_printf(context, "%s ", lifted->name);
}

START_TEST(a_start_is_a_start_of_all_that_is_required_and_lifts_their_stops)
{
	struct world *w = world_new("db: {command: db}\nweb: {command: web, depends_on: [db]}\n"
				    "app: {command: app, depends_on: [web]}");
	struct text lifted = {0};

	world_run_for(w, EFF_S(1));
	world_stop(w, "db");
	world_stop(w, "app");
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(tree_start(w->tree, world_unit(w, "app"), NULL,
				 &(struct tree_told){.lifted = note_lifted, .context = &lifted}),
		0);
	world_run_for(w, EFF_S(1));

	ck_assert_ptr_nonnull(strstr(lifted.bytes, "db "));
	ck_assert_ptr_nonnull(strstr(lifted.bytes, "app "));
	ck_assert_ptr_null(strstr(lifted.bytes, "web "));
	EXPECT_STATE(w, "db", "up");
	EXPECT_STATE(w, "app", "up");
	text_done(&lifted);
	world_free(w);
}
END_TEST

START_TEST(a_disabled_unit_is_listed_and_never_started_not_even_by_hand)
{
	struct world *w = world_new(
		"off: {command: off, enabled: false}\nweb: {command: web, depends_on: {off: {required: false}}}\n"
		"g:\n  enabled: false\n  units:\n    x: {command: x}");
	struct tree_told told = {0};

	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(tree_start(w->tree, world_unit(w, "off"), NULL, &told), -EPERM);
	ck_assert_ptr_eq(told.blocker, world_unit(w, "off"));
	/* One that only asks for it runs without. */
	ck_assert_int_eq(tree_start(w->tree, world_unit(w, "web"), NULL, NULL), 0);
	ck_assert_int_eq(tree_start(w->tree, world_unit(w, "g/x"), NULL, NULL), -EPERM);
	(void)tree_restart(w->tree, world_unit(w, "off"), NULL, false, NULL);
	(void)tree_reset(w->tree, world_unit(w, "off"), NULL);
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "off", "");
	EXPECT_TRACE(w, "web", "0 spawn");
	EXPECT_TRACE(w, "g/x", "");
	EXPECT_STATE(w, "off", "down");
	world_free(w);
}
END_TEST

START_TEST(a_manual_unit_runs_for_those_that_require_it_and_stops_with_the_last)
{
	struct world *w = world_new("hand: {command: hand, activate: manual}\n"
				    "a: {command: a, depends_on: [hand], activate: manual}\n"
				    "b: {command: b, depends_on: [hand], activate: manual}");

	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "hand", "");
	world_start(w, "a");
	world_start(w, "b");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "hand", "up");
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "hand", "up");
	world_stop(w, "b");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "hand", "1000 spawn, 3000 TERM, 3000 SIGTERM");
	EXPECT_STATE(w, "hand", "down");
	world_free(w);
}
END_TEST

START_TEST(a_manual_unit_that_an_operator_started_stays)
{
	struct world *w = world_new(
		"hand: {command: hand, activate: manual}\na: {command: a, depends_on: [hand]}\n"
		"boot: {command: boot}\nb: {command: b, depends_on: [boot]}");

	world_run_for(w, EFF_S(1));
	world_start(w, "hand");
	world_run_for(w, EFF_S(1));
	world_stop(w, "a");
	world_stop(w, "b");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "hand", "0 spawn");
	EXPECT_TRACE(w, "boot", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_manual_unit_that_is_required_from_outside_runs_again_with_its_group)
{
	struct world *w = world_new("app: {command: app, depends_on: [g/helper]}\n"
				    "g:\n"
				    "  restart: {backoff: {initial: 1s, jitter: 0}}\n"
				    "  units:\n"
				    "    main: {command: main, critical: true, restart: no}\n"
				    "    helper: {command: helper, activate: manual}");

	WORLD_SCRIPTS(w, "main", {.lives = EFF_S(5), .exits = 1}, STEADY);
	world_run_for(w, EFF_S(60));

	EXPECT_STATE(w, "g", "up");
	EXPECT_TRACE(w, "g/helper", "0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn");
	world_stop(w, "app");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "g/helper", "down");
	world_free(w);
}
END_TEST

/* Its children go and come with a group, and so does what only they need. */
START_TEST(a_manual_unit_stops_with_the_last_group_in_which_it_is_required)
{
	struct world *w = world_new(
		"deep: {command: deep, activate: manual}\nm: {command: m, activate: manual, depends_on: [deep]}\n"
		"g: {units: {h: {units: {d: {command: slow, depends_on: [m]}}}}}\n"
		"k: {units: {e: {command: e, depends_on: [m]}}}\n"
		"c: {command: c, activate: manual, conflicts: [g]}");

	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	world_stop(w, "k");
	world_run_for(w, EFF_S(9));
	EXPECT_TRACE(w, "m", "0 spawn");
	world_stop(w, "g");
	world_run_for(w, EFF_S(10));
	EXPECT_TRACE(w, "m", "0 spawn, 12000 TERM, 12000 SIGTERM");
	EXPECT_TRACE(w, "deep", "0 spawn, 12000 TERM, 12000 SIGTERM");
	ck_assert_str_eq(world_cause(w, "m"), "dependency SIGTERM < stop_requested");
	world_mark(w);
	world_start(w, "k");
	world_run_for(w, EFF_S(10));
	EXPECT_TRACE(w, "m", "0 spawn");
	EXPECT_TRACE(w, "k/e", "0 spawn");
	world_start(w, "g");
	world_stop(w, "k");
	world_run_for(w, EFF_S(10));
	EXPECT_TRACE(w, "m", "0 spawn");
	/* What makes way makes way with all that is there for it. */
	world_start(w, "c");
	world_run_for(w, EFF_S(10));
	EXPECT_TRACE(w, "m", "0 spawn, 22000 TERM, 22000 SIGTERM");
	world_free(w);
}
END_TEST

/* A wish that only a hand had for what is in a group ends with the group's run. */
START_TEST(a_manual_unit_stops_when_the_one_that_requires_it_does_not_come_back_with_its_group)
{
	struct world *w = world_new(
		"hand: {command: hand, activate: manual}\nother: {command: other, activate: manual}\n"
		"g: {units: {a: {command: a, activate: manual, depends_on: [hand]}}}\n"
		"f:\n  restart: no\n  units:\n"
		"    b: {command: b, activate: manual, depends_on: [other]}\n"
		"    main: {command: main, critical: true, restart: no}\n");

	world_script(w, "main", (struct script){.lives = EFF_S(5), .exits = 1});
	world_start(w, "g/a");
	world_start(w, "f/b");
	world_run_for(w, EFF_S(2));
	world_restart(w, "g");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "g/a", "0 spawn, 2000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "hand", "0 spawn, 2000 TERM, 2000 SIGTERM");
	EXPECT_STATE(w, "hand", "down");
	EXPECT_STATE(w, "f", "failed");
	EXPECT_TRACE(w, "other", "0 spawn, 5000 TERM, 5000 SIGTERM");
	EXPECT_STATE(w, "other", "down");
	world_free(w);
}
END_TEST

START_TEST(a_manual_unit_stays_while_the_one_that_requires_it_merely_failed)
{
	struct world *w = world_new(
		"hand: {command: hand, activate: manual}\na: {command: a, depends_on: [hand], restart: no}");

	world_script(w, "a", (struct script){.lives = EFF_S(1), .exits = 1});
	world_run_for(w, EFF_H(1));

	/* An end never changes a wish. */
	EXPECT_STATE(w, "a", "failed");
	EXPECT_TRACE(w, "hand", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_stop_now_gives_no_time_to_what_requires_it_either)
{
	struct world *w = world_new(
		"db: {command: db}\n"
		"web: {command: web, depends_on: [db], stop: {timeout: 1m}}\n"
		"g: {depends_on: [web], units: {a: {command: web, stop: {timeout: 1m}}}}");

	world_script(w, "db", (struct script){.lives = EFF_FOREVER});
	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	world_stop_now(w, "db");
	world_run_for(w, EFF_S(9));
	EXPECT_TRACE(w, "g/a", "0 spawn, 1000 KILL, 1000 SIGKILL");
	EXPECT_TRACE(w, "web", "0 spawn, 1000 KILL, 1000 SIGKILL");
	EXPECT_STATE(w, "web", "waiting");
	EXPECT_STATE(w, "db", "down");
	/* What was asked to end before is asked no longer. */
	world_start(w, "db");
	world_run_for(w, EFF_S(1));
	world_stop(w, "db");
	world_run_for(w, EFF_S(4));
	EXPECT_STATE(w, "db", "up");
	world_stop_now(w, "db");
	world_run_for(w, EFF_S(5));

	EXPECT_STATE(w, "web", "waiting");
	EXPECT_STATE(w, "db", "down");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/wish");
	TCase *tcase = tcase_create("wish");

	tcase_add_test(tcase, a_start_is_a_start_of_all_that_is_required_and_lifts_their_stops);
	tcase_add_test(tcase, an_operators_stop_is_sticky);
	tcase_add_test(tcase, a_disabled_unit_is_listed_and_never_started_not_even_by_hand);
	tcase_add_test(tcase, a_manual_unit_runs_for_those_that_require_it_and_stops_with_the_last);
	tcase_add_test(tcase, a_manual_unit_that_an_operator_started_stays);
	tcase_add_test(tcase, a_manual_unit_that_is_required_from_outside_runs_again_with_its_group);
	tcase_add_test(tcase, a_manual_unit_stops_with_the_last_group_in_which_it_is_required);
	tcase_add_test(tcase,
		a_manual_unit_stops_when_the_one_that_requires_it_does_not_come_back_with_its_group);
	tcase_add_test(tcase, a_manual_unit_stays_while_the_one_that_requires_it_merely_failed);
	tcase_add_test(tcase, a_stop_now_gives_no_time_to_what_requires_it_either);
	suite_add_tcase(suite, tcase);
	return suite;
}
