/* SPDX-License-Identifier: MIT */
/* What a schedule has missed is made up for, by what is remembered of the last run. */
#include <malloc.h>
#include <stdio.h>

#include <check.h>

#include "fake/world.h"

Suite *test_suite(void);

#define BACKUP(schedule, more) \
	"backup: {type: oneshot, command: backup, schedule: {" schedule "}" more "}"
#define HOURLY "every: 1h, catch_up: once"
#define MEMORY "/var/lib/effd/schedule/backup"

/* It ran so long before the world began, and to recall that takes its time. */
static void remembered(struct world *w, eff_ns ago, eff_ns takes)
{
	struct os *os = os_fake_seam(w->fake);
	char then[32];

	w->tree->world.state_dir = "/var/lib/effd";
	(void)snprintf(then, sizeof(then), "%lld", (long long)(w->wall_zero - ago));
	ck_assert_int_eq(os->ops->write_state(os, MEMORY, then), 0);
	os_fake_state_takes(w->fake, takes);
}

START_TEST(missed_runs_are_made_up_for_by_one)
{
	struct world *w = world_new(BACKUP(HOURLY, ", activate: manual"));
	char then[32];

	remembered(w, EFF_H(5), 0);
	(void)snprintf(then, sizeof(then), "%s", os_fake_file(w->fake, MEMORY));
	world_script(w, "backup", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(1));
	world_reload(w, BACKUP(HOURLY, ""));
	world_run_for(w, EFF_M(119));

	/* At once, and by its schedule from then on. */
	EXPECT_TRACE(w, "backup", "1000 spawn, 2000 exit 0, 3601000 spawn, 3602000 exit 0");
	/* It remembers, now. */
	ck_assert_str_ne(os_fake_file(w->fake, MEMORY), then);
	world_free(w);
}
END_TEST

/* While that is recalled its row becomes another, and where the first one stood is something else. */
START_TEST(what_was_missed_is_judged_through_reloads)
{
	struct world *w = world_new(BACKUP(HOURLY, ""));

	(void)mallopt(M_PERTURB, 0x55);
	remembered(w, EFF_M(30), EFF_S(5));
	world_run_for(w, EFF_S(1));
	world_reload(w, BACKUP(HOURLY, ", labels: {a: b}"));
	world_reload(w, BACKUP(HOURLY, ", labels: {a: c}"));
	world_run_for(w, EFF_M(5));

	EXPECT_TRACE(w, "backup", "");
	world_free(w);
}
END_TEST

START_TEST(what_is_not_to_be_made_up_for_any_more_is_missed)
{
	struct world *w = world_new(BACKUP(HOURLY, ""));

	remembered(w, EFF_H(5), EFF_S(5));
	world_run_for(w, EFF_S(1));
	world_reload(w, BACKUP("every: 1h", ""));
	world_run_for(w, EFF_M(5));

	EXPECT_TRACE(w, "backup", "");
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/schedule: catch_up");
	TCase *tcase = tcase_create("catch_up");

	tcase_add_test(tcase, missed_runs_are_made_up_for_by_one);
	tcase_add_test(tcase, what_was_missed_is_judged_through_reloads);
	tcase_add_test(tcase, what_is_not_to_be_made_up_for_any_more_is_missed);
	suite_add_tcase(suite, tcase);
	return suite;
}
