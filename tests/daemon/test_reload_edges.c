/* SPDX-License-Identifier: MIT */
/* Reload and what is between units: edges that come and go, reloads that meet others, shutdowns, and starting groups. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})

START_TEST(a_new_dependency_holds_for_the_next_start_and_for_stops)
{
	struct world *w = world_new("a: {command: a}\nb: {command: b}");

	world_script(w, "b", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_run_for(w, EFF_S(1));
	world_reload(w, "a: {command: a}\nb: {command: b, depends_on: [a]}");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "b", "0 spawn");
	world_stop(w, "a");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "b", "0 spawn, 2000 TERM, 3000 SIGTERM");
	EXPECT_TRACE(w, "a", "0 spawn, 3000 TERM, 3000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_dependency_that_vanishes_releases_those_that_wait)
{
	struct world *w = world_new(
		"a: {command: a, type: notify}\nb: {command: b, depends_on: [a]}");

	world_script(w, "a", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "b", "waiting");
	world_reload(w, "b: {command: b}");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "b", "1000 spawn");
	world_free(w);
}
END_TEST

START_TEST(an_edge_that_is_dropped_releases_one_that_waits)
{
	struct world *w = world_new(
		"a: {command: a, type: notify}\nb: {command: b, depends_on: [a]}\nc: {command: c, depends_on: [a]}");

	world_script(w, "a", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"a: {command: a, type: notify}\nb: {command: b}\nc: {command: c, depends_on: {a: {condition: started}}}");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "b", "1000 spawn");
	EXPECT_TRACE(w, "c", "1000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_second_reload_waits_for_the_first)
{
	struct world *w = world_new("a: {command: a}");

	world_script(w, "a", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	world_run_for(w, EFF_S(1));
	world_reload(w, "a: {command: a 2}");
	world_reload(w, "a: {command: a 3}");
	ck_assert_uint_eq(w->reloads_under_way, 2);
	world_run_for(w, EFF_S(30));

	ck_assert_uint_eq(w->reloads_under_way, 0);
	EXPECT_TRACE(w, "a",
		"0 spawn, 1000 TERM, 6000 SIGTERM, 6000 spawn, 6000 TERM, 11000 SIGTERM, 11000 spawn");
	ck_assert_str_eq(world_unit(w, "a")->spec->argv[1], "3");
	world_free(w);
}
END_TEST

START_TEST(a_restart_by_reload_leaves_dependants_but_for_bind_and_restart_edges)
{
	struct world *w = world_new("db: {command: db}\nfree: {command: free, depends_on: [db]}\n"
				    "bound: {command: bound, depends_on: {db: {bind: true}}}\n"
				    "again: {command: again, depends_on: {db: {restart: true}}}");

	world_script(w, "db", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	world_reload(w,
		"db: {command: db 2}\nfree: {command: free, depends_on: [db]}\n"
		"bound: {command: bound, depends_on: {db: {bind: true}}}\n"
		"again: {command: again, depends_on: {db: {restart: true}}}");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "free", "0 spawn");
	EXPECT_TRACE(w, "bound", "0 spawn, 1000 TERM, 1000 SIGTERM, 3000 spawn");
	EXPECT_TRACE(w, "again", "0 spawn, 3000 TERM, 3000 SIGTERM, 3000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_reload_during_a_shutdown_is_refused)
{
	struct world *w = world_new("a: {command: a}");

	world_script(w, "a", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(1));
	world_reload(w, "a: {command: b}");

	ck_assert_int_eq(w->reload_result, -ESHUTDOWN);
	world_free(w);
}
END_TEST

START_TEST(a_shutdown_in_the_middle_of_a_reload_ends_both)
{
	struct world *w = world_new("a: {command: a}\nb: {command: b}");

	world_script(w, "a", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	world_run_for(w, EFF_S(1));
	world_reload(w, "a: {command: a 2}\nc: {command: c}");
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(10));

	ck_assert(w->ended);
	EXPECT_TRACE(w, "a", "0 spawn, 1000 TERM, 6000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_child_that_vanishes_while_its_group_starts_holds_it_no_longer)
{
	struct world *w = world_new(
		"a: {command: a}\nslow: {command: slow, type: notify}\nz: {command: z, type: notify}");

	world_script(w, "slow", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	world_script(w, "z", (struct script){.ready_after = EFF_S(20), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "/", "starting");
	world_reload(w, "a: {command: a}\nz: {command: z, type: notify}");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "/", "starting");
	world_run_for(w, EFF_S(30));

	EXPECT_STATES(w, "/", "0 starting, 20000 up");
	world_free(w);
}
END_TEST

START_TEST(a_group_that_stops_while_a_reload_takes_its_children_ends_well)
{
	struct world *w = world_new(
		"a: {command: a}\ng: {units: {x: {command: x}, y: {command: y}}}");

	world_script(w, "x", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	world_run_for(w, EFF_S(1));
	world_reload(w, "a: {command: a}\ng: {units: {y: {command: y}}}");
	world_run_for(w, EFF_S(1));
	world_stop(w, "g");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "g/x", "0 spawn, 1000 TERM, 6000 SIGTERM");
	EXPECT_STATE(w, "g", "down");
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_free(w);
}
END_TEST

START_TEST(a_reload_that_waits_when_the_tree_gives_up_ends_with_it)
{
	struct world *w = world_new(
		"a: {command: a}\nmain: {command: main, critical: true, restart: no}");

	world_script(w, "a", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	world_script(w, "main", (struct script){.lives = EFF_S(3), .exits = 1});
	world_run_for(w, EFF_S(1));
	world_reload(w, "a: {command: a 2}\nmain: {command: main, critical: true, restart: no}");
	world_reload(w, "main: {command: main, critical: true, restart: no}");
	world_run_for(w, EFF_S(20));

	ck_assert(w->ended);
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_free(w);
}
END_TEST

START_TEST(a_group_may_be_taken_away_in_the_moment_in_which_it_is_up)
{
#define X(program) "x: {command: " program ", type: notify}\n"
	struct world *w = world_new(X("x") "g: {units: {a: {fiber: idle, depends_on: [x]}}}");

	world_script(w, "x", (struct script){.ready_after = EFF_S(5), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	/* This one is over when x is up, and then the next one takes away the group that x lets go. */
	world_reload(w, X("x again") "g: {units: {a: {fiber: idle, depends_on: [x]}}}");
	world_reload(w, X("x again"));
	world_run_for(w, EFF_S(10));

	ck_assert_uint_eq(w->tree->n_units, 2);
	EXPECT_STATES(w, "x", "0 starting, 1000 starting, 6000 up");
	ck_assert(eff_list_empty(&w->tree->graveyard));
	world_free(w);
#undef X
}
END_TEST

START_TEST(a_job_that_takes_its_time_holds_up_no_reload)
{
#define JOB(n) "job: {command: job " n ", type: oneshot}\n"
	struct world *w = world_new("a: {command: a}\n");

	world_script(w, "job", (struct script){.lives = EFF_H(2)});
	world_run_for(w, EFF_S(1));
	world_reload(w, "a: {command: a}\n" JOB("1"));
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_reload(w, "a: {command: a 2}\n" JOB("1"));
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "a", "0 spawn, 2000 TERM, 2000 SIGTERM, 2000 spawn");
	EXPECT_TRACE(w, "job", "1000 spawn");
	/* One that has to go for a new one is waited for. */
	world_script(w, "job", (struct script){.lives = EFF_H(2), .term_takes = EFF_S(3)});
	world_reload(w, "a: {command: a 2}\n" JOB("2"));
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_reload(w, "a: {command: a 2}\n" JOB("3"));
	world_run_for(w, EFF_S(2));
	ck_assert_uint_eq(w->reloads_under_way, 1);
	world_run_for(w, EFF_S(2));
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_free(w);
#undef JOB
}
END_TEST

/* From one start to the other it is `starting`, and nothing else happens in the tree. */
START_TEST(a_job_that_starts_anew_before_it_ran_holds_up_no_reload)
{
#define JOB(n) \
	"job: {command: job " n ", type: oneshot, hooks: {pre_start: {command: hook, timeout: 1m}}}"
	struct world *w = world_new(JOB("1"));

	world_script(w, "job", (struct script){.lives = EFF_H(2)});
	world_script(w, "hook", (struct script){.lives = EFF_MS(300), .helper = true});
	world_run_for(w, EFF_MS(1));
	world_reload(w, JOB("2"));
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "job", "301 spawn");
	EXPECT_STATES(w, "job", "0 starting");
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_free(w);
#undef JOB
}
END_TEST

START_TEST(a_unit_that_is_not_ready_any_more_holds_up_no_reload)
{
#define WEB(more) \
	"web: {command: web, readiness_probe: {tcp: {port: 1}, period: 1s, failure_threshold: 1}" more \
	"}\n"
	struct world *w = world_new(WEB(""));

	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(2));
	os_fake_port(w->fake, 1, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "web", "starting");
	world_reload(w, WEB(", labels: {a: b}"));
	world_run_for(w, 0);
	ck_assert_uint_eq(w->reloads_under_way, 0);
	ck_assert_str_eq(world_changes(w), "web live");
	world_reload(w, WEB(", labels: {a: b}") "b: {command: b}\n");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "web", "0 spawn");
	EXPECT_TRACE(w, "b", "4000 spawn");
	world_free(w);
#undef WEB
}
END_TEST

START_TEST(what_does_not_end_holds_up_no_reload)
{
	struct world *w = world_new(
		"a: {command: hung}\nb: {command: b}\ng: {units: {x: {command: hung}, y: {command: y}}}\n");

	world_script(w, "hung",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_H(1)});
	world_run_for(w, EFF_S(1));
	/* One is to be replaced, one is to go, each within 10 s of grace and 5 s after the final signal. */
	world_reload(w, "a: {command: other}\nb: {command: b}\n");
	world_run_for(w, EFF_S(14));
	ck_assert_uint_eq(w->reloads_under_way, 1);
	world_run_for(w, EFF_S(2));
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_reload(w, "a: {command: other}\nb: {command: b 2}\n");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "b", "0 spawn, 17000 TERM, 17000 SIGTERM, 17000 spawn");
	ck_assert_uint_eq(w->reloads_under_way, 0);
	world_run_for(w, EFF_H(1));

	ck_assert_uint_eq(world_spawns(w, "a"), 2);
	EXPECT_STATE(w, "a", "up");
	ck_assert(eff_list_empty(&w->tree->graveyard));
	world_free(w);
}
END_TEST

START_TEST(a_group_that_does_not_run_pulls_nobody_in)
{
#define GROUP(more) "g: {activate: manual, units: {x: {command: x}" more "}}\n"
#define INSIDE ", y: {command: y, depends_on: [x, db]}"
#define DB "db: {command: db, activate: manual}\n"
	struct world *w = world_new(DB GROUP("") "y: {command: y, depends_on: [g, g/x]}\n");

	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "g/x", "0 spawn");
	/* It ran for y alone, which is in it now. */
	world_reload(w, DB GROUP(INSIDE));
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_changes(w), "y stop; g stop; g/x stop; g/y live");
	EXPECT_STATE(w, "g", "down");
	for (int i = 0; i < 2; i++) {
		world_reload(w, DB GROUP(INSIDE) "z: {command: z}\n");
		world_run_for(w, EFF_S(1));
		ck_assert_str_eq(world_changes(w), i ? "" : "z start");
	}

	EXPECT_TRACE(w, "g/x", "0 spawn, 1000 TERM, 1000 SIGTERM");
	EXPECT_TRACE(w, "db", "");
	world_start(w, "g");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "db", "4000 spawn");
	EXPECT_STATE(w, "g/y", "up");
	world_free(w);
#undef DB
#undef INSIDE
#undef GROUP
}
END_TEST

START_TEST(a_manual_group_runs_as_long_as_one_requires_what_is_in_it)
{
#define GROUP "g: {activate: manual, units: {x: {command: x}, y: {command: y}}}\n"
	struct world *w = world_new(GROUP
		"a: {command: a, depends_on: [g/x]}\nb: {command: b, depends_on: [g/x]}\n");

	world_run_for(w, EFF_S(1));
	world_reload(w, GROUP "a: {command: a, depends_on: [g/x]}\nb: {command: b}\n");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_changes(w), "b live");
	EXPECT_TRACE(w, "g/y", "0 spawn");
	world_reload(w, GROUP "a: {command: a}\nb: {command: b}\n");
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(world_changes(w), "g stop; g/x stop; g/y stop; a live");
	EXPECT_TRACE(w, "g/x", "0 spawn, 2000 TERM, 2000 SIGTERM");
	EXPECT_TRACE(w, "a", "0 spawn");
	world_free(w);

	/* The same by hand; but not what an operator started. */
	w = world_new(GROUP "a: {command: a, depends_on: [g/x]}\n");
	world_run_for(w, EFF_S(1));
	world_start(w, "g/y");
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "g/y", "0 spawn");
	world_reload(w, "g: {activate: manual, units: {x: {command: x}, y: {command: y 2}}}\n");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(world_changes(w), "a stop; g/y restart");
	EXPECT_TRACE(w, "g/y", "0 spawn, 2000 TERM, 2000 SIGTERM, 2000 spawn");
	world_free(w);
	w = world_new(GROUP "a: {command: a, depends_on: [g/x]}\n");
	world_run_for(w, EFF_S(1));
	world_stop(w, "a");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "g/y", "0 spawn, 1000 TERM, 1000 SIGTERM");
	world_free(w);
#undef GROUP
}
END_TEST

START_TEST(what_runs_for_one_that_is_renamed_runs_for_the_other)
{
#define MAN "man: {command: man, activate: manual}\n"
	struct world *w = world_new(MAN "a: {units: {x: {command: x, depends_on: [man]}}}\n");

	world_run_for(w, EFF_S(1));
	world_reload(w, MAN "b: {units: {x: {command: x, depends_on: [man]}}}\n");
	world_run_for(w, EFF_S(1));
	EXPECT_TRACE(w, "man", "0 spawn");
	EXPECT_TRACE(w, "b/x", "1000 spawn");
	world_reload(w, MAN);
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "man", "0 spawn, 2000 TERM, 2000 SIGTERM");
	world_free(w);
#undef MAN
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/reload_edges");
	TCase *tcase = tcase_create("reload_edges");

	tcase_add_test(tcase, a_new_dependency_holds_for_the_next_start_and_for_stops);
	tcase_add_test(tcase, a_dependency_that_vanishes_releases_those_that_wait);
	tcase_add_test(tcase, an_edge_that_is_dropped_releases_one_that_waits);
	tcase_add_test(tcase, a_second_reload_waits_for_the_first);
	tcase_add_test(tcase, a_restart_by_reload_leaves_dependants_but_for_bind_and_restart_edges);
	tcase_add_test(tcase, a_reload_during_a_shutdown_is_refused);
	tcase_add_test(tcase, a_shutdown_in_the_middle_of_a_reload_ends_both);
	tcase_add_test(tcase, a_child_that_vanishes_while_its_group_starts_holds_it_no_longer);
	tcase_add_test(tcase, a_group_that_stops_while_a_reload_takes_its_children_ends_well);
	tcase_add_test(tcase, a_reload_that_waits_when_the_tree_gives_up_ends_with_it);
	tcase_add_test(tcase, a_group_may_be_taken_away_in_the_moment_in_which_it_is_up);
	tcase_add_test(tcase, a_job_that_takes_its_time_holds_up_no_reload);
	tcase_add_test(tcase, a_job_that_starts_anew_before_it_ran_holds_up_no_reload);
	tcase_add_test(tcase, a_unit_that_is_not_ready_any_more_holds_up_no_reload);
	tcase_add_test(tcase, what_does_not_end_holds_up_no_reload);
	tcase_add_test(tcase, a_group_that_does_not_run_pulls_nobody_in);
	tcase_add_test(tcase, a_manual_group_runs_as_long_as_one_requires_what_is_in_it);
	tcase_add_test(tcase, what_runs_for_one_that_is_renamed_runs_for_the_other);
	suite_add_tcase(suite, tcase);
	return suite;
}
