/* SPDX-License-Identifier: MIT */
/* Units that run at their times. */
#include <string.h>

#include <check.h>

#include "fake/world.h"

/* The world's calendar begins at some minute; by `every` that does not matter, by cron it does. */
#define BACKUP "backup: {type: oneshot, command: backup, schedule: "

START_TEST(every_goes_from_start_to_start_and_first_one_period_later)
{
	struct world *w = world_new(BACKUP "{every: 10s}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(3)});
	world_run_for(w, EFF_S(9));
	EXPECT_STATES(w, "backup", "0 waiting");
	ck_assert_ptr_eq(world_unit(w, "backup")->child.fiber, NULL);
	ck_assert_int_eq(world_unit(w, "backup")->due_at - eff_now(), EFF_S(1));
	world_run_for(w, EFF_S(26));

	EXPECT_STATES(w, "backup",
		"0 waiting, 10000 starting, 13000 done, 20000 starting, 23000 done, 30000 starting, 33000 done");
	world_free(w);
}
END_TEST

START_TEST(a_failed_run_waits_for_the_next_by_default)
{
	struct world *w = world_new(BACKUP "{every: 10s}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(1), .exits = 1});
	world_run_for(w, EFF_S(25));

	EXPECT_TRACE(w, "backup", "10000 spawn, 11000 exit 1, 20000 spawn, 21000 exit 1");
	EXPECT_STATE(w, "backup", "failed");
	ck_assert(world_unit(w, "backup")->due_at > eff_now());
	world_free(w);
}
END_TEST

/* Both in one moment, in which the stop has not come through yet. */
START_TEST(a_reset_starts_nothing_that_was_stopped)
{
	struct world *w = world_new(
		"backup: {type: oneshot, command: backup, schedule: {every: 10s},"
		" restart: {policy: on-failure, backoff: {initial: 5s, jitter: 0}}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(1), .exits = 1});
	world_run_for(w, EFF_S(12));
	EXPECT_STATE(w, "backup", "backoff");
	world_stop(w, "backup");
	world_reset(w, "backup");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "backup", "10000 spawn, 11000 exit 1");
	EXPECT_STATE(w, "backup", "down");
	world_free(w);
}
END_TEST

START_TEST(a_run_includes_its_retries_and_begins_with_a_clean_slate)
{
	struct world *w = world_new(
		"backup: {type: oneshot, command: backup, schedule: {every: 10s},"
		" restart: {policy: on-failure, max_restarts: 2, backoff: {jitter: 0}}}");

	world_script(w, "backup", (struct script){.lives = 0, .exits = 1});
	world_run_for(w, EFF_S(22));

	EXPECT_TRACE(w, "backup",
		"10000 spawn, 10000 exit 1, 10500 spawn, 10500 exit 1, 11500 spawn,"
		" 11500 exit 1, 20000 spawn, 20000 exit 1, 20500 spawn, 20500 exit 1, 21500 spawn, 21500 exit 1");
	EXPECT_STATE(w, "backup", "failed");
	world_free(w);
}
END_TEST

START_TEST(a_run_that_is_due_meanwhile_is_skipped)
{
	struct world *w = world_new(BACKUP "{every: 10s}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(15)});
	world_run_for(w, EFF_S(56));

	EXPECT_TRACE(w, "backup",
		"10000 spawn, 25000 exit 0, 30000 spawn, 45000 exit 0, 50000 spawn");
	world_free(w);
}
END_TEST

START_TEST(or_queued_once)
{
	struct world *w = world_new(BACKUP "{every: 10s, overlap: queue}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(25)});
	world_run_for(w, EFF_S(61));

	EXPECT_TRACE(w, "backup",
		"10000 spawn, 35000 exit 0, 35000 spawn, 60000 exit 0, 60000 spawn");
	world_free(w);
}
END_TEST

START_TEST(or_replaces_the_one_before)
{
	struct world *w = world_new(BACKUP "{every: 10s, overlap: kill}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(25), .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(32));

	EXPECT_TRACE(w, "backup",
		"10000 spawn, 20000 TERM, 21000 SIGTERM, 21000 spawn, 30000 TERM, 31000 SIGTERM, 31000 spawn");
	ck_assert_uint_eq(world_unit(w, "backup")->restarts, 0);
	world_free(w);
}
END_TEST

START_TEST(a_start_by_hand_runs_it_now_and_moves_nothing)
{
	struct world *w = world_new(BACKUP "{every: 10s}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(4));
	world_start(w, "backup");
	world_run_for(w, EFF_S(7));

	EXPECT_TRACE(w, "backup", "4000 spawn, 5000 exit 0, 10000 spawn, 11000 exit 0");
	world_free(w);
}
END_TEST

START_TEST(a_stopped_one_runs_no_more_until_it_is_started)
{
	struct world *w = world_new(BACKUP "{every: 10s}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(5)});
	world_run_for(w, EFF_S(12));
	world_stop(w, "backup");
	world_run_for(w, EFF_S(60));
	EXPECT_STATE(w, "backup", "down");
	world_mark(w);
	world_start(w, "backup");
	world_run_for(w, EFF_S(11));

	EXPECT_TRACE(w, "backup", "0 spawn, 5000 exit 0, 10000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_stop_and_a_start_in_one_breath_begin_anew)
{
	struct world *w = world_new(BACKUP "{every: 10s}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(4));
	world_stop(w, "backup");
	world_start(w, "backup");
	world_run_for(w, EFF_S(11));

	EXPECT_TRACE(w, "backup", "4000 spawn, 5000 exit 0, 14000 spawn, 15000 exit 0");
	world_free(w);
}
END_TEST

START_TEST(a_group_is_up_while_its_jobs_rest_and_takes_them_along)
{
	struct world *w = world_new(
		"g: {units: {job: {type: oneshot, command: job, schedule: {every: 10s}}}}");

	world_script(w, "job", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "g", "up");
	ck_assert(tree_is_settled(w->tree));
	world_run_for(w, EFF_S(11));
	world_stop(w, "g");
	world_run_for(w, EFF_S(60));
	EXPECT_STATE(w, "g/job", "down");
	ck_assert_uint_eq(world_spawns(w, "g/job"), 1);
	world_mark(w);
	world_start(w, "g");
	world_run_for(w, EFF_S(12));

	EXPECT_STATES(w, "g/job", "0 waiting, 10000 starting, 11000 done");
	world_free(w);
}
END_TEST

/* Its run may be months away: nothing else is to come until then. One that is on its way does hold the tree up. */
START_TEST(who_waits_for_its_run_does_not_keep_the_tree_from_settling)
{
	struct world *w = world_new("job: {command: job, type: oneshot, schedule: {every: 1h}}\n"
				    "web: {command: web, depends_on: [job]}\n"
				    "last: {command: last, depends_on: [web, slow]}\n"
				    "slow: {command: slow, type: oneshot}\n");

	world_script(w, "slow", (struct script){.lives = EFF_S(5)});
	world_script(w, "job", (struct script){.lives = EFF_S(30)});
	world_run_for(w, EFF_S(4));
	ck_assert(!tree_is_settled(w->tree));
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "web", "waiting");
	EXPECT_STATE(w, "last", "waiting");
	ck_assert(tree_is_settled(w->tree));
	world_run_for(w, EFF_S(3700));

	EXPECT_STATE(w, "last", "up");
	world_free(w);
}
END_TEST

START_TEST(one_that_comes_after_it_waits_for_a_run_and_not_for_the_next)
{
	struct world *w = world_new("a: {command: a, after: [job]}\n"
				    "job: {command: job, type: oneshot, schedule: {every: 1h}}\n"
				    "b: {command: b, activate: manual, after: [job]}\n");

	world_script(w, "job", (struct script){.lives = EFF_S(30)});
	world_run_for(w, 0);
	/* It rests until its time, and holds up neither who comes after it nor the tree. */
	EXPECT_TRACE(w, "a", "0 spawn");
	ck_assert(tree_is_settled(w->tree));
	world_run_for(w, EFF_S(3610));
	world_start(w, "b");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "job", "3600000 spawn, 3630000 exit 0");
	EXPECT_TRACE(w, "b", "3630000 spawn");
	world_free(w);
}
END_TEST

START_TEST(cron_goes_by_the_calendar)
{
	struct world *w = world_new(BACKUP "{cron: '*/5 * * * *', timezone: Europe/Berlin}}");
	const struct tree_event *event;
	unsigned n = 0;

	world_script(w, "backup", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_H(1));

	ck_assert_uint_eq(world_spawns(w, "backup"), 12);
	for (uint64_t seq = 1; seq <= w->tree->last_seq; seq++) {
		event = tree_event(w->tree, seq);
		if (!event || !event->is_state || event->to != UNIT_STARTING ||
			strcmp(event->unit, "backup") != 0)
			continue;
		ck_assert_int_eq(event->wall_at % EFF_M(5), 0);
		n++;
	}
	ck_assert_uint_eq(n, 12);
	world_free(w);
}
END_TEST

START_TEST(jitter_spreads_a_start_and_not_the_grid)
{
	struct world *w = world_new(BACKUP "{every: 100s, jitter: 50s}}");
	eff_ns last = 0;

	world_script(w, "backup", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(1100));

	ck_assert_uint_ge(world_spawns(w, "backup"), 10);
	for (size_t i = 0; i < 10; i++) {
		eff_ns at = world_spawn_at(w, "backup", i),
		       late = at - EFF_S(100) * (eff_ns)(i + 1);

		ck_assert_int_ge(late, 0);
		ck_assert_int_lt(late, EFF_S(50));
		ck_assert_int_ne(late, last);
		last = late;
	}
	world_free(w);
}
END_TEST

START_TEST(a_schedule_that_a_reload_changes_takes_hold_at_once)
{
	struct world *w = world_new(BACKUP "{every: 1h}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(5));
	world_reload(w, BACKUP "{every: 10s}}");
	world_run_for(w, EFF_S(6));
	EXPECT_TRACE(w, "backup", "10000 spawn, 11000 exit 0");
	ck_assert_str_eq(world_changes(w), "backup live");
	world_free(w);
}
END_TEST

START_TEST(a_schedule_that_is_taken_away_leaves_a_unit_like_any_other)
{
	struct world *w = world_new("job: {command: job, schedule: {every: 1h}, restart: no}");

	world_run_for(w, EFF_S(5));
	world_reload(w, "job: {command: job, restart: no}");
	ck_assert_str_eq(world_changes(w), "job start");
	world_run_for(w, EFF_S(6));

	EXPECT_STATE(w, "job", "up");
	world_free(w);
}
END_TEST

START_TEST(a_schedule_that_is_taken_away_runs_nothing_that_has_run)
{
	struct world *w = world_new(BACKUP "{every: 10s}}");

	world_script(w, "backup", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(15));
	world_reload(w, "backup: {type: oneshot, command: backup}");
	ck_assert_str_eq(world_changes(w), "backup live");
	world_run_for(w, EFF_S(60));
	EXPECT_TRACE(w, "backup", "10000 spawn, 11000 exit 0");
	/* With another program it is another job. */
	world_reload(w, "backup: {type: oneshot, command: backup 2}");
	world_run_for(w, EFF_S(60));
	ck_assert_uint_eq(world_spawns(w, "backup"), 2);
	world_free(w);
}
END_TEST

START_TEST(a_unit_with_a_schedule_may_be_removed_at_any_time)
{
	struct world *w = world_new(BACKUP "{every: 10s}}\nother: {command: other}");

	world_script(w, "backup", (struct script){.lives = EFF_S(5)});
	world_run_for(w, EFF_S(5));
	world_reload(w, "other: {command: other}");
	world_run_for(w, EFF_S(60));
	ck_assert_uint_eq(world_spawns(w, "backup"), 0);
	world_reload(w, BACKUP "{every: 10s}}\nother: {command: other}");
	world_run_for(w, EFF_S(12));
	world_reload(w, "other: {command: other}");
	world_run_for(w, EFF_S(60));

	ck_assert_uint_eq(world_spawns(w, "backup"), 1);
	world_free(w);
}
END_TEST

START_TEST(a_schedule_may_come_to_one_that_runs)
{
	struct world *w = world_new("job: {command: job, restart: no}");

	world_script(w, "job", (struct script){.lives = EFF_S(7)});
	world_run_for(w, EFF_S(5));
	world_reload(w, "job: {command: job, restart: no, schedule: {every: 10s}}");
	world_run_for(w, EFF_S(25));

	EXPECT_STATES(w, "job", "0 up, 7000 done, 15000 up, 22000 done, 25000 up");
	world_free(w);
}
END_TEST

START_TEST(a_schedule_may_come_with_another_program)
{
	struct world *w = world_new("job: {command: job}");

	world_script(w, "job", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(5));
	world_reload(w, "job: {command: job 2, schedule: {every: 10s, overlap: kill}}");
	world_run_for(w, EFF_S(20));

	/* The new one takes the old one's place; from then on it is run by its schedule. */
	EXPECT_TRACE(w, "job",
		"0 spawn, 5000 TERM, 7000 SIGTERM, 7000 spawn, 15000 TERM, 17000 SIGTERM, 17000 spawn, 25000 TERM");
	world_free(w);
}
END_TEST

START_TEST(a_schedule_that_is_taken_away_at_once_leaves_a_unit_like_any_other)
{
	struct world *w = world_new("job: {command: job}");

	world_script(w, "job", (struct script){.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(5));
	world_reload(w, "job: {command: job 2, schedule: {every: 10s}}");
	world_reload(w, "job: {command: job 3}");
	world_run_for(w, EFF_S(60));

	EXPECT_STATE(w, "job", "up");
	ck_assert_ptr_null(world_unit(w, "job")->clock);
	ck_assert_str_eq(world_unit(w, "job")->spec->argv[1], "3");
	world_free(w);
}
END_TEST

/* Its clock is stopped with its group, and it goes with its clock. */
START_TEST(a_unit_that_a_reload_takes_out_while_its_group_stops_is_gone)
{
#define GROUP(n) "g: {units: {job: {command: job, replicas: " n ", schedule: {every: 1m}}}}"
	struct world *w = world_new(GROUP("2"));

	world_run_for(w, EFF_S(1));
	world_stop(w, "g");
	world_reload(w, GROUP("1"));
	world_run_for(w, EFF_S(1));

	ck_assert_uint_eq(w->reloads_under_way, 0);
	EXPECT_STATE(w, "g", "down");
	EXPECT_STATE(w, "g/job@1", "down");
	ck_assert(eff_list_empty(&w->tree->graveyard));
	world_free(w);
#undef GROUP
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/schedule");
	TCase *tcase = tcase_create("schedule");

	tcase_add_test(tcase, every_goes_from_start_to_start_and_first_one_period_later);
	tcase_add_test(tcase, a_failed_run_waits_for_the_next_by_default);
	tcase_add_test(tcase, a_reset_starts_nothing_that_was_stopped);
	tcase_add_test(tcase, a_run_includes_its_retries_and_begins_with_a_clean_slate);
	tcase_add_test(tcase, a_run_that_is_due_meanwhile_is_skipped);
	tcase_add_test(tcase, or_queued_once);
	tcase_add_test(tcase, or_replaces_the_one_before);
	tcase_add_test(tcase, a_start_by_hand_runs_it_now_and_moves_nothing);
	tcase_add_test(tcase, a_stopped_one_runs_no_more_until_it_is_started);
	tcase_add_test(tcase, a_stop_and_a_start_in_one_breath_begin_anew);
	tcase_add_test(tcase, a_group_is_up_while_its_jobs_rest_and_takes_them_along);
	tcase_add_test(tcase, who_waits_for_its_run_does_not_keep_the_tree_from_settling);
	tcase_add_test(tcase, one_that_comes_after_it_waits_for_a_run_and_not_for_the_next);
	tcase_add_test(tcase, cron_goes_by_the_calendar);
	tcase_add_test(tcase, jitter_spreads_a_start_and_not_the_grid);
	tcase_add_test(tcase, a_schedule_that_a_reload_changes_takes_hold_at_once);
	tcase_add_test(tcase, a_schedule_that_is_taken_away_leaves_a_unit_like_any_other);
	tcase_add_test(tcase, a_schedule_that_is_taken_away_runs_nothing_that_has_run);
	tcase_add_test(tcase, a_unit_with_a_schedule_may_be_removed_at_any_time);
	tcase_add_test(tcase, a_schedule_may_come_to_one_that_runs);
	tcase_add_test(tcase, a_schedule_may_come_with_another_program);
	tcase_add_test(tcase, a_schedule_that_is_taken_away_at_once_leaves_a_unit_like_any_other);
	tcase_add_test(tcase, a_unit_that_a_reload_takes_out_while_its_group_stops_is_gone);
	suite_add_tcase(suite, tcase);
	return suite;
}
