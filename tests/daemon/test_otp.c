/* SPDX-License-Identifier: MIT */
/* What people know of OTP's supervisors, as a tree says it: who is restarted with whom, for each strategy and each kind of
 * child (permanent: always; transient: on-failure; temporary: no); the edges of the intensity's window; starts and ends that
 * come at the wrong moment; failures that climb; and significant children. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define STEADY ((struct script){.lives = EFF_FOREVER})
#define CRASH_AFTER(t) ((struct script){.lives = (t), .exits = 1})
#define PLAIN "defaults: {restart: {backoff: {initial: 1s, jitter: 0}}}\n"
#define TREE(fields, units) "version: 1\nname: test\n" PLAIN fields "\nunits:\n" units

/* ── who goes with whom ── */

static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one"};
static const char *const policies[] = {"always", "on-failure", "no"};

/* Is it started again after this end? */
static bool comes_again(int policy, int code)
{
	return policy == 0 || (policy == 1 && code != 0);
}

START_TEST(each_strategy_restarts_whom_it_names_after_each_end_of_each_kind_of_child)
{
	const char *strategy = strategies[_i / 6], *policy = policies[_i / 2 % 3];
	int code = _i % 2;
	bool again = comes_again(_i / 2 % 3, code);
	bool a_goes = again && _i / 6 == 1, c_goes = again && _i / 6 > 0;
	char yaml[400], expected[100];
	struct world *w;

	(void)snprintf(yaml, sizeof(yaml),
		TREE("strategy: %s",
			"  a: {command: a}\n  b: {command: b, restart: {policy: %s}}\n  c: {command: c}\n"),
		strategy, policy);
	w = world_new(yaml);
	WORLD_SCRIPTS(w, "b", {.lives = EFF_S(5), .exits = code}, STEADY);
	world_run_for(w, EFF_H(1));

	(void)snprintf(expected, sizeof(expected), "0 spawn, 5000 exit %d%s", code,
		again ? ", 6000 spawn" : "");
	EXPECT_TRACE(w, "b", expected);
	EXPECT_TRACE(w, "a", a_goes ? "0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn" : "0 spawn");
	EXPECT_TRACE(w, "c", c_goes ? "0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn" : "0 spawn");
	EXPECT_STATE(w, "b", again ? "up" : code ? "failed" : "done");
	ck_assert_uint_eq(world_unit(w, "a")->restarts, a_goes);
	ck_assert_uint_eq(world_unit(w, "c")->restarts, c_goes);
	world_free(w);
}
END_TEST

START_TEST(a_sibling_comes_back_with_the_group_unless_it_is_temporary)
{
	const char *strategy = strategies[1 + _i / 3], *policy = policies[_i % 3];
	char yaml[400];
	struct world *w;

	(void)snprintf(yaml, sizeof(yaml),
		TREE("strategy: %s",
			"  a: {command: a}\n  b: {command: b, restart: {policy: %s}}\n  c: {command: c}\n"),
		strategy, policy);
	w = world_new(yaml);
	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(5)), STEADY);
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "b",
		_i % 3 == 2 ? "0 spawn, 5000 TERM, 5000 SIGTERM"
			    : "0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn");
	EXPECT_STATE(w, "b", _i % 3 == 2 ? "down" : "up");
	EXPECT_TRACE(w, "c", "0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn");
	EXPECT_STATES(w, "/", "0 up, 5000 starting, 6000 up");
	world_free(w);
}
END_TEST

START_TEST(of_children_added_at_run_time_each_goes_its_own_way)
{
	int code = _i % 2;
	bool again = comes_again(_i / 2, code);
	char unit[100];
	struct world *w = world_new("pool: {strategy: simple_one_for_one, template: {command: work,\n"
				    "  restart: {backoff: {initial: 1s, jitter: 0}}}}");

	WORLD_SCRIPTS(w, "b", {.lives = EFF_S(5), .exits = code}, STEADY);
	world_run_for(w, 0);
	(void)snprintf(unit, sizeof(unit),
		"a: {}, b: {command: b, restart: {policy: %s}}, c: {}", policies[_i / 2]);
	ck_assert_int_eq(world_add(w, "pool", unit), 0);
	world_run_for(w, EFF_H(1));

	EXPECT_TRACE(w, "pool/a", "0 spawn");
	EXPECT_TRACE(w, "pool/c", "0 spawn");
	ck_assert_uint_eq(world_spawns(w, "pool/b"), 1 + (size_t)again);
	/* A temporary one is gone with its end, a transient one is known still. */
	ck_assert_str_eq(world_units(w),
		_i / 2 == 2 ? "pool pool/a pool/c" : "pool pool/a pool/b pool/c");
	EXPECT_STATE(w, "pool", "up");
	world_free(w);
}
END_TEST

/* ── intensity ── */

START_TEST(one_end_more_than_allowed_within_the_period_trips_it_in_its_moment)
{
	/* It ends at 4, 9, 14 … s. */
	static const struct {
		const char *intensity;
		int trips_s; /* -1: never */
	} edges[] = {
		{"{max_restarts: 0, period: 1ms}", 4},
		{"{max_restarts: 1, period: 5s}", 9},
		{"{max_restarts: 1, period: 4999ms}", -1},
		{"{max_restarts: 2, period: 10s}", 14},
		{"{max_restarts: 2, period: 9999ms}", -1},
		{"{max_restarts: 3, period: 15s}", 19},
		{"{max_restarts: 3, period: 14999ms}", -1},
		{"{max_restarts: 3, period: 1h}", 19},
	};

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		char yaml[300];
		struct world *w;

		(void)snprintf(yaml, sizeof(yaml),
			TREE("intensity: %s",
				"  a: {command: a, restart: {backoff: {max: 1s}}}\n  b: {command: b}\n"),
			edges[i].intensity);
		w = world_new(yaml);
		w->story = edges[i].intensity;
		world_script(w, "a", CRASH_AFTER(EFF_S(4)));
		WORLD_ASSERT(w, world_run_to_end(w, EFF_H(1)) == (edges[i].trips_s > 0),
			"it ends, or does not");
		WORLD_ASSERT(w, !w->ended || world_now(w) == EFF_S(edges[i].trips_s),
			"it ends at another moment");
		world_free(w);
	}
}
END_TEST

/* After three ends, at 4, 9 and 14 s, it is steady for so long. */
static void expect_fourth_end(eff_ns steady, bool trips)
{
	struct world *w = world_new(TREE("intensity: {max_restarts: 3, period: 1m}",
		"  a: {command: a, restart: {backoff: {max: 1s}}}\n"));

	WORLD_SCRIPTS(w, "a", CRASH_AFTER(EFF_S(4)), CRASH_AFTER(EFF_S(4)),
		CRASH_AFTER(EFF_S(4)), CRASH_AFTER(steady), STEADY);
	world_run_for(w, EFF_S(16));
	EXPECT_STATE(w, "/", "up");
	ck_assert_uint_eq(eff_sup_restarts(world_unit(w, "/")->sup), 3);
	world_run_for(w, EFF_H(1));
	ck_assert_int_eq(w->ended, trips);
	world_free(w);
}

START_TEST(an_end_is_forgotten_when_it_is_older_than_the_period_and_not_when_it_is_as_old)
{
	expect_fourth_end(EFF_S(49), true);
	expect_fourth_end(EFF_S(49) + 1, false);
}
END_TEST

START_TEST(what_happens_to_children_otherwise_does_not_count)
{
	struct world *w = world_new(
		"db: {command: db, restart: {backoff: {initial: 1s, max: 1s, jitter: 0}}}\n"
		"g:\n  intensity: {max_restarts: 0, period: 1h}\n  units:\n"
		"    bound: {command: x, depends_on: {db: {bind: true}}}\n"
		"    with: {command: x, depends_on: {db: {restart: true}}}\n"
		"    hand: {command: x}\n    once: {command: once, restart: no}\n"
		"    last: {command: once, restart: {max_restarts: 0}}\n");

	WORLD_SCRIPTS(w, "db", CRASH_AFTER(EFF_S(5)), CRASH_AFTER(EFF_S(5)), STEADY);
	world_script(w, "once", CRASH_AFTER(EFF_S(1)));
	world_run_for(w, EFF_S(20));
	world_restart(w, "g/hand");
	world_start(w, "g/once");
	world_run_for(w, EFF_S(20));

	EXPECT_TRACE(w, "g/bound",
		"0 spawn, 5000 TERM, 5000 SIGTERM, 6000 spawn, 11000 TERM, 11000 SIGTERM, 12000 spawn");
	EXPECT_TRACE(w, "g/with",
		"0 spawn, 6000 TERM, 6000 SIGTERM, 6000 spawn, 12000 TERM, 12000 SIGTERM, 12000 spawn");
	EXPECT_TRACE(w, "g/hand", "0 spawn, 20000 TERM, 20000 SIGTERM, 20000 spawn");
	ck_assert_str_eq(world_cause(w, "g/last"), "max_restarts < exit 1");
	for (int i = 0; i < 3; i++) {
		const struct unit *u = world_unit(
			w, ((const char *[]){"g/bound", "g/with", "g/hand"})[i]);

		ck_assert_uint_eq(u->restarts, 0);
		ck_assert_uint_eq(eff_child_failures(&u->child), 0);
	}
	ck_assert_uint_eq(eff_sup_restarts(world_unit(w, "g")->sup), 0);
	EXPECT_STATES(w, "g", "0 up");
	world_free(w);
}
END_TEST

START_TEST(a_supervisor_that_was_restarted_counts_from_nothing)
{
	struct world *w = world_new(TREE("",
		"  g:\n    intensity: {max_restarts: 2, period: 1h}\n    units:\n"
		"      a: {command: a, restart: {backoff: {max: 1s}}}\n"));

	world_script(w, "a", CRASH_AFTER(EFF_S(4)));
	world_run_for(w, EFF_S(32));

	/* It trips at its third end, at 14 s, and then again at the third of the new beginning, and not before. */
	EXPECT_STATES(w, "g", "0 up, 14000 backoff, 15000 up, 29000 backoff, 31000 up");
	ck_assert_uint_eq(eff_sup_restarts(world_unit(w, "g")->sup), 0);
	ck_assert_uint_eq(eff_child_failures(&world_unit(w, "g/a")->child), 0);
	/* These go on since it was loaded: two restarts in each of its lives. */
	ck_assert_uint_eq(world_unit(w, "g/a")->starts, 7);
	ck_assert_uint_eq(world_unit(w, "g/a")->restarts, 4);
	world_free(w);
}
END_TEST

START_TEST(a_failure_climbs_two_levels_by_the_intensity_of_each)
{
	struct world *w = world_new(TREE("intensity: {max_restarts: 1, period: 1h}",
		"  outer:\n    intensity: {max_restarts: 2, period: 1h}\n    units:\n"
		"      inner:\n        intensity: {max_restarts: 1, period: 1h}\n        units:\n"
		"          a: {command: a}\n"));

	world_script(w, "a", CRASH_AFTER(EFF_S(1)));
	ck_assert(world_run_to_end(w, EFF_M(5)));

	/* inner gives up at its second end, outer when that has happened three times, the root when it has twice. */
	EXPECT_STATES(w, "outer", "0 up, 12000 backoff, 13000 up, 25000 down");
	EXPECT_STATES(w, "outer/inner",
		"0 up, 3000 backoff, 4000 up, 7000 backoff, 9000 up, 12000 down, 13000 up, "
		"16000 backoff, 17000 up, 20000 backoff, 22000 up, 25000 down");
	ck_assert_str_eq(world_last_exit(w, "/"),
		"intensity_exceeded < intensity_exceeded < intensity_exceeded < exit 1");
	ck_assert_int_eq(world_now(w), EFF_S(25));
	ck_assert_int_eq(tree_exit_code(w->tree, w->end), 1);
	world_free(w);
}
END_TEST

#define SLOW_GROUP(b) \
	"g:\n  strategy: one_for_all\n  units:\n" \
	"    a: {command: crash, restart: {backoff: {initial: 5s, jitter: 0}}}\n" \
	"    b: {command: " b "}\n    c: {command: slow}\n"

static struct world *slow_group(void)
{
	struct world *w = world_new(SLOW_GROUP("b"));

	WORLD_SCRIPTS(w, "crash", {.lives = EFF_S(1), .exits = 1}, {.lives = EFF_FOREVER});
	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(4)});
	return w;
}

START_TEST(nobody_starts_beside_one_that_still_ends_when_who_began_a_round_is_stopped)
{
	struct world *w = slow_group();

	world_run_for(w, EFF_S(3));
	world_stop(w, "g/a");
	world_run_for(w, EFF_S(1));
	EXPECT_STATE(w, "g/b", "waiting");
	ck_assert_str_eq(world_cause(w, "g/b"), "group_restart SIGTERM < exit 1");
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "g/a", "0 spawn, 1000 exit 1");
	EXPECT_TRACE(w, "g/b", "0 spawn, 1000 TERM, 1000 SIGTERM, 5000 spawn");
	EXPECT_TRACE(w, "g/c", "0 spawn, 1000 TERM, 5000 SIGTERM, 5000 spawn");
	EXPECT_STATES(w, "g", "0 up, 1000 starting, 5000 up");
	ck_assert_uint_eq(world_unit(w, "g/b")->restarts, 1);
	world_free(w);
}
END_TEST

/* One after the other, and the first that it waited for may be gone from the tree by then. */
START_TEST(who_waits_for_all_that_still_end_waits_for_one_that_does)
{
	struct world *w = world_new(SLOW_GROUP("b") "    d: {command: slower}\n");

	world_script(w, "crash", (struct script){.lives = EFF_S(1), .exits = 1});
	world_script(w, "slow", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(4)});
	world_script(w, "slower", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(6)});
	world_run_for(w, EFF_S(3));
	world_stop(w, "g/a");
	world_stop(w, "g/c");
	world_run_for(w, EFF_S(3));
	ck_assert_ptr_eq(world_unit(w, "g/b")->awaits, world_unit(w, "g/d"));
	world_run_for(w, EFF_S(60));

	EXPECT_TRACE(w, "g/b", "0 spawn, 1000 TERM, 1000 SIGTERM, 7000 spawn");
	EXPECT_TRACE(w, "g/d", "0 spawn, 1000 TERM, 7000 SIGTERM, 7000 spawn");
	world_free(w);
}
END_TEST

START_TEST(a_reload_of_one_that_waits_for_its_round_cuts_no_delay_short)
{
	struct world *w = slow_group();

	world_run_for(w, EFF_S(3));
	world_reload(w, SLOW_GROUP("b --new"));
	world_run_for(w, EFF_S(60));

	ck_assert_str_eq(world_changes(w), "g/b restart");
	EXPECT_TRACE(w, "g/a", "0 spawn, 1000 exit 1, 10000 spawn");
	EXPECT_TRACE(w, "g/b", "0 spawn, 1000 TERM, 1000 SIGTERM, 10000 spawn");
	ck_assert_str_eq(world_unit(w, "g/b")->spec->argv[1], "--new");
	EXPECT_TRACE(w, "g/c", "0 spawn, 1000 TERM, 5000 SIGTERM, 10000 spawn");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/otp");
	TCase *tcase = tcase_create("otp");

	tcase_add_loop_test(tcase,
		each_strategy_restarts_whom_it_names_after_each_end_of_each_kind_of_child, 0, 18);
	tcase_add_loop_test(tcase, a_sibling_comes_back_with_the_group_unless_it_is_temporary, 0, 6);
	tcase_add_loop_test(tcase, of_children_added_at_run_time_each_goes_its_own_way, 0, 6);
	tcase_add_test(tcase, one_end_more_than_allowed_within_the_period_trips_it_in_its_moment);
	tcase_add_test(tcase,
		an_end_is_forgotten_when_it_is_older_than_the_period_and_not_when_it_is_as_old);
	tcase_add_test(tcase, what_happens_to_children_otherwise_does_not_count);
	tcase_add_test(tcase, a_supervisor_that_was_restarted_counts_from_nothing);
	tcase_add_test(tcase, a_failure_climbs_two_levels_by_the_intensity_of_each);
	tcase_add_test(tcase,
		nobody_starts_beside_one_that_still_ends_when_who_began_a_round_is_stopped);
	tcase_add_test(tcase, who_waits_for_all_that_still_end_waits_for_one_that_does);
	tcase_add_test(tcase, a_reload_of_one_that_waits_for_its_round_cuts_no_delay_short);
	suite_add_tcase(suite, tcase);
	return suite;
}
