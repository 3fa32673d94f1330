/* SPDX-License-Identifier: MIT */
/* Commands at the turns of a unit's life: when they run, what waits for them, and what becomes of it when they fail. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
#define HELPER(...) ((struct script){.helper = true, __VA_ARGS__})

/* What happened to the commands of a program, as "0 spawn, 1000 end". */
static const char *helper_trace(struct world *w, const char *program)
{
	static char text[512];
	size_t n, len = 0;
	const struct fake_event *events = os_fake_events(w->fake, &n);

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct fake_event *e = &events[i];
		const char *what = e->what == FAKE_SPAWN ? "spawn"
			: e->what == FAKE_END            ? "end"
			: e->what == FAKE_SIGNAL         ? "signal"
							 : NULL;

		if (!what || !e->helper || strcmp(e->program, program) != 0)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld %s",
			len ? ", " : "", (long long)((e->at - w->mark) / EFF_MS(1)), what);
	}
	return text;
}

START_TEST(pre_start_runs_before_the_program_and_holds_it_back)
{
	struct world *w = world_new("web: {command: web, hooks: {pre_start: prepare}}");

	world_script(w, "prepare", HELPER(.lives = EFF_S(2)));
	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(3));

	ck_assert_str_eq(helper_trace(w, "prepare"), "0 spawn, 2000 end");
	EXPECT_TRACE(w, "web", "2000 spawn");
	EXPECT_STATES(w, "web", "0 starting, 2000 up");
	world_free(w);
}
END_TEST

/* The row that names it is another then, and where the first one stood is something else. */
START_TEST(a_hook_that_cannot_be_executed_is_named_through_reloads)
{
#define WEB(more) "web: {command: web, hooks: {pre_start: prepare}, restart: no" more "}"
	struct world *w = world_new(WEB(""));

	(void)mallopt(M_PERTURB, 0x55);
	world_script(w, "prepare", HELPER(.exec_takes = EFF_S(1), .exec_error = ENOENT));
	world_run_for(w, EFF_MS(100));
	world_reload(w, WEB(", labels: {a: b}"));
	world_reload(w, WEB(", labels: {a: c}"));
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"pre_start: exec: ENOENT (No such file or directory): prepare");
	world_free(w);
}
END_TEST

START_TEST(a_pre_start_that_fails_fails_the_start)
{
	struct world *w = world_new("web: {command: web, hooks: {pre_start: prepare},"
				    " restart: {max_restarts: 1, backoff: {jitter: 0}}}");

	world_script(w, "prepare", HELPER(.lives = EFF_S(1), .exits = 3));
	world_run_for(w, EFF_S(60));

	ck_assert_str_eq(helper_trace(w, "prepare"), "0 spawn, 1000 end, 1500 spawn, 2500 end");
	ck_assert_uint_eq(world_spawns(w, "web"), 0);
	EXPECT_STATES(w, "web", "0 starting, 1000 backoff, 1500 starting, 2500 failed");
	ck_assert_str_eq(world_last_exit(w, "web"), "hook");
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text, "pre_start: exit 3");
	world_free(w);
}
END_TEST

START_TEST(a_pre_start_has_its_own_time_within_the_start_timeout)
{
	struct world *w = world_new(
		"a: {command: a, hooks: {pre_start: {command: [hang], timeout: 2s}}, restart: no}\n"
		"b: {command: b, hooks: {pre_start: hang}, start_timeout: 5s, restart: no}");

	world_script(w, "hang", HELPER(.lives = EFF_FOREVER));
	world_run_for(w, EFF_S(60));

	EXPECT_STATES(w, "a", "0 starting, 2000 failed");
	ck_assert_str_eq(world_unit(w, "a")->last_exit->text, "pre_start: took too long");
	EXPECT_STATES(w, "b", "0 starting, 5000 failed");
	ck_assert_str_eq(world_last_exit(w, "b"), "start_timeout");
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 0);
	world_free(w);
}
END_TEST

START_TEST(a_pre_start_that_cannot_be_executed_says_why)
{
	struct world *w = world_new("a: {command: a, hooks: {pre_start: gone}, restart: no}");

	world_script(w, "gone", HELPER(.exec_error = ENOENT));
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_unit(w, "a")->last_exit->text,
		"pre_start: exec: ENOENT (No such file or directory): gone");
	world_free(w);
}
END_TEST

START_TEST(a_stop_during_pre_start_leaves_nothing)
{
	struct world *w = world_new("web: {command: web, hooks: {pre_start: hang}}");

	world_script(w, "hang", HELPER(.lives = EFF_FOREVER));
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(60));

	EXPECT_STATE(w, "web", "down");
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 0);
	ck_assert_uint_eq(world_spawns(w, "web"), 0);
	world_free(w);
}
END_TEST

START_TEST(on_ready_runs_beside_a_unit_once_a_run)
{
	struct world *w = world_new(
		"web: {command: web, hooks: {on_ready: {command: announce}},"
		" readiness_probe: {tcp: {port: 80}, period: 1s, failure_threshold: 1}}\n"
		"user: {command: user, depends_on: [web]}");

	os_fake_port(w->fake, 80, 0, 0);
	world_script(w, "web", STEADY);
	world_script(w, "announce", HELPER(.lives = EFF_S(10), .exits = 1));
	world_run_for(w, EFF_S(5));
	os_fake_port(w->fake, 80, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(5));
	os_fake_port(w->fake, 80, 0, 0);
	world_run_for(w, EFF_S(60));

	ck_assert_str_eq(helper_trace(w, "announce"), "100 spawn, 10100 end");
	EXPECT_TRACE(w, "user", "100 spawn");
	EXPECT_STATE(w, "web", "up");
	ck_assert_str_eq(world_said(w, "web", "hook_failed"), "on_ready: exit 1");
	world_free(w);
}
END_TEST

START_TEST(a_stop_command_that_fails_is_told_and_the_stop_goes_on)
{
	struct world *w = world_new("web: {command: web, stop: {command: bye}}\n"
				    "none: {command: none, stop: {command: [lost]}}\n"
				    "over: {command: over, stop: {command: late}}");

	world_script(w, "web", STEADY);
	world_script(w, "none", STEADY);
	world_script(w, "over", (struct script){.lives = EFF_S(2)});
	world_script(w, "bye", HELPER(.lives = EFF_S(1), .exits = 3));
	world_script(w, "lost", HELPER(.exec_error = ENOENT));
	world_script(w, "late", HELPER(.lives = EFF_S(2), .exits = 1));
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_stop(w, "none");
	world_stop(w, "over");
	world_run_for(w, EFF_S(5));

	EXPECT_TRACE(w, "web", "0 spawn, 2000 TERM, 2000 SIGTERM");
	ck_assert_str_eq(world_said(w, "web", "stop_failed"), "stop.command: exit 3");
	EXPECT_TRACE(w, "none", "0 spawn, 1000 TERM, 1000 SIGTERM");
	ck_assert_str_eq(world_said(w, "none", "stop_failed"),
		"stop.command: exec: ENOENT (No such file or directory): lost");
	EXPECT_STATE(w, "over", "down");
	ck_assert_ptr_null(world_said(w, "over", "stop_failed"));
	world_free(w);
}
END_TEST

START_TEST(post_stop_runs_when_all_is_gone_and_before_anything_else)
{
	struct world *w = world_new("web: {command: web, hooks: {post_stop: clean},"
				    " restart: {backoff: {jitter: 0}}}\n"
				    "user: {command: user, depends_on: [web]}");

	WORLD_SCRIPTS(w, "web",
		{.lives = EFF_S(2), .leaves = EFF_S(1), .left_ignores_term = true}, STEADY);
	world_script(w, "clean", HELPER(.lives = EFF_S(3)));
	world_run_for(w, EFF_S(20));
	/* Gone at 3 s, cleaned at 6 s, then the delay. */
	EXPECT_STATES(w, "web", "0 up, 2000 stopping, 6000 backoff, 6500 up");
	world_mark(w);
	world_stop(w, "web");
	world_run_for(w, EFF_S(20));

	EXPECT_STATES(w, "web", "0 stopping, 3000 down");
	world_free(w);
}
END_TEST

START_TEST(now_cuts_post_stop_short)
{
	struct world *w = world_new("web: {command: web, hooks: {post_stop: hang}}");

	world_script(w, "web", STEADY);
	world_script(w, "hang", HELPER(.lives = EFF_FOREVER));
	world_run_for(w, EFF_S(1));
	world_mark(w);
	world_stop(w, "web");
	world_run_for(w, EFF_S(4));
	EXPECT_STATE(w, "web", "stopping");
	world_stop_now(w, "web");
	world_run_for(w, EFF_S(1));

	EXPECT_STATES(w, "web", "0 stopping, 4000 down");
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 0);
	world_free(w);
}
END_TEST

START_TEST(on_failure_runs_after_ends_that_are_not_clean_and_no_others)
{
	struct world *w = world_new("web: {command: web, hooks: {on_failure: tell},"
				    " restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(1), .exits = 1}, {.lives = EFF_S(1)}, STEADY);
	world_script(w, "tell", HELPER(.lives = EFF_S(2)));
	world_run_for(w, EFF_S(20));
	world_stop(w, "web");
	world_run_for(w, EFF_S(20));

	/* Its end at 1 s is told until 3 s, the clean one at 4.5 s is not, nor is the stop. */
	ck_assert_str_eq(helper_trace(w, "tell"), "1000 spawn, 3000 end");
	EXPECT_TRACE(w, "web",
		"0 spawn, 1000 exit 1, 3500 spawn, 4500 exit 0, 5500 spawn, 20000 TERM, 20000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(while_its_failure_is_told_a_unit_is_not_up)
{
	struct world *w = world_new("web: {command: web, hooks: {on_failure: tell},"
				    " restart: {backoff: {jitter: 0}}}\n"
				    "slow: {command: slow, depends_on: [late]}\n"
				    "late: {command: late, depends_on: [web, db]}\n"
				    "db: {command: db, type: notify}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(1), .exits = 1}, STEADY);
	world_script(w, "tell", HELPER(.lives = EFF_S(2)));
	world_script(w, "db", (struct script){.ready_after = EFF_S(2), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(20));

	EXPECT_STATES(w, "web", "0 up, 1000 stopping, 3000 backoff, 3500 up");
	EXPECT_TRACE(w, "late", "3500 spawn");
	world_free(w);
}
END_TEST

START_TEST(while_a_command_of_its_readiness_does_not_end_a_unit_that_ended_is_not_up)
{
	struct world *w = world_new("web: {command: web, hooks: {on_ready: tell},"
				    " restart: {backoff: {jitter: 0}}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_S(1), .exits = 1}, STEADY);
	WORLD_SCRIPTS(w, "tell", HELPER(.lives = EFF_FOREVER, .unkillable_for = EFF_S(2)),
		HELPER(.lives = 0));
	world_run_for(w, EFF_S(20));

	EXPECT_STATES(w, "web", "0 up, 1000 stopping, 3000 backoff, 3500 up");
	world_free(w);
}
END_TEST

START_TEST(a_fiber_has_hooks_too)
{
	struct world *w = world_new("a: {fiber: idle, with: {for: 5s, exit: fail}, restart: no,"
				    " hooks: {pre_start: prepare, on_failure: tell}}");

	world_script(w, "prepare", HELPER(.lives = EFF_S(1)));
	world_script(w, "tell", HELPER(.lives = EFF_S(1)));
	world_run_for(w, EFF_S(20));

	EXPECT_STATE(w, "a", "failed");
	ck_assert_str_eq(helper_trace(w, "prepare"), "0 spawn, 1000 end");
	ck_assert_str_eq(helper_trace(w, "tell"), "6000 spawn, 7000 end");
	world_free(w);
}
END_TEST

START_TEST(on_give_up_runs_once_when_a_unit_has_failed)
{
	struct world *w = world_new(
		"web: {command: web, hooks: {on_failure: tell, on_give_up: {command: wail}},"
		" restart: {max_restarts: 2, backoff: {jitter: 0}}}\n"
		"other: {command: other}");

	world_script(w, "web", (struct script){.lives = EFF_S(1), .exits = 1});
	world_script(w, "tell", HELPER(.lives = 0));
	world_script(w, "wail", HELPER(.lives = EFF_S(3), .exits = 2));
	world_run_for(w, EFF_S(20));

	EXPECT_STATES(w, "web", "0 up, 1000 backoff, 1500 up, 2500 backoff, 3500 up, 4500 failed");
	ck_assert_str_eq(helper_trace(w, "wail"), "4500 spawn, 7500 end");
	ck_assert_str_eq(world_said(w, "web", "hook_failed"), "on_give_up: exit 2");
	world_free(w);
}
END_TEST

START_TEST(on_give_up_of_a_critical_unit_is_heard_before_the_end)
{
	struct world *w = world_new(
		"web: {command: web, critical: true, restart: no, hooks: {on_give_up: wail}}");

	world_script(w, "web", (struct script){.lives = EFF_S(1), .exits = 1});
	world_script(w, "wail", HELPER(.lives = EFF_S(3)));
	ck_assert(world_run_to_end(w, EFF_S(20)));

	ck_assert_str_eq(helper_trace(w, "wail"), "1000 spawn, 4000 end");
	ck_assert_int_eq(world_now(w), EFF_S(4));
	world_free(w);
}
END_TEST

START_TEST(a_supervisor_has_hooks_too)
{
	struct world *w = world_new(
		"g: {hooks: {pre_start: prepare, on_ready: announce, post_stop: clean},"
		" units: {a: {command: a}}}");

	world_script(w, "prepare", HELPER(.lives = EFF_S(1)));
	world_script(w, "announce", HELPER(.lives = EFF_S(1)));
	world_script(w, "clean", HELPER(.lives = EFF_S(1)));
	world_run_for(w, EFF_S(5));
	world_stop(w, "g");
	world_run_for(w, EFF_S(5));

	ck_assert_str_eq(helper_trace(w, "prepare"), "0 spawn, 1000 end");
	EXPECT_TRACE(w, "g/a", "1000 spawn, 5000 TERM, 5000 SIGTERM");
	ck_assert_str_eq(helper_trace(w, "announce"), "1000 spawn, 2000 end");
	ck_assert_str_eq(helper_trace(w, "clean"), "5000 spawn, 6000 end");
	EXPECT_STATES(w, "g", "0 starting, 1000 up, 5000 stopping, 6000 down");
	world_free(w);
}
END_TEST

START_TEST(a_supervisor_whose_pre_start_fails_starts_nobody)
{
	struct world *w = world_new(
		"g: {hooks: {pre_start: prepare}, restart: no, units: {a: {command: a}}}");

	world_script(w, "prepare", HELPER(.exits = 1));
	world_run_for(w, EFF_S(5));

	EXPECT_STATE(w, "g", "failed");
	ck_assert_uint_eq(world_spawns(w, "g/a"), 0);
	ck_assert_str_eq(world_last_exit(w, "g"), "hook");
	world_free(w);
}
END_TEST

START_TEST(a_hook_that_cannot_be_executed_is_not_told_in_the_words_of_another)
{
	struct world *w = world_new("a: {command: a, restart: no, hooks: {pre_start: one}}\n"
				    "b: {command: b, restart: no, hooks: {pre_start: two}}");

	world_script(w, "one",
		HELPER(.exec_error = ENOENT, .interpreter = "x", .fails_for = EFF_MS(20),
			.unkillable_for = EFF_MS(20)));
	world_script(w, "two",
		HELPER(.exec_error = ENOENT, .interpreter = "y", .exec_takes = EFF_MS(10)));
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_unit(w, "a")->last_exit->text,
		"pre_start: exec: ENOENT (No such file or directory): one: interpreter x");
	ck_assert_str_eq(world_unit(w, "b")->last_exit->text,
		"pre_start: exec: ENOENT (No such file or directory): two: interpreter y");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/hooks");
	TCase *tcase = tcase_create("hooks");

	tcase_add_test(tcase, pre_start_runs_before_the_program_and_holds_it_back);
	tcase_add_test(tcase, a_hook_that_cannot_be_executed_is_named_through_reloads);
	tcase_add_test(tcase, a_pre_start_that_fails_fails_the_start);
	tcase_add_test(tcase, a_pre_start_has_its_own_time_within_the_start_timeout);
	tcase_add_test(tcase, a_pre_start_that_cannot_be_executed_says_why);
	tcase_add_test(tcase, a_stop_during_pre_start_leaves_nothing);
	tcase_add_test(tcase, on_ready_runs_beside_a_unit_once_a_run);
	tcase_add_test(tcase, a_stop_command_that_fails_is_told_and_the_stop_goes_on);
	tcase_add_test(tcase, post_stop_runs_when_all_is_gone_and_before_anything_else);
	tcase_add_test(tcase, now_cuts_post_stop_short);
	tcase_add_test(tcase, on_failure_runs_after_ends_that_are_not_clean_and_no_others);
	tcase_add_test(tcase, while_its_failure_is_told_a_unit_is_not_up);
	tcase_add_test(tcase,
		while_a_command_of_its_readiness_does_not_end_a_unit_that_ended_is_not_up);
	tcase_add_test(tcase, a_fiber_has_hooks_too);
	tcase_add_test(tcase, on_give_up_runs_once_when_a_unit_has_failed);
	tcase_add_test(tcase, on_give_up_of_a_critical_unit_is_heard_before_the_end);
	tcase_add_test(tcase, a_supervisor_has_hooks_too);
	tcase_add_test(tcase, a_supervisor_whose_pre_start_fails_starts_nobody);
	tcase_add_test(tcase, a_hook_that_cannot_be_executed_is_not_told_in_the_words_of_another);
	suite_add_tcase(suite, tcase);
	return suite;
}
