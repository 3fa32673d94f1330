/* SPDX-License-Identifier: MIT */
/* Units with a control group of their own: all that comes of one dies with it, also who has left its session and its parents;
 * where there are no groups that goes as far as it did before, unless the unit insists. */
#include <errno.h>
#include <signal.h>

#include <check.h>

#include "fake/world.h"

/* One that was left by all that could tell whose it is. */
#define ESCAPES .leaves = EFF_H(1), .left_escapes = true

static struct world *world_of(const char *units, struct script script)
{
	struct world *w = world_new(units);

	os_fake_cgroups(w->fake, 0);
	world_script(w, "web", script);
	return w;
}

START_TEST(who_has_escaped_is_stopped_with_its_unit)
{
	struct world *w = world_of(
		"web: {command: web}", (struct script){.lives = EFF_FOREVER, ESCAPES});

	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, 0);

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_STATES(w, "web", "0 up, 1000 down");
	ck_assert_uint_eq(os_fake_escaped(w->fake), 0);
	world_free(w);
}
END_TEST

START_TEST(who_has_escaped_and_does_not_listen_has_its_units_grace)
{
	struct world *w = world_of("web: {command: web, stop: {timeout: 3s}}",
		(struct script){.lives = EFF_FOREVER, ESCAPES, .left_ignores_term = true});

	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(4));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 1000 SIGTERM, 4000 KILL, 4000 gone");
	EXPECT_STATES(w, "web", "0 up, 1000 stopping, 4000 down");
	ck_assert_uint_eq(os_fake_escaped(w->fake), 0);
	world_free(w);
}
END_TEST

START_TEST(no_delay_begins_before_who_has_escaped_is_gone)
{
	struct world *w = world_of(
		"web: {command: web, restart: {backoff: {initial: 500ms, jitter: 0}}, stop: {timeout: 2s}}",
		(struct script){
			.lives = EFF_MS(100), .exits = 1, ESCAPES, .left_ignores_term = true});

	world_run_for(w, EFF_MS(2600));

	EXPECT_TRACE(w, "web", "0 spawn, 100 exit 1, 100 TERM, 2100 KILL, 2100 gone, 2600 spawn");
	ck_assert_str_eq(world_last_exit(w, "web"), "exit 1");
	ck_assert_uint_eq(os_fake_escaped(w->fake), 0);
	world_free(w);
}
END_TEST

static const struct {
	const char *units;
	int error;
} without[] = {
	{"web: {command: web}", EACCES},
	{"web: {command: web, stop: {mode: mixed}}", EACCES},
	{"web: {command: web, stop: {mode: group}}", 0},
	{"web: {command: web, stop: {mode: process}}", 0},
};

START_TEST(without_a_control_group_who_has_escaped_is_nobodys)
{
	struct world *w = world_of(
		without[_i].units, (struct script){.lives = EFF_FOREVER, ESCAPES});

	os_fake_cgroups(w->fake, without[_i].error);
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, 0);

	EXPECT_STATES(w, "web", "0 up, 1000 down");
	ck_assert_uint_eq(os_fake_escaped(w->fake), 1);
	world_free(w);
}
END_TEST

START_TEST(mixed_asks_the_main_process_and_kills_all)
{
	struct world *w = world_of("web: {command: web, stop: {mode: mixed, timeout: 2s}}",
		(struct script){.lives = EFF_FOREVER, ESCAPES});

	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(2));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM@main, 1000 SIGTERM, 3000 KILL, 3000 gone");
	EXPECT_STATES(w, "web", "0 up, 1000 stopping, 3000 down");
	ck_assert_uint_eq(os_fake_escaped(w->fake), 0);
	world_free(w);
}
END_TEST

START_TEST(who_insists_on_a_control_group_is_not_started_without)
{
	struct world *w = world_of(
		"web: {command: web, restart: {backoff: {initial: 1s, jitter: 0}}, stop: {mode: cgroup}}",
		(struct script){.lives = EFF_FOREVER, ESCAPES});

	os_fake_cgroups(w->fake, EACCES);
	world_run_for(w, EFF_MS(500));
	EXPECT_TRACE(w, "web", "");
	EXPECT_STATE(w, "web", "backoff");
	ck_assert_str_eq(world_last_exit(w, "web"), "exec_error");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"cgroup: EACCES (Permission denied): there are none here");
	os_fake_cgroups(w->fake, 0);
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, 0);

	EXPECT_TRACE(w, "web", "1000 spawn, 1500 TERM, 1500 SIGTERM");
	ck_assert_uint_eq(os_fake_escaped(w->fake), 0);
	world_free(w);
}
END_TEST

START_TEST(what_a_command_beside_it_leaves_dies_whatever_its_stop_is)
{
	struct world *w = world_of(
		"web: {command: web, hooks: {pre_start: hook}, stop: {mode: process}}",
		(struct script){.lives = EFF_FOREVER});

	world_script(w, "hook", (struct script){.lives = EFF_MS(10), ESCAPES, .helper = true});
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "up");
	ck_assert_uint_eq(os_fake_escaped(w->fake), 0);
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 1);
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("cgroup");
	TCase *tcase = tcase_create("cgroup");

	tcase_add_test(tcase, who_has_escaped_is_stopped_with_its_unit);
	tcase_add_test(tcase, who_has_escaped_and_does_not_listen_has_its_units_grace);
	tcase_add_test(tcase, no_delay_begins_before_who_has_escaped_is_gone);
	tcase_add_loop_test(tcase, without_a_control_group_who_has_escaped_is_nobodys, 0,
		sizeof(without) / sizeof(*without));
	tcase_add_test(tcase, mixed_asks_the_main_process_and_kills_all);
	tcase_add_test(tcase, who_insists_on_a_control_group_is_not_started_without);
	tcase_add_test(tcase, what_a_command_beside_it_leaves_dies_whatever_its_stop_is);
	suite_add_tcase(suite, tcase);
	return suite;
}
