/* SPDX-License-Identifier: MIT */
/* Stopping: in any moment, in order, with every grace to the millisecond, and with nothing left or coming later. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})

/* Whatever it was doing: it is down, nothing of it is there, and nothing comes later. */
static void expect_down_for_good(struct world *w, const char *unit)
{
	size_t n = world_spawns(w, unit);

	EXPECT_STATE(w, unit, "down");
	ck_assert_uint_eq(os_fake_live(w->fake, unit), 0);
	world_run_for(w, EFF_H(24));
	EXPECT_STATE(w, unit, "down");
	ck_assert_uint_eq(world_spawns(w, unit), n);
	ck_assert_int_eq(world_unit(w, unit)->pid, 0);
}

START_TEST(a_unit_stopped_while_up_is_down_at_once)
{
	struct world *w = world_new("web: {command: web}");

	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, 0);

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_STATES(w, "web", "0 up, 1000 down");
	ck_assert_str_eq(world_last_exit(w, "web"), "stop_requested SIGTERM");
	ck_assert_str_eq(world_cause(w, "web"), "stop_requested SIGTERM");
	ck_assert_int_eq(world_unit(w, "web")->last_exit->by.pid, 4711);
	ck_assert(!world_unit(w, "web")->wanted);
	expect_down_for_good(w, "web");
	world_free(w);
}
END_TEST

START_TEST(a_unit_stopped_while_backing_off_starts_no_more)
{
	struct world *w = world_new("web: {command: web, restart: {backoff: {jitter: 0}}}");

	world_script(w, "web", (struct script){.exits = 1});
	world_run_for(w, EFF_S(4));
	world_stop(w, "web");
	world_run_for(w, 0);

	ck_assert_uint_eq(world_unit(w, "web")->starts, 4);
	expect_down_for_good(w, "web");
	world_free(w);
}
END_TEST

START_TEST(a_unit_stopped_while_it_waits_never_starts)
{
	struct world *w = world_new(
		"db: {command: db, type: notify}\nweb: {command: web, depends_on: [db]}");

	world_script(w, "db", (struct script){.ready_after = EFF_S(10), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "waiting");
	world_stop(w, "web");
	world_run_for(w, 0);

	EXPECT_TRACE(w, "web", "");
	expect_down_for_good(w, "web");
	world_free(w);
}
END_TEST

START_TEST(a_unit_stopped_while_its_program_hangs_before_exec_is_killed_after_its_grace)
{
	struct world *w = world_new(
		"web: {command: web, start_timeout: infinity, stop: {timeout: 3s}}");

	world_script(w, "web", (struct script){.exec_takes = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "starting");
	world_stop(w, "web");
	world_run_for(w, EFF_S(3));

	/* Whether it is given its grace (no signal but KILL can reach it yet) or not: it is gone by now. */
	expect_down_for_good(w, "web");
	world_free(w);
}
END_TEST

START_TEST(a_program_that_hangs_before_exec_fails_by_start_timeout_and_delays_no_other)
{
	struct world *w = world_new(
		"web: {command: web, start_timeout: 5s, restart: no}\ndb: {command: db}");

	world_script(w, "web", (struct script){.exec_takes = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	EXPECT_STATES(w, "db", "0 up");
	world_run_for(w, EFF_S(30));

	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_last_exit(w, "web"), "start_timeout SIGKILL");
	ck_assert_uint_eq(os_fake_live(w->fake, "web"), 0);
	world_free(w);
}
END_TEST

START_TEST(a_unit_stopped_while_starting_is_down)
{
	struct world *w = world_new("web: {command: web, type: notify}");

	world_script(w, "web",
		(struct script){
			.ready_after = EFF_S(20), .lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(2));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 3000 SIGTERM");
	EXPECT_STATES(w, "web", "0 starting, 1000 stopping, 3000 down");
	expect_down_for_good(w, "web");
	world_free(w);
}
END_TEST

START_TEST(a_unit_stopped_in_the_moment_of_its_start_is_down)
{
	struct world *w = world_new("web: {command: web}\nslow: {command: slow}");

	world_script(w, "slow", (struct script){.exec_takes = EFF_MS(5), .lives = EFF_FOREVER});
	world_stop(w, "web");
	world_run_for(w, 0);
	expect_down_for_good(w, "web");
	world_start(w, "web");
	world_stop(w, "web");
	world_run_for(w, 0);
	expect_down_for_good(w, "web");
	world_restart(w, "slow");
	world_stop(w, "slow");
	world_run_for(w, EFF_S(20));
	expect_down_for_good(w, "slow");
	world_free(w);
}
END_TEST

START_TEST(a_second_stop_while_stopping_changes_nothing)
{
	struct world *w = world_new("web: {command: web, stop: {timeout: 10s}}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(3));
	world_stop(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 11000 KILL, 11000 SIGKILL");
	ck_assert_str_eq(world_last_exit(w, "web"), "stop_requested SIGKILL");
	ck_assert_str_eq(world_cause(w, "web"), "stop_requested SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(a_start_while_stopping_starts_again_after_the_end)
{
	struct world *w = world_new("web: {command: web}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));
	world_start(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 3000 SIGTERM, 3000 spawn");
	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

START_TEST(a_stop_after_a_start_while_stopping_has_the_last_word)
{
	struct world *w = world_new("web: {command: web}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_MS(500));
	world_start(w, "web");
	world_run_for(w, EFF_MS(500));
	world_stop(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 3000 SIGTERM");
	expect_down_for_good(w, "web");
	world_free(w);
}
END_TEST

START_TEST(the_stop_signal_timeout_and_final_signal_are_the_units_own)
{
	struct world *w = world_new(
		"web: {command: web, stop: {signal: SIGINT, timeout: 2500ms, final_signal: SIGQUIT}}");

	world_script(w, "web",
		(struct script){.lives = EFF_FOREVER, .notes = UINT64_C(1) << SIGINT});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 INT, 3500 QUIT, 3500 SIGQUIT");
	world_free(w);
}
END_TEST

START_TEST(without_a_grace_the_final_signal_comes_at_once)
{
	struct world *w = world_new(
		"zero: {command: zero, stop: {timeout: 0}}\nkill: {command: kill, stop: {signal: KILL}}");

	world_run_for(w, EFF_S(1));
	world_stop(w, "zero");
	world_stop(w, "kill");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "zero", "0 spawn, 1000 KILL, 1000 SIGKILL");
	EXPECT_TRACE(w, "kill", "0 spawn, 1000 KILL, 1000 SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(a_stop_now_cuts_a_grace_short_that_has_begun)
{
	struct world *w = world_new("web: {command: web, stop: {timeout: 1m}}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(3));
	world_stop_now(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 4000 KILL, 4000 SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(a_stop_now_kills_at_once_what_runs)
{
	struct world *w = world_new("web: {command: web, stop: {timeout: 1m}}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	world_stop_now(w, "web");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 KILL, 1000 SIGKILL");
	EXPECT_STATE(w, "web", "down");
	world_free(w);
}
END_TEST

START_TEST(the_stop_command_comes_first_and_within_the_grace)
{
	struct world *w = world_new("web: {command: web, stop: {command: bye, timeout: 10s}}\n"
				    "hung: {command: web, stop: {command: hang, timeout: 10s}}");

	world_script(w, "bye", (struct script){.lives = EFF_S(2), .helper = true});
	world_script(w, "hang", (struct script){.lives = EFF_FOREVER, .helper = true});
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_stop(w, "hung");
	world_run_for(w, EFF_MS(1999));
	EXPECT_TRACE(w, "web", "0 spawn");
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "web", "0 spawn, 3000 TERM, 3000 SIGTERM");
	EXPECT_STATE(w, "hung", "down");
	ck_assert_ptr_null(world_said(w, "web", "stop_failed"));
	ck_assert_str_eq(world_said(w, "hung", "stop_failed"), "stop.command: took too long");
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 0);
	world_free(w);
}
END_TEST

/* All that happens at a unit's stop, its helpers' starts and ends too, as "1000 run bye, 3000 TERM …". */
static const char *all_of_a_stop(struct world *w)
{
	static char text[512];
	size_t n, len = 0;
	const struct fake_event *events = os_fake_events(w->fake, &n);
	char buf[16];

	text[0] = '\0';
	for (size_t i = w->mark_event; i < n; i++) {
		const struct fake_event *e = &events[i];
		char what[64] = "";

		if (e->what == FAKE_SPAWN)
			(void)snprintf(what, sizeof(what), "run %s", e->program);
		else if (e->what == FAKE_END)
			(void)snprintf(what, sizeof(what), "end of %s", e->program);
		else if (e->what == FAKE_GONE && !e->helper)
			(void)snprintf(what, sizeof(what), "gone");
		else if (e->what == FAKE_SIGNAL)
			(void)snprintf(what, sizeof(what), "%s%s", signal_text(e->sig, buf) + 3,
				e->whom == OS_MAIN ? "@main" : "");
		if (what[0])
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld %s",
				len ? ", " : "", (long long)((e->at - w->mark) / EFF_MS(1)), what);
	}
	return text;
}

/* What the main process leaves needs the final signal, or, with `process`, is left, and its output waited for a second. */
START_TEST(a_stop_goes_its_steps_one_after_the_other)
{
	static const struct {
		const char *mode, *steps;
	} modes[] = {
		{"group",
			"0 run bye, 2000 end of bye, 2000 INT, 2000 CONT, 3000 end of web, "
			"6000 KILL, 6000 gone, 6000 run clean, 7000 end of clean"},
		{"mixed",
			"0 run bye, 2000 end of bye, 2000 INT@main, 2000 CONT@main, 3000 end of web, "
			"6000 KILL, 6000 gone, 6000 run clean, 7000 end of clean"},
		{"process",
			"0 run bye, 2000 end of bye, 2000 INT@main, 2000 CONT@main, 3000 end of web, "
			"4000 run clean, 5000 end of clean"},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		char yaml[300];
		struct world *w;

		(void)snprintf(yaml, sizeof(yaml),
			"web: {command: web, hooks: {post_stop: clean}, stop: {mode: %s, command: bye,\n"
			"  signal: SIGINT, timeout: 6s}}",
			modes[i].mode);
		w = world_new(yaml);
		world_script(w, "web",
			(struct script){.lives = EFF_FOREVER,
				.leaves = EFF_FOREVER,
				.left_ignores_term = true,
				.term_takes = EFF_S(1)});
		world_script(w, "bye", (struct script){.lives = EFF_S(2), .helper = true});
		world_script(w, "clean", (struct script){.lives = EFF_S(1), .helper = true});
		world_run_for(w, EFF_S(1));
		world_mark(w);
		world_stop(w, "web");
		world_run_for(w, EFF_S(60));

		ck_assert_str_eq(all_of_a_stop(w), modes[i].steps);
		EXPECT_STATE(w, "web", "down");
		world_free(w);
	}
}
END_TEST

START_TEST(every_stop_signal_is_followed_by_a_sigcont)
{
	struct world *w = world_new("web: {command: web}");
	const struct fake_event *events;
	size_t n;
	int conts = 0;

	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(1));

	events = os_fake_events(w->fake, &n);
	for (size_t i = 1; i < n; i++)
		conts += events[i].what == FAKE_SIGNAL && events[i].sig == SIGCONT &&
			events[i - 1].sig == SIGTERM;
	ck_assert_int_eq(conts, 1);
	world_free(w);
}
END_TEST

START_TEST(a_signal_goes_to_the_main_process_and_an_end_by_it_is_its_own)
{
	struct world *w = world_new("web: {command: web, restart: {backoff: {jitter: 0}}}");

	world_script(w, "web",
		(struct script){.lives = EFF_FOREVER, .notes = UINT64_C(1) << SIGUSR1});
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(tree_signal(w->tree, world_unit(w, "web"), SIGUSR1), 0);
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(tree_signal(w->tree, world_unit(w, "web"), SIGTERM), 0);
	world_run_for(w, EFF_MS(100));
	ck_assert_int_eq(tree_signal(w->tree, world_unit(w, "web"), SIGTERM), -ESRCH);
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "0 spawn, 1000 USR1@main, 2000 TERM@main, 2000 SIGTERM, 2500 spawn");
	ck_assert_str_eq(world_last_exit(w, "web"), "signal SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_start_and_a_stop_in_one_moment_of_backoff_start_nothing)
{
	struct world *w = world_new("web: {command: web}");

	world_script(w, "web", (struct script){.exits = 1});
	world_run_for(w, EFF_MS(100));
	world_start(w, "web");
	world_stop(w, "web");
	world_run_for(w, 0);

	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 1");
	expect_down_for_good(w, "web");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/child_stop");
	TCase *tcase = tcase_create("stop");

	tcase_add_test(tcase, a_unit_stopped_while_up_is_down_at_once);
	tcase_add_test(tcase, a_unit_stopped_while_backing_off_starts_no_more);
	tcase_add_test(tcase, a_unit_stopped_while_it_waits_never_starts);
	tcase_add_test(tcase,
		a_unit_stopped_while_its_program_hangs_before_exec_is_killed_after_its_grace);
	tcase_add_test(tcase,
		a_program_that_hangs_before_exec_fails_by_start_timeout_and_delays_no_other);
	tcase_add_test(tcase, a_unit_stopped_while_starting_is_down);
	tcase_add_test(tcase, a_unit_stopped_in_the_moment_of_its_start_is_down);
	tcase_add_test(tcase, a_second_stop_while_stopping_changes_nothing);
	tcase_add_test(tcase, a_start_while_stopping_starts_again_after_the_end);
	tcase_add_test(tcase, a_stop_after_a_start_while_stopping_has_the_last_word);
	tcase_add_test(tcase, the_stop_signal_timeout_and_final_signal_are_the_units_own);
	tcase_add_test(tcase, without_a_grace_the_final_signal_comes_at_once);
	tcase_add_test(tcase, a_stop_now_cuts_a_grace_short_that_has_begun);
	tcase_add_test(tcase, a_stop_now_kills_at_once_what_runs);
	tcase_add_test(tcase, the_stop_command_comes_first_and_within_the_grace);
	tcase_add_test(tcase, a_stop_goes_its_steps_one_after_the_other);
	tcase_add_test(tcase, every_stop_signal_is_followed_by_a_sigcont);
	tcase_add_test(tcase, a_signal_goes_to_the_main_process_and_an_end_by_it_is_its_own);
	tcase_add_test(tcase, a_start_and_a_stop_in_one_moment_of_backoff_start_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
