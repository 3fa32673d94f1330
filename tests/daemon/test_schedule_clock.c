/* SPDX-License-Identifier: MIT */
/* Schedules by the calendar, while somebody sets the calendar's clock. */
#include <stdio.h>

#include <check.h>

#include "fake/world.h"

Suite *test_suite(void);

/* The calendar is ahead of the world's clock, by what it has been set. */
static eff_ns ahead;
eff_ns __real_eff_wall(void);
eff_ns __wrap_eff_wall(void);
eff_ns __wrap_eff_wall(void)
{
	return __real_eff_wall() + ahead;
}

#define BACKUP(schedule) "backup: {type: oneshot, command: backup, schedule: {" schedule "}}"
#define DAILY BACKUP("cron: '20 0 * * *'")
#define MEMORY "/var/lib/effd/schedule/backup"

/* The world's calendar begins on 2020-01-01 at 00:16:40: twenty past is 200 s later. */
static struct world *begin(const char *units)
{
	struct world *w = world_new(units);

	ahead = 0;
	world_script(w, "backup", (struct script){.lives = EFF_MS(10)});
	return w;
}

/* It ran last so long after the world's calendar began. */
static void remembered(struct world *w, eff_ns after)
{
	struct os *os = os_fake_seam(w->fake);
	eff_ns then = w->wall_zero + after;
	char text[32];

	w->tree->world.state_dir = "/var/lib/effd";
	(void)snprintf(text, sizeof(text), "%lld", (long long)then);
	ck_assert_int_eq(os->ops->write_state(os, MEMORY, text), 0);
}

/* The clock is set at `at`, and time goes on. */
static void set_at(struct world *w, eff_ns at, eff_ns by)
{
	world_run_for(w, at - world_now(w));
	ahead += by;
	world_run_for(w, EFF_H(2));
}

START_TEST(a_moment_that_has_come_is_not_lost_by_a_reload)
{
	static const char *const jobs[] = {BACKUP("every: 200s, jitter: 100s"),
		BACKUP("cron: '20 0 * * *', jitter: 100s")};

	for (size_t i = 0; i < 2; i++) {
		struct world *w = begin(jobs[i]);
		char tree[200];
		eff_ns due_at;

		(void)snprintf(tree, sizeof(tree), "%s\nother: {command: other}", jobs[i]);
		world_run_for(w, EFF_S(201));
		due_at = world_unit(w, "backup")->due_at;
		ck_assert_int_gt(due_at, eff_now());
		world_reload(w, tree);
		world_run_for(w, EFF_S(100));

		ck_assert_uint_eq(world_spawns(w, "backup"), 1);
		ck_assert_int_eq(world_spawn_at(w, "backup", 0), due_at - EFF_S(1000));
		world_free(w);
	}
}
END_TEST

START_TEST(one_that_came_a_little_early_does_not_come_again)
{
	struct world *w = begin(DAILY);

	set_at(w, EFF_S(199), -EFF_MS(900));

	EXPECT_TRACE(w, "backup", "200000 spawn, 200010 exit 0");
	world_free(w);
}
END_TEST

START_TEST(what_has_run_does_not_run_again_for_a_clock_that_is_put_right)
{
	struct world *w = begin(DAILY);

	set_at(w, EFF_S(230), -EFF_M(10));

	EXPECT_TRACE(w, "backup", "200000 spawn, 200010 exit 0");
	world_free(w);
}
END_TEST

START_TEST(where_any_hour_will_do_it_does)
{
	struct world *w = begin(BACKUP("cron: '20 * * * *'"));

	set_at(w, EFF_S(230), -EFF_M(10));

	EXPECT_TRACE(w, "backup",
		"200000 spawn, 200010 exit 0, 800000 spawn, 800010 exit 0, 4400000 spawn, 4400010 exit 0");
	world_free(w);
}
END_TEST

START_TEST(on_another_day_it_runs_again)
{
	struct world *w = begin(DAILY);

	set_at(w, EFF_S(230), -EFF_H(4));
	world_run_for(w, EFF_H(3));

	EXPECT_TRACE(w, "backup", "200000 spawn, 200010 exit 0, 14600000 spawn, 14600010 exit 0");
	world_free(w);
}
END_TEST

START_TEST(what_a_clock_that_is_put_right_passes_over_runs_once)
{
	struct world *w = begin(BACKUP("cron: '18-20 0 * * *'"));

	set_at(w, EFF_S(70), EFF_M(10));

	/* It is looked at every minute. */
	EXPECT_TRACE(w, "backup", "80000 spawn, 80010 exit 0");
	set_at(w, world_now(w), -EFF_H(2) - EFF_M(10));
	EXPECT_TRACE(w, "backup", "80000 spawn, 80010 exit 0");
	world_free(w);
}
END_TEST

START_TEST(what_another_day_has_passed_over_is_missed)
{
	struct world *w = begin(DAILY);

	set_at(w, EFF_S(70), EFF_H(5));

	EXPECT_TRACE(w, "backup", "");
	world_free(w);
}
END_TEST

/* As after a night's sleep, or on a machine that learns the time only when effd runs already. */
START_TEST(but_for_one_that_catches_up)
{
	struct world *w = begin(BACKUP("cron: '20 0 * * *', catch_up: once"));

	remembered(w, EFF_H(24) + EFF_M(10));
	/* Within a day of the last run there is none to make up for. */
	set_at(w, EFF_S(70), EFF_H(26));
	EXPECT_TRACE(w, "backup", "");
	set_at(w, EFF_H(3), EFF_H(300));

	EXPECT_TRACE(w, "backup", "10860000 spawn, 10860010 exit 0");
	world_free(w);
}
END_TEST

START_TEST(be_it_by_the_calendar_or_not)
{
	struct world *w = begin(BACKUP("every: 24h, catch_up: once"));

	remembered(w, EFF_H(1000));
	set_at(w, EFF_S(70), EFF_H(1010));
	EXPECT_TRACE(w, "backup", "");
	set_at(w, EFF_H(3), EFF_H(20));
	EXPECT_TRACE(w, "backup", "10860000 spawn, 10860010 exit 0");
	world_run_for(w, EFF_H(24));

	EXPECT_TRACE(w, "backup",
		"10860000 spawn, 10860010 exit 0, 97260000 spawn, 97260010 exit 0");
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/schedule: clock");
	TCase *tcase = tcase_create("clock");

	tcase_add_test(tcase, a_moment_that_has_come_is_not_lost_by_a_reload);
	tcase_add_test(tcase, one_that_came_a_little_early_does_not_come_again);
	tcase_add_test(tcase, what_has_run_does_not_run_again_for_a_clock_that_is_put_right);
	tcase_add_test(tcase, where_any_hour_will_do_it_does);
	tcase_add_test(tcase, on_another_day_it_runs_again);
	tcase_add_test(tcase, what_a_clock_that_is_put_right_passes_over_runs_once);
	tcase_add_test(tcase, what_another_day_has_passed_over_is_missed);
	tcase_add_test(tcase, but_for_one_that_catches_up);
	tcase_add_test(tcase, be_it_by_the_calendar_or_not);
	suite_add_tcase(suite, tcase);
	return suite;
}
