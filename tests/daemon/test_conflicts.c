/* SPDX-License-Identifier: MIT */
/* Units that never run beside each other. */
#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})

START_TEST(a_start_by_hand_stops_what_conflicts_first)
{
	struct world *w = world_new("old: {command: old}\n"
				    "user: {command: user, depends_on: [old]}\n"
				    "new: {command: new, activate: manual, conflicts: [old]}");

	world_script(w, "old", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_script(w, "user", STEADY);
	world_script(w, "new", STEADY);
	world_run_for(w, EFF_S(1));
	world_mark(w);
	world_start(w, "new");
	world_run_for(w, EFF_S(5));

	EXPECT_TRACE(w, "user", "0 TERM, 0 SIGTERM");
	EXPECT_TRACE(w, "old", "0 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "new", "2000 spawn");
	EXPECT_STATE(w, "old", "down");
	EXPECT_STATE(w, "user", "waiting");
	ck_assert(!world_unit(w, "old")->wanted);
	ck_assert_str_eq(world_cause(w, "old"), "stop_requested SIGTERM");
	ck_assert_str_eq(world_unit(w, "old")->cause->text, "conflicts with new, which was started");
	world_free(w);
}
END_TEST

START_TEST(it_is_mutual_whoever_said_it)
{
	struct world *w = world_new("old: {command: old}\n"
				    "new: {command: new, activate: manual, conflicts: [old]}");

	world_script(w, "old", STEADY);
	world_script(w, "new", STEADY);
	world_run_for(w, EFF_S(1));
	world_start(w, "new");
	world_run_for(w, EFF_S(1));
	world_start(w, "old");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "old", "up");
	EXPECT_STATE(w, "new", "down");
	world_free(w);
}
END_TEST

START_TEST(what_a_start_requires_makes_others_give_way_too)
{
	struct world *w = world_new("old: {command: old}\n"
				    "new: {command: new, activate: manual, conflicts: [old]}\n"
				    "app: {command: app, activate: manual, depends_on: [new]}");

	world_run_for(w, EFF_S(1));
	world_start(w, "app");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "old", "down");
	EXPECT_STATE(w, "new", "up");
	EXPECT_STATE(w, "app", "up");
	world_free(w);
}
END_TEST

START_TEST(one_that_gave_way_is_not_held)
{
	struct world *w = world_new("old: {command: old}\n"
				    "new: {command: new, activate: manual, conflicts: [old]}\n"
				    "user: {command: user, activate: manual, depends_on: [old]}");

	world_run_for(w, EFF_S(1));
	world_start(w, "new");
	world_run_for(w, EFF_S(1));
	ck_assert(!world_unit(w, "old")->held);
	world_stop(w, "new");
	world_start(w, "user");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "old", "up");
	EXPECT_STATE(w, "user", "up");
	world_free(w);
}
END_TEST

/* It was made unwanted, and nothing has been asked for since. */
START_TEST(a_reload_of_another_brings_nobody_back_that_gave_way)
{
#define CONFLICT \
	"old: {command: old}\nnew: {command: new, activate: manual, conflicts: [old]}\n" \
	"user: {command: user, depends_on: [old]}\n"
	struct world *w = world_new(CONFLICT);

	world_run_for(w, EFF_S(1));
	world_start(w, "new");
	world_run_for(w, EFF_S(1));
	world_reload(w, CONFLICT "more: {command: more}");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_changes(w), "more start");
	EXPECT_STATE(w, "old", "down");
	world_stop(w, "new");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "old", "down");
	EXPECT_STATE(w, "user", "waiting");
	world_start(w, "user");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "old", "0 spawn, 1000 TERM, 1000 SIGTERM, 4000 spawn");
	EXPECT_STATE(w, "user", "up");
	world_free(w);
}
END_TEST

START_TEST(one_in_backoff_gives_way_as_well)
{
	struct world *w = world_new("old: {command: old, restart: {backoff: {initial: 1h, max: 2h}}}\n"
				    "new: {command: new, activate: manual, conflicts: [old]}");

	world_script(w, "old", (struct script){.lives = EFF_S(1), .exits = 1});
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "old", "backoff");
	world_start(w, "new");
	world_run_for(w, EFF_H(5));

	EXPECT_STATE(w, "old", "down");
	EXPECT_STATE(w, "new", "up");
	ck_assert_uint_eq(world_spawns(w, "old"), 1);
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/conflicts");
	TCase *tcase = tcase_create("conflicts");

	tcase_add_test(tcase, a_start_by_hand_stops_what_conflicts_first);
	tcase_add_test(tcase, it_is_mutual_whoever_said_it);
	tcase_add_test(tcase, what_a_start_requires_makes_others_give_way_too);
	tcase_add_test(tcase, one_that_gave_way_is_not_held);
	tcase_add_test(tcase, a_reload_of_another_brings_nobody_back_that_gave_way);
	tcase_add_test(tcase, one_in_backoff_gives_way_as_well);
	suite_add_tcase(suite, tcase);
	return suite;
}
