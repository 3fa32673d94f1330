/* SPDX-License-Identifier: MIT */
/* Dependencies: what holds a start back and what releases it, the order of stops, bind and restart edges, and order alone. */
#include <errno.h>
#include <signal.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
#define SLOW ((struct script){.ready_after = EFF_S(5), .lives = EFF_FOREVER})

START_TEST(a_dependant_starts_when_what_it_requires_is_up)
{
	struct world *w = world_new(
		"web: {command: web, depends_on: [db]}\ndb: {command: db, type: notify}");

	world_script(w, "db", SLOW);
	world_run_for(w, EFF_S(4));
	EXPECT_STATE(w, "web", "waiting");
	ck_assert_int_eq(world_unit(w, "web")->cause->kind, CAUSE_DEPENDENCY);
	ck_assert_ptr_eq(world_unit(w, "web")->awaits, world_unit(w, "db"));
	world_run_for(w, EFF_S(4));

	EXPECT_TRACE(w, "web", "5000 spawn");
	EXPECT_STATES(w, "web", "0 waiting, 5000 up");
	world_free(w);
}
END_TEST

START_TEST(the_condition_started_is_met_by_exec)
{
	struct world *w = world_new("web: {command: web, depends_on: {db: {condition: started}}}\n"
				    "db: {command: db, type: notify}");

	world_script(w, "db",
		(struct script){
			.exec_takes = EFF_S(1), .ready_after = EFF_S(5), .lives = EFF_FOREVER});
	world_run_for(w, EFF_S(3));

	EXPECT_TRACE(w, "web", "1000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_that_is_done_fulfils_ready_and_completed_successfully)
{
	struct world *w = world_new("web: {command: web, depends_on: [job]}\n"
				    "ready: {command: web, depends_on: {job: {condition: ready}}}\n"
				    "any: {command: web, depends_on: {job: {condition: completed}}}\n"
				    "job: {command: job, type: oneshot}");

	world_script(w, "job", (struct script){.lives = EFF_S(2)});
	world_run_for(w, EFF_S(3));

	EXPECT_TRACE(w, "web", "2000 spawn");
	EXPECT_TRACE(w, "ready", "2000 spawn");
	EXPECT_TRACE(w, "any", "2000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_oneshot_that_failed_fulfils_completed_alone)
{
	struct world *w = world_new("web: {command: web, depends_on: [job]}\n"
				    "any: {command: web, depends_on: {job: {condition: completed}}}\n"
				    "job: {command: job, type: oneshot, restart: no}");

	world_script(w, "job", (struct script){.lives = EFF_S(2), .exits = 1});
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "any", "2000 spawn");
	EXPECT_TRACE(w, "web", "");
	EXPECT_STATE(w, "web", "waiting");
	ck_assert_int_eq(world_unit(w, "web")->cause->kind, CAUSE_DEPENDENCY);
	world_free(w);
}
END_TEST

START_TEST(one_that_waits_for_what_cannot_hold_is_released_when_it_holds_after_all)
{
	struct world *w = world_new(
		"web: {command: web, depends_on: [job]}\njob: {command: job, type: oneshot, restart: no}");

	WORLD_SCRIPTS(w, "job", {.exits = 1}, {.lives = EFF_S(1)});
	world_run_for(w, EFF_S(10));
	EXPECT_STATE(w, "web", "waiting");
	world_reset(w, "job");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "web", "11000 spawn");
	world_free(w);
}
END_TEST

START_TEST(waiting_for_what_rests_costs_nothing)
{
	struct world *w = world_new(
		"web: {command: web, depends_on: [job]}\njob: {command: job, type: oneshot, restart: no}");
	struct eff_rt_stats before;
	struct eff_rt_stats after;

	world_script(w, "job", (struct script){.exits = 1});
	world_run_for(w, EFF_S(1));
	eff_rt_stats(w->rt, &before);
	world_run_for(w, EFF_H(24));
	eff_rt_stats(w->rt, &after);

	ck_assert_uint_le(after.switches - before.switches, 2);
	world_free(w);
}
END_TEST

START_TEST(what_is_not_required_is_waited_for_until_it_holds_or_has_failed_once)
{
	struct world *w = world_new(
		"good: {command: good, type: notify}\nbad: {command: bad, restart: on-failure}\n"
		"a: {command: a, depends_on: {good: {required: false}}}\n"
		"b: {command: b, depends_on: {bad: {required: false}}}\n"
		"c: {command: c, depends_on: {off: {required: false}}}\n"
		"off: {command: off, activate: manual}");

	world_script(w, "good", SLOW);
	world_script(w, "bad", (struct script){.exec_takes = EFF_S(2), .exec_error = ENOENT});
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "a", "5000 spawn");
	EXPECT_TRACE(w, "b", "2000 spawn");
	EXPECT_STATE(w, "c", "up");
	world_free(w);
}
END_TEST

/* What came of it in an earlier life, or before an operator started it anew, is no attempt of this one. */
START_TEST(each_new_beginning_waits_for_a_first_attempt_anew)
{
	struct world *w = world_new(
		"g:\n  units:\n    a: {command: a, depends_on: {x: {required: false}}}\n"
		"    x: {command: x, type: notify, restart: {backoff: {initial: 1s, jitter: 0}}}\n");

	WORLD_SCRIPTS(w, "x", {.lives = EFF_S(2), .ready_after = EFF_FOREVER, .exits = 1}, SLOW,
		SLOW, {.lives = EFF_S(3), .ready_after = EFF_FOREVER, .exits = 1}, SLOW);
	world_run_for(w, EFF_S(60));
	EXPECT_TRACE(w, "g/a", "2000 spawn");
	EXPECT_TRACE(w, "g/x", "0 spawn, 2000 exit 1, 3000 spawn");
	world_mark(w);
	world_restart(w, "g");
	world_run_for(w, EFF_S(60));
	EXPECT_TRACE(w, "g/x", "0 TERM, 0 SIGTERM, 0 spawn");
	EXPECT_TRACE(w, "g/a", "0 TERM, 0 SIGTERM, 5000 spawn");
	world_mark(w);
	world_restart(w, "g/x");
	world_restart(w, "g/a");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "g/x", "0 TERM, 0 SIGTERM, 0 spawn, 3000 exit 1, 4000 spawn");
	EXPECT_TRACE(w, "g/a", "0 TERM, 0 SIGTERM, 3000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_stop_stops_first_those_that_require_it_and_they_come_back_with_it)
{
	struct world *w = world_new("db: {command: db}\napi: {command: api, depends_on: [db]}\n"
				    "web: {command: web, depends_on: [api]}");

	world_script(w, "api", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(1)});
	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(2)});
	world_run_for(w, EFF_S(1));
	world_stop(w, "db");
	world_run_for(w, EFF_S(10));
	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 3000 SIGTERM");
	EXPECT_TRACE(w, "api", "0 spawn, 3000 TERM, 4000 SIGTERM");
	EXPECT_TRACE(w, "db", "0 spawn, 4000 TERM, 4000 SIGTERM");
	EXPECT_STATE(w, "web", "waiting");
	EXPECT_STATE(w, "api", "waiting");
	EXPECT_STATE(w, "db", "down");
	ck_assert(world_unit(w, "web")->wanted);
	world_mark(w);
	world_start(w, "db");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "db", "0 spawn");
	EXPECT_TRACE(w, "api", "0 spawn");
	EXPECT_TRACE(w, "web", "0 spawn");
	/* To be stopped for another is neither a failure nor a restart of one's own. */
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 0);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 0);
	world_free(w);
}
END_TEST

START_TEST(a_dependant_in_backoff_stays_there_then_waits)
{
	struct world *w = world_new(
		"db: {command: db}\n"
		"web: {command: web, depends_on: [db], restart: {backoff: {initial: 10s, jitter: 0}}}");

	world_script(w, "web", (struct script){.exits = 1});
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "backoff");
	world_stop(w, "db");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "db", "down");
	EXPECT_STATE(w, "web", "backoff");
	world_run_for(w, EFF_S(60));
	EXPECT_STATE(w, "web", "waiting");
	EXPECT_TRACE(w, "web", "0 spawn, 0 exit 1");
	world_script(w, "web", STEADY);
	world_start(w, "db");
	world_run_for(w, 0);

	EXPECT_STATE(w, "web", "up");
	world_free(w);
}
END_TEST

START_TEST(an_end_by_itself_leaves_dependants_running)
{
	struct world *w = world_new(
		"db: {command: db, restart: {backoff: {jitter: 0}}}\nweb: {command: web, depends_on: [db]}");

	WORLD_SCRIPTS(w, "db", {.lives = EFF_S(1), .exits = 1}, STEADY);
	world_run_for(w, EFF_S(10));
	world_restart(w, "db");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "db",
		"0 spawn, 1000 exit 1, 1500 spawn, 10000 TERM, 10000 SIGTERM, 10000 spawn");
	EXPECT_TRACE(w, "web", "0 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_bound_unit_stops_when_the_other_leaves_up_and_waits_for_it)
{
	struct world *w = world_new("db: {command: db, type: notify, restart: {backoff: {jitter: 0}}}\n"
				    "web: {command: web, depends_on: {db: {bind: true}}}");

	WORLD_SCRIPTS(w, "db", {.ready_after = 0, .lives = EFF_S(3), .exits = 1}, SLOW);
	world_run_for(w, EFF_S(5));
	EXPECT_STATE(w, "web", "waiting");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "db", "0 spawn, 3000 exit 1, 3500 spawn");
	EXPECT_TRACE(w, "web", "0 spawn, 3000 TERM, 3000 SIGTERM, 8500 spawn");
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 0);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 0);
	ck_assert_int_eq(world_unit(w, "web")->last_exit->kind, CAUSE_DEPENDENCY);
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"it is bound to db, which is up no more");
	world_free(w);
}
END_TEST

START_TEST(a_bound_unit_stops_when_a_readiness_probe_takes_the_other_out_of_up)
{
	struct world *w = world_new(
		"db: {command: db, readiness_probe: {tcp: {port: 1}, period: 1s, failure_threshold: 1}}\n"
		"web: {command: web, depends_on: {db: {bind: true}}}\n"
		"free: {command: web, depends_on: [db]}");

	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(5));
	EXPECT_TRACE(w, "web", "100 spawn");
	os_fake_port(w->fake, 1, -ECONNREFUSED, 0);
	world_run_for(w, EFF_S(2));
	EXPECT_STATE(w, "db", "starting");
	EXPECT_STATE(w, "web", "waiting");
	os_fake_port(w->fake, 1, 0, 0);
	world_run_for(w, EFF_S(2));

	EXPECT_STATE(w, "web", "up");
	ck_assert_uint_eq(world_spawns(w, "db"), 1);
	ck_assert_uint_eq(world_spawns(w, "free"), 1);
	ck_assert_uint_eq(world_spawns(w, "web"), 2);
	world_free(w);
}
END_TEST

START_TEST(a_restart_edge_restarts_once_the_other_is_up_again_and_is_not_counted)
{
	struct world *w = world_new("db: {command: db, type: notify, restart: {backoff: {jitter: 0}}}\n"
				    "web: {command: web, depends_on: {db: {restart: true}}}");

	WORLD_SCRIPTS(w, "db", {.lives = EFF_S(3), .exits = 1}, SLOW);
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "db", "0 spawn, 3000 exit 1, 3500 spawn");
	EXPECT_TRACE(w, "web", "0 spawn, 8500 TERM, 8500 SIGTERM, 8500 spawn");
	ck_assert_uint_eq(world_unit(w, "web")->starts, 2);
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 0);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "web")->child), 0);
	ck_assert_str_eq(world_unit(w, "web")->last_exit->text,
		"to be restarted with db, which is up again");
	world_free(w);
}
END_TEST

START_TEST(a_restart_edge_follows_an_operators_restart_too)
{
	struct world *w = world_new(
		"db: {command: db}\nweb: {command: web, depends_on: {db: {restart: true}}}");

	world_run_for(w, EFF_S(1));
	world_restart(w, "db");
	world_run_for(w, EFF_S(5));

	EXPECT_TRACE(w, "db", "0 spawn, 1000 TERM, 1000 SIGTERM, 1000 spawn");
	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 1000 SIGTERM, 1000 spawn");
	world_free(w);
}
END_TEST

/* Its end came before: that is what it is judged by. */
START_TEST(what_ends_by_itself_is_neither_ended_nor_restarted_with_another)
{
	struct world *w = world_new("db: {command: db}\n"
				    "job: {command: job, type: oneshot, hooks: {post_stop: clear}, "
				    "depends_on: {db: {restart: true}}}\n"
				    "web: {command: web, restart: no, hooks: {post_stop: clear}, "
				    "depends_on: {db: {bind: true}}}");

	world_script(w, "job", (struct script){.lives = EFF_S(3)});
	world_script(w, "web", (struct script){.lives = EFF_S(3), .exits = 1});
	world_script(w, "clear", (struct script){.lives = EFF_S(5), .helper = true});
	world_run_for(w, EFF_S(4));
	world_restart(w, "db");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "db", "0 spawn, 4000 TERM, 4000 SIGTERM, 4000 spawn");
	EXPECT_TRACE(w, "job", "0 spawn, 3000 exit 0");
	EXPECT_STATE(w, "job", "done");
	EXPECT_TRACE(w, "web", "0 spawn, 3000 exit 1");
	EXPECT_STATE(w, "web", "failed");
	ck_assert_str_eq(world_last_exit(w, "web"), "exit 1");
	world_free(w);
}
END_TEST

START_TEST(a_stop_waits_for_a_dependant_that_ends_by_itself_and_leaves_its_end_as_it_is)
{
	struct world *w = world_new(
		"db: {command: db}\nweb: {command: web, depends_on: [db], "
		"restart: {backoff: {initial: 3s, jitter: 0}}, "
		"liveness_probe: {tcp: {port: 1}, period: 1s, failure_threshold: 1}}");

	WORLD_SCRIPTS(w, "web", {.lives = EFF_FOREVER, .term_takes = EFF_S(8)}, STEADY);
	world_run_for(w, EFF_S(2));
	os_fake_port(w->fake, 1, 0, 0);
	world_stop(w, "db");
	world_run_for(w, EFF_S(28));
	ck_assert_str_eq(world_last_exit(w, "web"), "probe SIGTERM");
	world_start(w, "db");
	world_run_for(w, EFF_S(10));

	EXPECT_TRACE(w, "db", "0 spawn, 9000 TERM, 9000 SIGTERM, 30000 spawn");
	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 9000 SIGTERM, 30000 spawn");
	EXPECT_STATES(w, "web", "0 up, 1000 stopping, 9000 backoff, 12000 waiting, 30000 up");
	ck_assert_uint_eq(world_unit(w, "web")->restarts, 1);
	world_free(w);
}
END_TEST

/* It is restarted for what has been there in its own run. */
START_TEST(a_restart_edge_is_about_what_left_while_one_ran)
{
	struct world *w = world_new(
		"g:\n  units:\n    x: {command: x, type: notify}\n"
		"    in: {command: i, depends_on: {x: {condition: started, restart: true}}}\n"
		"out: {command: o, depends_on: {g/x: {condition: started, restart: true}}}\n"
		"late: {command: l, activate: manual, depends_on: {g/x: {condition: started, restart: true}}}");

	world_script(w, "x", SLOW);
	world_run_for(w, EFF_S(60));
	EXPECT_TRACE(w, "g/in", "0 spawn");
	EXPECT_TRACE(w, "out", "0 spawn");
	world_mark(w);
	world_restart(w, "g");
	world_run_for(w, EFF_S(1));
	world_start(w, "late");
	world_run_for(w, EFF_S(60));

	EXPECT_STATES(w, "g/x", "0 starting, 5000 up");
	/* These began with it, or after it, and saw it come up for the first time. */
	EXPECT_TRACE(w, "g/in", "0 TERM, 0 SIGTERM, 0 spawn");
	EXPECT_TRACE(w, "late", "1000 spawn");
	EXPECT_TRACE(w, "out", "5000 TERM, 5000 SIGTERM, 5000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_supervisor_as_a_dependency_holds_when_all_its_children_are_up)
{
	struct world *w = world_new(
		"web: {command: web, depends_on: [store]}\n"
		"store:\n  units:\n    db: {command: db, type: notify}\n    cache: {command: cache}");

	world_script(w, "db", SLOW);
	world_run_for(w, EFF_S(4));
	EXPECT_STATE(w, "store", "starting");
	world_run_for(w, EFF_S(4));

	EXPECT_TRACE(w, "web", "5000 spawn");
	world_stop(w, "store");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "web", "waiting");
	EXPECT_STATE(w, "store", "down");
	EXPECT_STATE(w, "store/db", "down");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/needs");
	TCase *tcase = tcase_create("needs");

	tcase_add_test(tcase, a_dependant_starts_when_what_it_requires_is_up);
	tcase_add_test(tcase, the_condition_started_is_met_by_exec);
	tcase_add_test(tcase, a_oneshot_that_is_done_fulfils_ready_and_completed_successfully);
	tcase_add_test(tcase, a_oneshot_that_failed_fulfils_completed_alone);
	tcase_add_test(
		tcase, one_that_waits_for_what_cannot_hold_is_released_when_it_holds_after_all);
	tcase_add_test(tcase, waiting_for_what_rests_costs_nothing);
	tcase_add_test(tcase, what_is_not_required_is_waited_for_until_it_holds_or_has_failed_once);
	tcase_add_test(tcase, each_new_beginning_waits_for_a_first_attempt_anew);
	tcase_add_test(tcase, a_stop_stops_first_those_that_require_it_and_they_come_back_with_it);
	tcase_add_test(tcase, a_dependant_in_backoff_stays_there_then_waits);
	tcase_add_test(tcase, an_end_by_itself_leaves_dependants_running);
	tcase_add_test(tcase, a_bound_unit_stops_when_the_other_leaves_up_and_waits_for_it);
	tcase_add_test(tcase, a_bound_unit_stops_when_a_readiness_probe_takes_the_other_out_of_up);
	tcase_add_test(tcase, a_restart_edge_restarts_once_the_other_is_up_again_and_is_not_counted);
	tcase_add_test(tcase, a_restart_edge_follows_an_operators_restart_too);
	tcase_add_test(tcase, what_ends_by_itself_is_neither_ended_nor_restarted_with_another);
	tcase_add_test(tcase,
		a_stop_waits_for_a_dependant_that_ends_by_itself_and_leaves_its_end_as_it_is);
	tcase_add_test(tcase, a_restart_edge_is_about_what_left_while_one_ran);
	tcase_add_test(tcase, a_supervisor_as_a_dependency_holds_when_all_its_children_are_up);
	suite_add_tcase(suite, tcase);
	return suite;
}
