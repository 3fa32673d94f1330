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

/* ── limits ── */

#define STEADY ((struct script){.lives = EFF_FOREVER})

static const char limited[] = "web: {command: web, cgroup: {memory_max: 1GiB, memory_high: 900MiB, cpu_max: 150%, cpu_weight: 50, pids_max: 10, "
			      "io_weight: 200}}";

START_TEST(a_control_group_is_limited_as_its_unit_says)
{
	struct world *w = world_of(limited, STEADY);

	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "up");
	ck_assert_str_eq(os_fake_limits(w->fake, "web"),
		"memory_max 1073741824, memory_high 943718400, cpu_max 1.5, cpu_weight 50, "
		"pids_max 10, io_weight 200");
	world_free(w);
}
END_TEST

START_TEST(limits_change_while_it_runs)
{
	struct world *w = world_of(limited, STEADY);

	world_run_for(w, EFF_S(1));
	world_reload(w, "web: {command: web, cgroup: {memory_max: 2GiB, pids_max: 10}}");
	ck_assert_str_eq(world_changes(w), "web live");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(os_fake_limits(w->fake, "web"), "memory_max 2147483648, pids_max 10");
	world_reload(w, "web: {command: web}");
	ck_assert_str_eq(world_changes(w), "web live");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(os_fake_limits(w->fake, "web"), "");
	world_reload(w, "web: {command: web, cgroup: {cpu_max: 25%}}");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(os_fake_limits(w->fake, "web"), "cpu_max 0.25");

	EXPECT_TRACE(w, "web", "0 spawn");
	ck_assert_ptr_null(world_said(w, "web", "limit_failed"));
	world_free(w);
}
END_TEST

START_TEST(a_limit_that_cannot_be_set_while_it_runs_is_told_and_ends_nobody)
{
	struct world *w = world_of("web: {command: web}", STEADY);

	world_run_for(w, EFF_S(1));
	os_fake_limits_fail(w->fake, EINVAL);
	world_reload(w, "web: {command: web, cgroup: {memory_max: 1B}}");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_said(w, "web", "limit_failed"),
		"cgroup: EINVAL (Invalid argument): a limit");
	EXPECT_TRACE(w, "web", "0 spawn");
	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

START_TEST(a_run_that_began_without_a_control_group_gets_its_limits_with_the_next)
{
	struct world *w = world_of("web: {command: web, stop: {mode: group}}", STEADY);

	world_run_for(w, EFF_S(1));
	world_reload(w, "web: {command: web, stop: {mode: group}, cgroup: {pids_max: 5}}");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_said(w, "web", "limit_failed"),
		"cgroup: EOPNOTSUPP (Operation not supported): a limit");
	world_restart(w, "web");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(os_fake_limits(w->fake, "web"), "pids_max 5");
	world_free(w);
}
END_TEST

static const struct {
	int no_groups, no_limits;
	const char *text;
} in_vain[] = {
	{EACCES, 0, "cgroup: EACCES (Permission denied): there are none here"},
	{0, EOPNOTSUPP, "cgroup: EOPNOTSUPP (Operation not supported): a limit"},
};

START_TEST(who_cannot_be_limited_is_not_started)
{
	struct world *w = world_of(
		"web: {command: web, restart: no, cgroup: {memory_max: 1GiB}}\nfree: {command: free}",
		STEADY);

	os_fake_cgroups(w->fake, in_vain[_i].no_groups);
	os_fake_limits_fail(w->fake, in_vain[_i].no_limits);
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "");
	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_last_exit(w, "web"), "exec_error");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text, in_vain[_i].text);
	EXPECT_STATE(w, "free", "up");
	world_free(w);
}
END_TEST

START_TEST(limits_alone_do_not_make_a_stop_go_further)
{
	struct world *w = world_of("web: {command: web, stop: {mode: group}, cgroup: {pids_max: 5}}",
		(struct script){.lives = EFF_FOREVER, ESCAPES});

	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, 0);

	EXPECT_STATE(w, "web", "down");
	ck_assert_uint_eq(os_fake_escaped(w->fake), 1);
	world_free(w);
}
END_TEST

/* ── out of memory ── */

#define KILLED_FOR_MEMORY \
	((struct script){.lives = EFF_MS(100), .dies_by = SIGKILL, .oom = true})

START_TEST(who_is_killed_for_memory_has_that_as_its_cause)
{
	struct world *w = world_of(
		"web: {command: web, restart: {policy: on-abnormal, backoff: {jitter: 0}}}",
		KILLED_FOR_MEMORY);

	world_run_for(w, EFF_MS(650));

	EXPECT_TRACE(w, "web", "0 spawn, 100 SIGKILL, 600 spawn");
	ck_assert_str_eq(world_last_exit(w, "web"), "oom SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(without_a_control_group_that_cannot_be_told)
{
	struct world *w = world_of("web: {command: web, restart: no}", KILLED_FOR_MEMORY);

	os_fake_cgroups(w->fake, EACCES);
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_last_exit(w, "web"), "signal SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(an_end_for_memory_can_be_one_that_is_not_followed_by_a_restart)
{
	struct world *w = world_of(
		"web: {command: web, restart: {prevent_exit: [oom]}}", KILLED_FOR_MEMORY);

	world_run_for(w, EFF_H(1));

	EXPECT_STATE(w, "web", "failed");
	EXPECT_TRACE(w, "web", "0 spawn, 100 SIGKILL");
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
	tcase_add_test(tcase, a_control_group_is_limited_as_its_unit_says);
	tcase_add_test(tcase, limits_change_while_it_runs);
	tcase_add_test(tcase, a_limit_that_cannot_be_set_while_it_runs_is_told_and_ends_nobody);
	tcase_add_test(
		tcase, a_run_that_began_without_a_control_group_gets_its_limits_with_the_next);
	tcase_add_loop_test(tcase, who_cannot_be_limited_is_not_started, 0,
		sizeof(in_vain) / sizeof(*in_vain));
	tcase_add_test(tcase, limits_alone_do_not_make_a_stop_go_further);
	tcase_add_test(tcase, who_is_killed_for_memory_has_that_as_its_cause);
	tcase_add_test(tcase, without_a_control_group_that_cannot_be_told);
	tcase_add_test(tcase, an_end_for_memory_can_be_one_that_is_not_followed_by_a_restart);
	suite_add_tcase(suite, tcase);
	return suite;
}
