/* SPDX-License-Identifier: MIT */
/* The tree: wishes, verbs, settling, the record of events, and how it ends. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "effd/fiber.h"
#include "fake/world.h"

#define CRASH ((struct script){.exits = 1})
#define STEADY ((struct script){.lives = EFF_FOREVER})

START_TEST(the_tree_settles_when_each_boot_unit_has_come_to_something)
{
	struct world *w = world_new(
		"slow: {command: slow, type: notify}\nflaky: {command: flaky}\n"
		"bad: {command: bad, restart: no}\nwaits: {command: waits, depends_on: [bad]}\n"
		"job: {command: job, type: oneshot}\nhand: {command: hand, activate: manual}");

	world_script(w, "slow", (struct script){.ready_after = EFF_S(5), .lives = EFF_FOREVER});
	world_script(w, "flaky", CRASH);
	world_script(w, "bad", CRASH);
	world_script(w, "job", (struct script){.lives = EFF_S(2)});
	world_run_for(w, EFF_MS(4999));
	ck_assert(!tree_is_settled(w->tree));
	world_run_for(w, EFF_MS(1));

	ck_assert(tree_is_settled(w->tree));
	world_free(w);
}
END_TEST

static eff_exit await_settled(void *arg)
{
	eff_ns *at = arg;
	struct tree *t = *(struct tree **)(void *)at;

	ck_assert_int_eq(tree_await_settled(t), 0);
	*at = eff_now();
	return eff_ok(NULL);
}

/* Not even for one within a group that cannot start. */
START_TEST(a_group_that_fails_holds_up_neither_the_tree_nor_who_could_do_without)
{
	static const char *const restarts[] = {"no", "{backoff: {initial: 1h, max: 1h}}"};

	for (int i = 0; i < 2; i++) {
		char units[400];
		struct world *w;

		(void)snprintf(units, sizeof(units),
			"g: {hooks: {pre_start: bad}, restart: %s, units: {h: {units: {x: {command: x}}}}}\n"
			"needs: {command: n, depends_on: [g/h/x]}\n"
			"could: {command: c, depends_on: {g/h/x: {required: false}}}\n"
			"after: {command: a, after: [needs]}\n",
			restarts[i]);
		w = world_new(units);
		world_script(w, "bad",
			(struct script){.helper = true, .lives = EFF_S(2), .exits = 1});
		world_run_for(w, EFF_S(2) - 1);
		ck_assert(!tree_is_settled(w->tree));
		EXPECT_STATE(w, "could", "waiting");
		world_run_for(w, 1);

		EXPECT_STATE(w, "g", i ? "backoff" : "failed");
		EXPECT_STATE(w, "needs", "waiting");
		EXPECT_TRACE(w, "could", "2000 spawn");
		ck_assert(tree_is_settled(w->tree));
		world_free(w);
	}
}
END_TEST

START_TEST(who_waits_for_the_tree_to_settle_is_told_in_that_moment)
{
	struct world *w = world_new(
		"slow: {command: slow, type: notify}\nbad: {command: bad, type: notify, start_timeout: 7s}");
	union {
		struct tree *tree;
		eff_ns at;
	} word = {.tree = w->tree};

	world_script(w, "slow", (struct script){.ready_after = EFF_S(5), .lives = EFF_FOREVER});
	world_script(w, "bad", (struct script){.ready_after = EFF_FOREVER, .lives = EFF_FOREVER});
	ck_assert_int_eq(eff_fork_daemon(EFF(await_settled, &word.at), NULL), 0);
	world_run_for(w, EFF_S(60));

	/* A failure never holds it back: bad is in backoff by then. */
	ck_assert_int_eq(word.at, EFF_S(1000) + EFF_S(7));
	world_free(w);
}
END_TEST

START_TEST(a_tree_with_nothing_to_boot_settles_at_once)
{
	struct world *w = world_new(
		"hand: {command: hand, activate: manual}\noff: {command: off, enabled: false}");

	world_run_for(w, 0);

	ck_assert(tree_is_settled(w->tree));
	EXPECT_STATE(w, "/", "up");
	world_run_for(w, EFF_H(1));
	ck_assert(!w->ended);
	world_free(w);
}
END_TEST

START_TEST(the_summary_counts_and_names_what_is_not_up)
{
	struct world *w = world_new(
		"a: {command: a}\nb: {command: b}\nweb: {command: web, restart: {backoff: {initial: 4s, jitter: 0}}}");
	char summary[200];

	world_script(w, "web", CRASH);
	world_run_for(w, 0);

	ck_assert_str_eq(tree_summary(w->tree, summary, sizeof(summary)),
		"2 of 3 up; web: exit 1, next try in 4 s");
	world_free(w);
}
END_TEST

START_TEST(the_summary_promises_no_try_that_never_comes)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {initial: infinity, max: infinity}}}");
	char summary[200];

	world_script(w, "web", CRASH);
	world_run_for(w, 0);

	EXPECT_STATE(w, "web", "backoff");
	ck_assert_str_eq(tree_summary(w->tree, summary, sizeof(summary)), "0 of 1 up; web: exit 1");
	world_free(w);
}
END_TEST

START_TEST(events_count_up_by_one_and_the_last_thousand_are_kept)
{
	struct world *w = world_new(
		"web: {command: web, restart: {backoff: {initial: 1s, max: 1s, jitter: 0}}}");
	uint64_t last;

	world_script(w, "web", CRASH);
	world_run_for(w, EFF_S(2));
	ck_assert_ptr_nonnull(tree_event(w->tree, 1));
	ck_assert_uint_eq(tree_event(w->tree, 1)->seq, 1);
	world_run_for(w, EFF_S(1000));
	last = w->tree->last_seq;

	ck_assert_uint_gt(last, 2000);
	ck_assert_ptr_null(tree_event(w->tree, last - TREE_EVENTS));
	ck_assert_ptr_null(tree_event(w->tree, last + 1));
	ck_assert_ptr_null(tree_event(w->tree, 0));
	for (uint64_t seq = last - TREE_EVENTS + 1; seq <= last; seq++)
		ck_assert_uint_eq(tree_event(w->tree, seq)->seq, seq);
	world_free(w);
}
END_TEST

START_TEST(a_state_event_tells_from_where_to_where_and_why)
{
	struct world *w = world_new("web: {command: web, restart: no}");
	const struct tree_event *last = NULL;

	world_script(w, "web", (struct script){.lives = EFF_S(1), .exits = 9});
	world_run_for(w, EFF_S(2));
	for (uint64_t seq = 1; seq <= w->tree->last_seq; seq++)
		if (!strcmp(tree_event(w->tree, seq)->unit, "web"))
			last = tree_event(w->tree, seq);

	ck_assert_ptr_nonnull(last);
	ck_assert_str_eq(last->kind, "state");
	ck_assert_int_eq(last->to, UNIT_FAILED);
	ck_assert_int_eq(last->wall_at - w->wall_zero, EFF_S(1));
	ck_assert_int_eq(last->cause->kind, CAUSE_EXIT);
	ck_assert_int_eq(last->cause->code, 9);
	world_free(w);
}
END_TEST

START_TEST(a_shutdown_stops_all_and_ends_with_0)
{
	struct world *w = world_new(
		"a: {command: a}\nb: {command: b}\njob: {command: job, type: oneshot}\nbad: {command: bad}\n"
		"wait: {command: wait, depends_on: [bad]}");

	world_script(w, "a", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(3)});
	world_script(w, "bad", CRASH);
	world_run_for(w, EFF_S(10));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(1));
	ck_assert_int_eq(tree_start(w->tree, world_unit(w, "b"), NULL, NULL), -ESHUTDOWN);
	world_shutdown(w, false);
	world_run_for(w, EFF_MS(1999));
	ck_assert(!w->ended);
	world_run_for(w, EFF_MS(1));

	ck_assert(w->ended);
	ck_assert_int_eq(tree_exit_code(w->tree, w->end), 0);
	EXPECT_TRACE(w, "a", "0 spawn, 10000 TERM, 13000 SIGTERM");
	EXPECT_TRACE(w, "b", "0 spawn, 10000 TERM, 10000 SIGTERM");
	world_free(w);
}
END_TEST

START_TEST(a_shutdown_now_cuts_every_grace_that_has_begun_and_those_to_come)
{
	struct world *w = world_new(
		"db: {command: hard}\nweb: {command: hard, depends_on: [db]}\ng: {units: {x: {command: hard}}}");

	world_script(w, "hard", (struct script){.lives = EFF_FOREVER, .ignores_term = true});
	world_run_for(w, EFF_S(1));
	world_shutdown(w, false);
	world_run_for(w, EFF_S(2));
	world_shutdown(w, true);
	world_run_for(w, 0);

	ck_assert(w->ended);
	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 3000 KILL, 3000 SIGKILL");
	EXPECT_TRACE(w, "g/x", "0 spawn, 1000 TERM, 3000 KILL, 3000 SIGKILL");
	/* No unit got its stop signal twice; db never got one. */
	EXPECT_TRACE(w, "db", "0 spawn, 3000 KILL, 3000 SIGKILL");
	world_free(w);
}
END_TEST

START_TEST(a_shutdown_before_anything_began_starts_nothing)
{
	struct world *w = world_new("a: {command: a}\nb: {command: b, depends_on: [a]}");

	world_shutdown(w, false);
	world_run_for(w, EFF_S(60));

	ck_assert(w->ended);
	EXPECT_TRACE(w, "a", "");
	EXPECT_TRACE(w, "b", "");
	world_free(w);
}
END_TEST

static eff_exit fails_with_256(struct effd_fiber *self)
{
	(void)self;
	return eff_fail(256);
}

static int entry_of(const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason)
{
	(void)spec;
	(void)ret_reason;
	*ret_entry = (eff_fn *)(void (*)(void))fails_with_256;
	return 0;
}

START_TEST(exit_code_from_ends_the_tree_with_its_units_last_code)
{
	static const char command[] = "command: main";
	static const struct {
		const char *fields;
		struct script script;
		int code;
	} cases[] = {
		{command, {.lives = EFF_S(1), .exits = 0}, 0},
		{command, {.lives = EFF_S(1), .exits = 42}, 42},
		{command, {.lives = EFF_S(1), .exits = 255}, 255},
		{command, {.lives = EFF_S(1), .dies_by = 9}, 137},
		{command, {.exec_error = ENOENT}, 127},
		{command, {.exec_error = EACCES}, 126},
		{"command: main, max_runtime: 1s", {.lives = EFF_FOREVER}, 143},
		/* There was no process, or nobody knows how it ended. */
		{command, {.exits = -1}, 1},
		{"command: x, hooks: {pre_start: main}", {.helper = true, .exits = 3}, 1},
		{"command: x, hooks: {pre_start: main}, start_timeout: 1s",
			{.helper = true, .lives = EFF_FOREVER}, 1},
		{"fiber: idle, with: {for: 1s}", {0}, 0},
		{"fiber: idle, with: {for: 1s, exit: fail}", {0}, 1},
		{"fiber: idle, with: {for: 1s, exit: die}", {0}, 1},
		{"fiber: {module: /m.so, entry: x}", {0}, 255},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char units[300];
		struct world *w;

		(void)snprintf(units, sizeof(units),
			"version: 1\nname: test\ndaemon: {exit_code_from: main}\nunits:\n"
			"  main: {%s, restart: no}\n  side: {command: side}\n",
			cases[i].fields);
		w = world_new(units);
		w->tree->world.fiber_entry = entry_of;
		world_script(w, "main", cases[i].script);
		world_run_for(w, EFF_S(10));
		ck_assert(w->ended);
		ck_assert_int_eq(tree_exit_code(w->tree, w->end), cases[i].code);
		ck_assert_uint_eq(os_fake_live(w->fake, "side"), 0);
		/* Nobody asked: behind the stop is how that unit ended. */
		ck_assert_ptr_eq(world_unit(w, "side")->cause->because,
			world_unit(w, "main")->last_exit);
		ck_assert_ptr_nonnull(world_unit(w, "main")->last_exit);
		world_free(w);
	}
}
END_TEST

START_TEST(the_tree_never_ends_merely_because_all_is_at_rest)
{
	struct world *w = world_new(
		"job: {command: job, type: oneshot}\nbad: {command: bad, restart: no}");

	world_script(w, "job", (struct script){.lives = EFF_S(1)});
	world_script(w, "bad", CRASH);
	world_run_for(w, EFF_H(24));

	ck_assert(!w->ended);
	world_free(w);
}
END_TEST

START_TEST(a_later_verb_takes_over_and_is_counted)
{
	struct world *w = world_new("web: {command: web}");
	uint64_t before;

	world_script(w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	world_run_for(w, EFF_S(1));
	before = world_unit(w, "web")->verbs;
	world_restart(w, "web");
	world_run_for(w, EFF_S(1));
	world_stop(w, "web");
	world_run_for(w, EFF_S(60));

	ck_assert_uint_ge(world_unit(w, "web")->verbs, before + 2);
	EXPECT_TRACE(w, "web", "0 spawn, 1000 TERM, 6000 SIGTERM");
	EXPECT_STATE(w, "web", "down");
	world_free(w);
}
END_TEST

START_TEST(a_verb_before_the_tree_has_begun_is_no_mistake)
{
	struct world *w = world_new("a: {command: a, activate: manual}\nb: {command: b}");

	world_start(w, "a");
	world_stop(w, "b");
	world_run_for(w, EFF_S(1));

	EXPECT_TRACE(w, "a", "0 spawn");
	EXPECT_TRACE(w, "b", "");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree");
	TCase *tcase = tcase_create("tree");

	tcase_add_test(tcase, the_tree_settles_when_each_boot_unit_has_come_to_something);
	tcase_add_test(tcase, a_group_that_fails_holds_up_neither_the_tree_nor_who_could_do_without);
	tcase_add_test(tcase, who_waits_for_the_tree_to_settle_is_told_in_that_moment);
	tcase_add_test(tcase, a_tree_with_nothing_to_boot_settles_at_once);
	tcase_add_test(tcase, the_summary_promises_no_try_that_never_comes);
	tcase_add_test(tcase, the_summary_counts_and_names_what_is_not_up);
	tcase_add_test(tcase, events_count_up_by_one_and_the_last_thousand_are_kept);
	tcase_add_test(tcase, a_state_event_tells_from_where_to_where_and_why);
	tcase_add_test(tcase, a_shutdown_stops_all_and_ends_with_0);
	tcase_add_test(tcase, a_shutdown_now_cuts_every_grace_that_has_begun_and_those_to_come);
	tcase_add_test(tcase, a_shutdown_before_anything_began_starts_nothing);
	tcase_add_test(tcase, exit_code_from_ends_the_tree_with_its_units_last_code);
	tcase_add_test(tcase, the_tree_never_ends_merely_because_all_is_at_rest);
	tcase_add_test(tcase, a_later_verb_takes_over_and_is_counted);
	tcase_add_test(tcase, a_verb_before_the_tree_has_begun_is_no_mistake);
	suite_add_tcase(suite, tcase);
	return suite;
}
