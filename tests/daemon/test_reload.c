/* SPDX-License-Identifier: MIT */
/* Reload: only what changed is touched. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})

START_TEST(a_unit_that_is_the_same_keeps_its_process_and_its_counters)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {jitter: 0}}}\ndb: {command: db}");
	pid_t pid;

	WORLD_SCRIPTS(w, "web", CRASH, STEADY);
	world_run_for(w, EFF_S(10));
	pid = world_unit(w, "web")->pid;
	world_reload(w,
		"web: {command: web, restart: {backoff: {jitter: 0}}}\ndb: {command: db}\nnew: {command: new}");
	world_run_for(w, EFF_S(1));

	ck_assert_int_eq(w->reload_result, 0);
	ck_assert_str_eq(world_changes(w), "new start");
	ck_assert_int_eq(world_unit(w, "web")->pid, pid);
	ck_assert_uint_eq(world_unit(w, "web")->starts, 2);
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 1);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 1);
	EXPECT_TRACE(w, "new", "10000 spawn");
	world_free(w);
}
END_TEST

START_TEST(process_fields_restart_the_unit_and_forget_its_failures)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {jitter: 0}}}\ndb: {command: db}");

	WORLD_SCRIPTS(w, "web", CRASH, {.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(10));
	world_reload(w,
		"web: {command: web --more, restart: {backoff: {jitter: 0}}}\ndb: {command: db}");
	world_run_for(w, EFF_S(10));

	ck_assert_str_eq(world_changes(w), "web restart");
	EXPECT_TRACE(w, "web",
		"0 spawn, 0 exit 1, 500 spawn, 10000 TERM, 12000 SIGTERM, 12000 spawn");
	EXPECT_TRACE(w, "db", "0 spawn");
	ck_assert_str_eq(world_unit(w, "web")->spec->argv[1], "--more");
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 0);
	ck_assert_uint_eq(world_unit(w, "web")->starts, 3);
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 1);
	ck_assert_ptr_null(world_unit(w, "web")->next_plan);
	world_free(w);
}
END_TEST

START_TEST(process_fields_restart_from_failed_done_and_backoff_too)
{
	struct world *w = world_new(
		"f: {command: f, restart: no}\nd: {command: d, restart: no}\nb: {command: b, restart: {backoff: {initial: 1h, max: 1h}}}");

	WORLD_SCRIPTS(w, "f", CRASH, STEADY);
	WORLD_SCRIPTS(w, "d", {.exits = 0}, STEADY);
	WORLD_SCRIPTS(w, "b", CRASH, STEADY);
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"f: {command: f, umask: \"0077\", restart: no}\nd: {command: d x, restart: no}\n"
		"b: {command: b, environment: {A: b}, restart: {backoff: {initial: 1h, max: 1h}}}");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "f", "0 spawn, 0 exit 1, 1000 spawn");
	EXPECT_TRACE(w, "d", "0 spawn, 0 exit 0, 1000 spawn");
	EXPECT_TRACE(w, "b", "0 spawn, 0 exit 1, 1000 spawn");
	world_free(w);
}
END_TEST

START_TEST(one_that_an_operator_stopped_stays_down)
{
	struct world *w = world_new("web: {command: web}\ndb: {command: db}");

	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_stop(w, "db");
	world_run_for(w, EFF_S(1));
	/* Of another kind it still is what was stopped. */
	world_reload(w, "web: {command: web --new}\ndb: {units: {x: {command: x}}}");
	world_run_for(w, EFF_S(60));
	ck_assert_str_eq(world_changes(w), "db stop; web live; db live; db/x live");
	EXPECT_STATE(w, "db", "down");
	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_STATE(w, "web", "down");
	world_start(w, "web");
	world_start(w, "db");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "db/x", "up");

	ck_assert_str_eq(world_unit(w, "web")->spec->argv[1], "--new");
	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

START_TEST(live_fields_hold_without_a_restart)
{
	struct world *w = world_new("web: {command: web, stop: {timeout: 1h}, restart: no}\n"
				    "crash: {command: crash, restart: {backoff: {jitter: 0}}}");

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	WORLD_SCRIPTS(w, "crash", {.lives = EFF_S(5), .exits = 1});
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"web: {command: web, stop: {timeout: 3s, signal: INT}, restart: always, labels: {a: b}, description: x}\n"
		"crash: {command: crash, restart: {policy: on-failure, max_restarts: 0}}");
	world_run_for(w, EFF_S(9));
	ck_assert_str_eq(world_changes(w), "web live; crash live");
	EXPECT_TRACE(w, "crash", "0 spawn, 5000 exit 1");
	ck_assert_str_eq(world_cause(w, "crash"), "max_restarts < exit 1");
	world_stop(w, "web");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "web", "0 spawn, 10000 INT, 13000 KILL, 13000 SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(a_probe_that_comes_and_goes_is_live)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {jitter: 0}}, liveness_probe: {tcp: {port: 1}, period: 10s, failure_threshold: 1}}");

	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(15));
	world_reload(w,
		"web: {command: web, restart: {backoff: {jitter: 0}}, liveness_probe: {tcp: {port: 2}, period: 10s, failure_threshold: 1}}");
	world_run_for(w, EFF_S(60));

	ck_assert_str_eq(world_changes(w), "web live");
	ck_assert_uint_ge(world_spawns(w, "web"), 2);
	ck_assert_int_eq(world_unit(w, "web")->last_exit->kind, CAUSE_PROBE);
	world_free(w);
}
END_TEST

START_TEST(a_vanished_unit_stops_and_goes)
{
	struct world *w = world_new(
		"web: {command: web}\nold: {command: old}\ng: {units: {x: {command: x}, y: {command: y}}}");

	world_script(w, "old", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	world_run_for(w, EFF_S(1));
	world_reload(w, "web: {command: web}");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "old", "0 spawn, 1000 TERM, 4000 SIGTERM");
	EXPECT_TRACE(w, "g/x", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_TRACE(w, "web", "0 spawn");
	ck_assert_ptr_null(tree_find(w->tree, "old"));
	ck_assert_ptr_null(tree_find(w->tree, "g"));
	ck_assert_ptr_null(tree_find(w->tree, "g/x"));
	ck_assert_uint_eq(w->tree->n_units, 2);
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_free(w);
}
END_TEST

START_TEST(a_unit_may_vanish_in_any_state)
{
	struct world *w = world_new(
		"slow: {command: slow, type: notify}\nback: {command: back}\nbad: {command: bad, restart: no}\n"
		"wait: {command: wait, depends_on: [slow]}\njob: {command: job, type: oneshot}\n"
		"hand: {command: hand, activate: manual}\nkeep: {command: keep}\n"
		"hung: {command: hung, stop: {timeout: 2s}}");

	world_script(w, "slow", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_script(w, "back", CRASH);
	world_script(w, "bad", CRASH);
	world_script(w, "hung", (struct script){.exec_takes = EFF_FOREVER});
	world_run_for(w, EFF_S(10));
	world_reload(w, "keep: {command: keep}");
	world_run_for(w, EFF_S(20));

	ck_assert_uint_eq(w->tree->n_units, 2);
	ck_assert_uint_eq(w->reloads_under_way, 0);
	ck_assert_uint_eq(os_fake_live(w->fake, NULL), 1);
	EXPECT_STATE(w, "/", "up");
	world_free(w);
}
END_TEST

START_TEST(a_moved_unit_stops_and_starts)
{
	struct world *w = world_new("a: {command: a}\ng: {units: {x: {command: x}}}");

	world_run_for(w, EFF_S(1));
	world_reload(w, "g: {units: {x: {command: x}, a: {command: a}}}");
	world_run_for(w, EFF_S(10));

	ck_assert_ptr_null(tree_find(w->tree, "a"));
	EXPECT_TRACE(w, "a", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_TRACE(w, "g/a", "1000 spawn");
	EXPECT_TRACE(w, "g/x", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_change_of_order_alone_touches_nobody)
{
	struct world *w = world_new("a: {command: a}\nb: {command: b}\nc: {command: c}");

	world_run_for(w, EFF_S(1));
	world_reload(w, "c: {command: c}\na: {command: a}\nb: {command: b}");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "a", "0 spawn");
	EXPECT_TRACE(w, "b", "0 spawn");
	EXPECT_TRACE(w, "c", "0 spawn");
	ck_assert_str_eq(w->tree->units[1]->name, "c");
	world_free(w);
}
END_TEST

START_TEST(a_unit_that_is_disabled_stops_and_one_that_is_enabled_starts)
{
	struct world *w = world_new("a: {command: a}\nb: {command: b, enabled: false}");

	world_run_for(w, EFF_S(1));
	world_reload(w, "a: {command: a, enabled: false}\nb: {command: b}");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "a", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_STATE(w, "a", "down");
	EXPECT_TRACE(w, "b", "1000 spawn");
	world_free(w);
}
END_TEST

/* What a reload says that it does is what it does. */
START_TEST(the_changes_tell_who_starts_and_who_stops)
{
	struct world *w = world_new(
		"a: {command: a}\nb: {command: b, enabled: false}\n"
		"c: {command: c, activate: manual}\nheld: {command: d, activate: manual}\n"
		"p: {command: p}\n");

	world_run_for(w, EFF_S(1));
	world_stop(w, "held");
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"a: {command: a --other, enabled: false}\nb: {command: b --other}\n"
		"c: {command: c}\nheld: {command: d}\np: {command: p, enabled: false}\n"
		"new: {command: e}\nquiet: {command: f, activate: manual}\noff: {command: g, enabled: false}\n"
		"lent: {command: h, activate: manual}\nneeds: {command: i, depends_on: [lent]}\n");
	world_run_for(w, EFF_S(10));

	ck_assert_str_eq(world_changes(w),
		"a stop; b start; c start; held live; p stop; new start; quiet live; off live; lent start; needs start");
	EXPECT_TRACE(w, "a", "0 spawn, 2000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "b", "2000 spawn");
	ck_assert_str_eq(world_unit(w, "b")->spec->argv[1], "--other");
	ck_assert_str_eq(world_unit(w, "a")->spec->argv[1], "--other");
	EXPECT_TRACE(w, "c", "2000 spawn");
	EXPECT_TRACE(w, "held", "");
	EXPECT_TRACE(w, "quiet", "");
	EXPECT_TRACE(w, "lent", "2000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_manual_unit_stops_when_a_reload_takes_the_last_that_requires_it)
{
	struct world *w = world_new(
		"deep: {command: d, activate: manual}\n"
		"man: {command: m, activate: manual, depends_on: [deep]}\n"
		"hand: {command: h, activate: manual}\n"
		"a: {command: a, depends_on: [man, hand]}\nb: {command: b, depends_on: [man]}\n");

	world_run_for(w, EFF_S(1));
	world_start(w, "hand");
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"deep: {command: d, activate: manual}\n"
		"man: {command: m, activate: manual, depends_on: [deep]}\n"
		"hand: {command: h, activate: manual}\nb: {command: b, depends_on: [man]}\n");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_changes(w), "a stop");
	EXPECT_TRACE(w, "man", "0 spawn");
	world_reload(w,
		"deep: {command: d, activate: manual}\n"
		"man: {command: m, activate: manual, depends_on: [deep]}\n"
		"hand: {command: h, activate: manual}\nb: {command: b}\n");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_changes(w), "deep stop; man stop; b live");
	EXPECT_TRACE(w, "man", "0 spawn, 3000 TERM, 3000 SIGTERM");
	EXPECT_TRACE(w, "deep", "0 spawn, 3000 TERM, 3000 SIGTERM");
	EXPECT_TRACE(w, "hand", "0 spawn");
	EXPECT_TRACE(w, "b", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(nothing_starts_in_a_group_that_does_not_run)
{
	struct world *w = world_new(
		"g: {units: {a: {command: a}}}\n"
		"f: {restart: no, units: {b: {command: b, critical: true, restart: no}}}\n");

	world_script(w, "b", CRASH);
	world_run_for(w, EFF_S(1));
	world_stop(w, "g");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "f", "failed");
	world_reload(w,
		"g: {units: {a: {command: a 2}, c: {command: c}}}\n"
		"f: {restart: no, units: {b: {command: b 2, critical: true, restart: no}}}\n");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_changes(w), "g/a live; g/c live; f/b live");
	world_start(w, "g");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_unit(w, "g/a")->spec->argv[1], "2");
	EXPECT_TRACE(w, "g/c", "3000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_bad_tree_changes_nothing)
{
	struct world *w = world_new("a: {command: a}");

	world_run_for(w, EFF_S(1));
	ck_assert_ptr_null(world_plan(w, "a: {comand: a}\n", false));
	ck_assert_ptr_null(world_plan(w, "a: {command: a, depends_on: [zz]}\n", false));
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "a", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(an_empty_reload_changes_nothing)
{
	struct world *w = world_new(
		"a: {command: a, depends_on: [b]}\nb: {command: b}\ng: {units: {x: {command: x}}}");

	world_run_for(w, EFF_S(1));
	for (int i = 0; i < 20; i++) {
		world_reload(w,
			"a: {command: a, depends_on: [b]}\nb: {command: b}\ng: {units: {x: {command: x}}}");
		world_run_for(w, 0);
		ck_assert_str_eq(world_changes(w), "");
	}

	EXPECT_TRACE(w, "a", "0 spawn");
	EXPECT_TRACE(w, "g/x", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(one_that_is_restarted_with_another_again_and_again_holds_up_no_reload)
{
	struct world *w = world_new("a: {command: a, restart: {backoff: {initial: 0s}}}");

	world_script(w, "a", (struct script){.lives = EFF_MS(500), .exits = 1});
	world_script(w, "b", (struct script){.ready_after = EFF_S(1), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"a: {command: a, restart: {backoff: {initial: 0s}}}\n"
		"b: {command: b, type: notify, depends_on: {a: {restart: true}}}");
	world_run_for(w, EFF_S(3));

	EXPECT_STATE(w, "b", "starting");
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_free(w);
}
END_TEST

START_TEST(the_plan_of_a_reload_does_nothing_and_its_id_changes_with_wishes)
{
	struct world *w = world_new("a: {command: a}\nb: {command: b}");
	struct plan *plan;
	struct plan_change *changes;
	uint32_t n;
	char first[32];
	char second[32];

	world_run_for(w, EFF_S(1));
	plan = world_plan(w, "a: {command: a 2}\nb: {command: b}", true);
	ck_assert_int_eq(tree_plan(w->tree, plan, &changes, &n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(changes[0].action, PLAN_DO_RESTART);
	tree_plan_id(w->tree, plan, changes, n, first);
	tree_plan_id(w->tree, plan, changes, n, second);
	ck_assert_str_eq(first, second);
	plan_changes_free(changes, n);
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(tree_plan(w->tree, plan, &changes, &n), 0);
	tree_plan_id(w->tree, plan, changes, n, second);
	/* A unit that an operator stopped is not restarted. */
	for (uint32_t i = 0; i < n; i++)
		ck_assert_int_ne(changes[i].action, PLAN_DO_RESTART);
	ck_assert_str_ne(first, second);
	plan_changes_free(changes, n);
	plan_unref(plan);

	EXPECT_TRACE(w, "b", "0 spawn");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/reload");
	TCase *tcase = tcase_create("reload");

	tcase_add_test(tcase, a_unit_that_is_the_same_keeps_its_process_and_its_counters);
	tcase_add_test(tcase, process_fields_restart_the_unit_and_forget_its_failures);
	tcase_add_test(tcase, process_fields_restart_from_failed_done_and_backoff_too);
	tcase_add_test(tcase, one_that_an_operator_stopped_stays_down);
	tcase_add_test(tcase, live_fields_hold_without_a_restart);
	tcase_add_test(tcase, a_probe_that_comes_and_goes_is_live);
	tcase_add_test(tcase, a_vanished_unit_stops_and_goes);
	tcase_add_test(tcase, a_unit_may_vanish_in_any_state);
	tcase_add_test(tcase, a_moved_unit_stops_and_starts);
	tcase_add_test(tcase, a_change_of_order_alone_touches_nobody);
	tcase_add_test(tcase, a_unit_that_is_disabled_stops_and_one_that_is_enabled_starts);
	tcase_add_test(tcase, the_changes_tell_who_starts_and_who_stops);
	tcase_add_test(tcase, a_manual_unit_stops_when_a_reload_takes_the_last_that_requires_it);
	tcase_add_test(tcase, nothing_starts_in_a_group_that_does_not_run);
	tcase_add_test(tcase, a_bad_tree_changes_nothing);
	tcase_add_test(tcase, an_empty_reload_changes_nothing);
	tcase_add_test(tcase, one_that_is_restarted_with_another_again_and_again_holds_up_no_reload);
	tcase_add_test(tcase, the_plan_of_a_reload_does_nothing_and_its_id_changes_with_wishes);
	suite_add_tcase(suite, tcase);
	return suite;
}
