/* SPDX-License-Identifier: MIT */
/* Groups: when one is up, when it fails, what a failure becomes on its way up, and what a group's start and stop are for its
 * children. */
#include <errno.h>

#include <check.h>

#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})

START_TEST(a_supervisor_is_up_when_each_wanted_child_is_settled)
{
	struct world *w = world_new("g:\n  units:\n    slow: {command: slow, type: notify}\n"
				    "    job: {command: job, type: oneshot}\n"
				    "    bad: {command: bad, restart: no}\n"
				    "    hand: {command: hand, activate: manual}\n"
				    "    off: {command: off, enabled: false}");

	world_script(w, "slow", (struct script){.ready_after = EFF_S(3), .lives = EFF_FOREVER});
	world_script(w, "job", (struct script){.lives = EFF_S(5)});
	world_script(w, "bad", (struct script){.lives = EFF_S(2), .exits = 1});
	world_run_for(w, EFF_S(10));

	EXPECT_STATES(w, "g", "0 starting, 5000 up");
	EXPECT_STATES(w, "/", "0 starting, 5000 up");
	EXPECT_STATE(w, "g/hand", "down");
	EXPECT_STATE(w, "g/off", "down");
	world_free(w);
}
END_TEST

START_TEST(it_stays_up_while_children_restart_by_themselves)
{
	struct world *w = world_new("g:\n  units:\n    a: {command: a}\n    b: {command: b}");

	WORLD_SCRIPTS(w, "a", {.lives = EFF_S(1), .exits = 1}, CRASH, CRASH, STEADY);
	world_run_for(w, EFF_M(5));

	EXPECT_STATES(w, "g", "0 up");
	EXPECT_TRACE(w, "g/b", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_critical_child_that_failed_fails_its_supervisor)
{
	struct world *w = world_new(
		"g:\n  restart: no\n  units:\n"
		"    a: {command: a, critical: true, restart: {max_restarts: 1, backoff: {jitter: 0}}}\n"
		"    b: {command: b}\nother: {command: other}");

	world_script(w, "a", (struct script){.lives = EFF_S(1), .exits = 1});
	world_script(w, "b", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "g/a", "0 spawn, 1000 exit 1, 1500 spawn, 2500 exit 1");
	EXPECT_TRACE(w, "g/b", "0 spawn, 2500 TERM, 4500 SIGTERM");
	EXPECT_STATES(w, "g", "0 up, 2500 stopping, 4500 failed");
	ck_assert_str_eq(world_last_exit(w, "g"), "critical < max_restarts < exit 1");
	/* The children of one that gave up are down because of it. */
	EXPECT_STATE(w, "g/a", "down");
	EXPECT_STATE(w, "g/b", "down");
	ck_assert_int_eq(world_unit(w, "g/b")->cause->kind, CAUSE_DEPENDENCY);
	EXPECT_TRACE(w, "other", "0 spawn");
	EXPECT_STATE(w, "/", "up");
	world_free(w);
}
END_TEST

START_TEST(a_critical_child_that_is_done_fails_nobody)
{
	struct world *w = world_new(
		"g:\n  units:\n    a: {command: a, critical: true, restart: no}\n    b: {command: b}");

	world_script(w, "a", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_S(10));

	EXPECT_STATE(w, "g", "up");
	EXPECT_STATE(w, "g/a", "done");
	world_free(w);
}
END_TEST

START_TEST(a_failed_supervisor_restarts_by_its_own_policy_and_delay)
{
	struct world *w = world_new(
		"g:\n  restart: {backoff: {initial: 2s, jitter: 0}}\n  units:\n"
		"    a: {command: a, critical: true, restart: no}\n    b: {command: b}");

	WORLD_SCRIPTS(w, "a", {.lives = EFF_S(1), .exits = 1}, {.lives = EFF_S(1), .exits = 1},
		STEADY);
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "g/a", "0 spawn, 1000 exit 1, 3000 spawn, 4000 exit 1, 8000 spawn");
	EXPECT_TRACE(w, "g/b",
		"0 spawn, 1000 TERM, 1000 SIGTERM, 3000 spawn, 4000 TERM, 4000 SIGTERM, 8000 spawn");
	EXPECT_STATES(w, "g", "0 up, 1000 backoff, 3000 up, 4000 backoff, 8000 up");
	ck_assert_uint_eq(world_unit(w, "g")->restarts, 2);
	/* To the children it is a new start, none of their own. */
	ck_assert_uint_eq(world_unit(w, "g/b")->restarts, 0);
	ck_assert_uint_eq(world_unit(w, "g/b")->starts, 3);
	world_free(w);
}
END_TEST

/* And not as one that is being stopped, which it was before. */
START_TEST(who_waits_for_a_failed_supervisor_waits_for_one_in_backoff)
{
	struct world *w = world_new("g: {restart: {backoff: {initial: 30s}}, units: "
				    "{a: {command: a, type: notify, critical: true, restart: no}}}\n"
				    "web: {command: web, depends_on: [g]}");

	world_script(w, "a", CRASH);
	world_run_for(w, EFF_S(10));

	EXPECT_STATE(w, "g", "backoff");
	ck_assert_str_eq(world_unit(w, "web")->cause->text, "waits for g, which is in backoff");
	world_free(w);
}
END_TEST

START_TEST(a_failure_climbs_through_supervisors_that_do_not_restart)
{
	struct world *w = world_new(
		"version: 1\nname: test\ndaemon: {on_give_up: exit}\nunits:\n"
		"  outer:\n    critical: true\n    restart: no\n    units:\n"
		"      inner:\n        critical: true\n        restart: no\n        units:\n"
		"          a: {command: a, critical: true, restart: no}\n"
		"      c: {command: c}\n"
		"  d: {command: d}\n");

	world_script(w, "a", (struct script){.lives = EFF_S(3), .exits = 1});
	world_run_for(w, EFF_S(10));

	ck_assert(w->ended);
	ck_assert_int_eq(tree_exit_code(w->tree, w->end), 1);
	ck_assert_str_eq(world_last_exit(w, "outer"), "critical < critical < exit 1");
	EXPECT_TRACE(w, "outer/c", "0 spawn, 3000 TERM, 3000 SIGTERM");
	EXPECT_TRACE(w, "d", "0 spawn, 3000 TERM, 3000 SIGTERM");
	EXPECT_STATE(w, "/", "failed");
	world_free(w);
}
END_TEST

START_TEST(by_default_the_first_supervisor_above_absorbs)
{
	struct world *w = world_new("outer:\n  critical: true\n  units:\n"
				    "    inner:\n      critical: true\n      units:\n"
				    "        a: {command: a, critical: true, restart: no}\n"
				    "    c: {command: c}");

	world_script(w, "a", (struct script){.lives = EFF_S(1), .exits = 1});
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "outer/c", "0 spawn");
	EXPECT_STATES(w, "outer", "0 up");
	ck_assert_uint_gt(world_unit(w, "outer/inner")->restarts, 50);
	world_free(w);
}
END_TEST

START_TEST(a_root_that_failed_idles_where_it_is_told_to)
{
	struct world *w = world_new(
		"version: 1\nname: test\ndaemon: {on_give_up: idle}\nunits:\n"
		"  a: {command: a, critical: true, restart: no}\n  b: {command: b}\n");

	world_script(w, "a", (struct script){.lives = EFF_S(1), .exits = 1});
	world_run_for(w, EFF_H(1));

	ck_assert(!w->ended);
	EXPECT_STATE(w, "/", "failed");
	EXPECT_STATE(w, "b", "down");
	world_reset(w, "/");
	world_run_for(w, EFF_MS(500));
	EXPECT_STATE(w, "/", "up");
	EXPECT_STATE(w, "b", "up");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "/", "failed");
	world_shutdown(w, false);
	world_run_for(w, 0);
	ck_assert(w->ended);
	world_free(w);
}
END_TEST

START_TEST(a_supervisors_own_start_is_a_new_beginning)
{
	struct world *w = world_new("g:\n  units:\n    job: {command: job, type: oneshot}\n"
				    "    flaky: {command: flaky, restart: {backoff: {jitter: 0}}}\n"
				    "    bad: {command: bad, restart: no}\n"
				    "    hand: {command: hand, activate: manual}\n"
				    "    held: {command: held}");

	world_script(w, "job", (struct script){.lives = EFF_S(1)});
	WORLD_SCRIPTS(w, "flaky", CRASH, CRASH, CRASH, STEADY);
	world_script(w, "bad", CRASH);
	world_run_for(w, EFF_S(10));
	world_start(w, "g/hand");
	world_stop(w, "g/held");
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "g/flaky")->child), 3);
	EXPECT_STATE(w, "g/hand", "up");
	world_mark(w);
	world_restart(w, "g");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "g/job", "0 spawn, 1000 exit 0");
	EXPECT_TRACE(w, "g/flaky", "0 TERM, 0 SIGTERM, 0 spawn");
	EXPECT_TRACE(w, "g/bad", "0 spawn, 0 exit 1");
	EXPECT_TRACE(w, "g/hand", "0 TERM, 0 SIGTERM");
	EXPECT_TRACE(w, "g/held", "");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "g/flaky")->child), 0);
	ck_assert_uint_eq(world_unit(w, "g/flaky")->starts, 5);
	ck_assert_uint_eq(world_unit(w, "g/flaky")->restarts, 3);
	world_free(w);
}
END_TEST

START_TEST(the_children_of_a_stopped_supervisor_are_down)
{
	struct world *w = world_new(
		"g:\n  units:\n    up: {command: up}\n    back: {command: back}\n"
		"    job: {command: job, type: oneshot}\n    bad: {command: bad, restart: no}\n"
		"    wait: {command: wait, depends_on: [bad]}\n"
		"    sub: {units: {x: {command: x}}}");
	static const char *const names[] = {
		"g/up", "g/back", "g/job", "g/bad", "g/wait", "g/sub", "g/sub/x", "g"};

	world_script(w, "back", CRASH);
	world_script(w, "job", (struct script){.lives = 0});
	world_script(w, "bad", CRASH);
	world_run_for(w, EFF_S(10));
	world_stop(w, "g");
	world_run_for(w, 0);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		EXPECT_STATE(w, names[i], "down");
		ck_assert_msg(
			world_unit(w, names[i])->cause, "%s is down without a cause", names[i]);
		ck_assert_msg(world_unit(w, names[i])->cause->kind == CAUSE_STOP_REQUESTED,
			"%s: %s", names[i], world_cause(w, names[i]));
	}
	world_mark(w);
	world_run_for(w, EFF_H(1));
	EXPECT_TRACE(w, "g/back", "");
	world_start(w, "g");
	world_run_for(w, 0);
	EXPECT_STATE(w, "g/up", "up");
	EXPECT_STATE(w, "g/sub/x", "up");
	world_free(w);
}
END_TEST

/* It ends by itself, and in the same moment, for that very end, the one above it is stopped. */
START_TEST(a_supervisor_that_failed_as_it_was_stopped_is_down_for_the_stop)
{
	struct world *w = world_new(
		"version: 1\nname: test\ndaemon: {exit_code_from: g/a}\nunits:\n"
		"  g: {units: {a: {command: a, critical: true, restart: no}, b: {command: b}}}\n");

	world_script(w, "a", (struct script){.lives = EFF_S(1), .exits = 5});
	ck_assert(world_run_to_end(w, EFF_S(60)));

	EXPECT_STATES(w, "g", "0 up, 1000 down");
	ck_assert_str_eq(world_last_exit(w, "g"), "critical < exit 5");
	ck_assert_str_eq(world_cause(w, "g"), "stop_requested < exit 5");
	ck_assert_str_eq(world_cause(w, "g/b"), "dependency SIGTERM < critical < exit 5");
	ck_assert_int_eq(tree_exit_code(w->tree, w->end), 5);
	world_free(w);
}
END_TEST

START_TEST(a_start_of_a_child_starts_the_supervisors_above)
{
	struct world *w = world_new("g:\n  units:\n    a: {command: a}\n    b: {command: b}");

	world_run_for(w, EFF_S(1));
	world_stop(w, "g");
	world_run_for(w, EFF_S(1));
	world_start(w, "g/a");
	world_run_for(w, EFF_S(1));

	EXPECT_STATE(w, "g", "up");
	EXPECT_STATE(w, "g/a", "up");
	world_free(w);
}
END_TEST

START_TEST(sequential_starts_wait_for_the_one_before_and_stops_go_backwards)
{
	struct world *w = world_new("version: 1\nname: test\nstart_order: sequential\nunits:\n"
				    "  a: {command: a, type: notify}\n"
				    "  bad: {command: bad, restart: no}\n"
				    "  off: {command: off, activate: manual}\n"
				    "  job: {command: job, type: oneshot}\n"
				    "  b: {command: b}\n");

	world_script(w, "a",
		(struct script){
			.ready_after = EFF_S(1), .lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_script(w, "bad", (struct script){.exec_takes = EFF_S(1), .exec_error = ENOENT});
	world_script(w, "job", (struct script){.lives = EFF_S(1)});
	world_script(w, "b", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(10));
	EXPECT_TRACE(w, "bad", "1000 spawn, 2000 exit 127");
	EXPECT_TRACE(w, "job", "2000 spawn, 3000 exit 0");
	EXPECT_TRACE(w, "off", "");
	world_shutdown(w, false);
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "b", "3000 spawn, 10000 TERM, 11000 SIGTERM");
	EXPECT_TRACE(w, "a", "0 spawn, 11000 TERM, 12000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(one_in_backoff_holds_the_rest_of_a_sequential_start)
{
	struct world *w = world_new(
		"version: 1\nname: test\nstart_order: sequential\nunits:\n"
		"  a: {command: a, restart: {backoff: {jitter: 0}}}\n  b: {command: b}\n  c: {command: c}\n");

	WORLD_SCRIPTS(w, "a", {.exec_error = ENOENT}, {.exec_error = ENOENT}, STEADY);
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "b", "waiting");
	ck_assert_ptr_eq(world_unit(w, "b")->awaits, world_unit(w, "a"));
	world_run_for(w, EFF_S(9));

	EXPECT_TRACE(w, "b", "1500 spawn");
	EXPECT_TRACE(w, "c", "1500 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_group_that_depends_waits_as_a_whole)
{
	struct world *w = world_new(
		"db: {command: db, type: notify}\n"
		"g:\n  depends_on: [db]\n  units:\n    a: {command: a}\n    b: {command: b}");

	world_script(w, "db", (struct script){.ready_after = EFF_S(4), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "g", "waiting");
	EXPECT_STATE(w, "g/a", "down");
	world_run_for(w, EFF_S(4));

	EXPECT_TRACE(w, "g/a", "4000 spawn");
	world_stop(w, "db");
	world_run_for(w, EFF_S(4));
	EXPECT_STATE(w, "g", "waiting");
	EXPECT_TRACE(w, "g/a", "4000 spawn, 6000 TERM, 6000 SIGTERM");
	world_start(w, "db");
	world_run_for(w, EFF_S(10));
	EXPECT_STATE(w, "g/a", "up");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/group");
	TCase *tcase = tcase_create("supervisor");

	tcase_add_test(tcase, a_supervisor_is_up_when_each_wanted_child_is_settled);
	tcase_add_test(tcase, it_stays_up_while_children_restart_by_themselves);
	tcase_add_test(tcase, a_critical_child_that_failed_fails_its_supervisor);
	tcase_add_test(tcase, a_critical_child_that_is_done_fails_nobody);
	tcase_add_test(tcase, a_failed_supervisor_restarts_by_its_own_policy_and_delay);
	tcase_add_test(tcase, who_waits_for_a_failed_supervisor_waits_for_one_in_backoff);
	tcase_add_test(tcase, a_failure_climbs_through_supervisors_that_do_not_restart);
	tcase_add_test(tcase, by_default_the_first_supervisor_above_absorbs);
	tcase_add_test(tcase, a_root_that_failed_idles_where_it_is_told_to);
	tcase_add_test(tcase, a_supervisors_own_start_is_a_new_beginning);
	tcase_add_test(tcase, the_children_of_a_stopped_supervisor_are_down);
	tcase_add_test(tcase, a_supervisor_that_failed_as_it_was_stopped_is_down_for_the_stop);
	tcase_add_test(tcase, a_start_of_a_child_starts_the_supervisors_above);
	tcase_add_test(tcase, sequential_starts_wait_for_the_one_before_and_stops_go_backwards);
	tcase_add_test(tcase, one_in_backoff_holds_the_rest_of_a_sequential_start);
	tcase_add_test(tcase, a_group_that_depends_waits_as_a_whole);
	suite_add_tcase(suite, tcase);
	return suite;
}
