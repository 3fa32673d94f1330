/* SPDX-License-Identifier: MIT */
/* Supervision in virtual time: who runs again, when, and for how long. */
#include <stdlib.h>

#include <check.h>

#include <eff.h>

#include "leak.h"

Suite *test_suite(void);

/* A child that plays: it is up at once (or never), lives for a while, and ends as told. */
struct toy {
	struct eff_child child;
	eff_ns lives;
	bool never_up;
	bool slow_stop;
	eff_exit ends;
	eff_ns started_at[64];
	unsigned n_starts;
	eff_ns ended_at;
	enum eff_rest rest;
	bool rests;
	enum eff_verdict verdict;
	eff_ns delays[64];
	unsigned n_delays;
};

static eff_exit toy_run(void *arg)
{
	struct toy *toy = arg;
	int r;

	if (toy->n_starts < 64)
		toy->started_at[toy->n_starts] = eff_now();
	toy->n_starts++;
	if (!toy->never_up)
		eff_child_up(&toy->child);
	r = eff_sleep(toy->lives);
	if (r < 0 && toy->slow_stop) {
		eff_masked before = eff_mask();

		(void)eff_sleep(EFF_S(2));
		eff_unmask(before);
	}
	toy->ended_at = eff_now();
	return r < 0 ? eff_interrupted() : toy->ends;
}

static enum eff_verdict toy_judge(struct eff_child *child, eff_exit exit)
{
	(void)exit;
	return eff_container(child, struct toy, child)->verdict;
}

static void toy_backoff(struct eff_child *child, eff_exit exit, eff_ns delay)
{
	struct toy *toy = eff_container(child, struct toy, child);

	(void)exit;
	if (toy->n_delays < 64)
		toy->delays[toy->n_delays] = delay;
	toy->n_delays++;
}

static void toy_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	struct toy *toy = eff_container(child, struct toy, child);

	(void)exit;
	toy->rests = true;
	toy->rest = rest;
}

static const struct eff_sup_hooks hooks = {
	.judge = toy_judge, .on_backoff = toy_backoff, .on_rest = toy_rest};

static struct eff_testclock *clk;
static struct eff_rt *rt;
static struct eff_sup sup;
static struct toy a, b;
static int sup_result;

static eff_exit root(void *arg)
{
	(void)arg;
	ck_assert_int_eq(eff_sup_open(&sup, &(struct eff_sup_opts){.hooks = &hooks}), 0);
	eff_sup_add(&sup, &a.child);
	eff_sup_add(&sup, &b.child);
	sup_result = eff_sup_await(&sup);
	eff_sup_stop(&sup);
	return eff_ok(NULL);
}

static void toy_init(struct toy *toy, const char *name)
{
	struct eff_sched backoff = eff_sched_cap(eff_exponential(EFF_MS(500), 2.0), EFF_S(30));

	*toy = (struct toy){.lives = EFF_MS(0), .ends = eff_fail(1), .verdict = EFF_BY_POLICY};
	toy->child.name = name;
	toy->child.run = EFF_NAMED(name, toy_run, toy);
	toy->child.policy = (struct eff_policy){.restart = EFF_ALWAYS,
		.backoff = backoff,
		.reset_after = EFF_S(60),
		.max_restarts = UINT32_MAX};
}

static void setup(void)
{
	struct eff_rt_opts opts = {.seed = 7};

	toy_init(&a, "a");
	toy_init(&b, "b");
	clk = eff_testclock_new(0);
	opts.clock = clk;
	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	ck_assert_int_eq(eff_rt_attach(rt, EFF(root, NULL)), 0);
	(void)eff_testclock_advance(clk, 0);
}

static void teardown(void)
{
	ck_assert_int_eq(eff_rt_shutdown(rt, EFF_S(60)), 0);
	eff_rt_free(rt);
	eff_testclock_free(clk);
}

static void go(eff_ns duration)
{
	ck_assert_int_eq(eff_testclock_advance(clk, duration), 0);
}

START_TEST(a_child_that_dies_at_once_restarts_by_the_timetable)
{
	static const eff_ns at[] = {0, EFF_MS(500), EFF_MS(1500), EFF_MS(3500), EFF_MS(7500),
		EFF_MS(15500), EFF_MS(31500), EFF_MS(61500), EFF_MS(91500)};

	eff_child_start(&a.child);
	go(EFF_S(92));

	ck_assert_uint_eq(a.n_starts, 9);
	for (unsigned i = 0; i < 9; i++)
		ck_assert_int_eq(a.started_at[i], at[i]);
}
END_TEST

START_TEST(a_day_of_crashes_has_an_exact_number_of_starts)
{
	a.child.policy.backoff = eff_sched_cap(eff_exponential(EFF_MS(100), 2.0), EFF_M(5));
	a.lives = EFF_MS(10);
	eff_child_start(&a.child);
	go(EFF_H(24));

	/* 0.1 … 204.8 s are twelve delays in 409.5 s and 0.12 s of life; then one each 300.01 s. */
	ck_assert_uint_eq(a.n_starts, 299);
}
END_TEST

START_TEST(each_policy_restarts_what_the_table_says)
{
	static const bool again[5][3] = {
		[EFF_ALWAYS] = {true, true, true},
		[EFF_ON_SUCCESS] = {true, false, false},
		[EFF_ON_FAILURE] = {false, true, true},
		[EFF_ON_ABNORMAL] = {false, false, true},
		[EFF_NEVER] = {false, false, false},
	};
	const eff_exit ends[3] = {eff_ok(NULL), eff_fail(3), {.tag = EFF_DIE}};
	int policy = _i / 3, end = _i % 3;

	a.child.policy.restart = (enum eff_restart)policy;
	a.ends = ends[end];
	eff_child_start(&a.child);
	go(EFF_S(1));

	ck_assert_uint_eq(a.n_starts, again[policy][end] ? 2 : 1);
	ck_assert_int_eq(a.rests, !again[policy][end]);
	if (a.rests)
		ck_assert_int_eq(a.rest, end == 0 ? EFF_REST_DONE : EFF_REST_FAILED);
}
END_TEST

START_TEST(a_verdict_outranks_the_policy)
{
	a.verdict = EFF_AT_REST;
	b.verdict = EFF_AGAIN;
	b.child.policy.restart = EFF_NEVER;
	eff_child_start(&a.child);
	eff_child_start(&b.child);
	go(EFF_S(1));

	ck_assert_uint_eq(a.n_starts, 1);
	ck_assert_int_eq(a.rest, EFF_REST_FAILED);
	ck_assert_uint_eq(b.n_starts, 2);
}
END_TEST

START_TEST(one_end_more_than_max_restarts_is_the_last)
{
	a.child.policy.max_restarts = 3;
	eff_child_start(&a.child);
	go(EFF_H(1));

	ck_assert_uint_eq(a.n_starts, 4);
	ck_assert_int_eq(a.rest, EFF_REST_MAX_RESTARTS);
	ck_assert_uint_eq(eff_child_failures(&a.child), 3);
}
END_TEST

START_TEST(being_up_for_long_enough_forgets_the_failures)
{
	a.lives = EFF_S(60);
	eff_child_start(&a.child);
	go(EFF_S(300));

	for (unsigned i = 0; i < a.n_delays; i++)
		ck_assert_int_eq(a.delays[i], EFF_MS(500));
	ck_assert_uint_eq(a.n_delays, 4);
}
END_TEST

START_TEST(living_without_being_up_forgets_nothing)
{
	a.lives = EFF_S(60);
	a.never_up = true;
	eff_child_start(&a.child);
	go(EFF_S(190));

	ck_assert_uint_eq(a.n_delays, 3);
	ck_assert_int_eq(a.delays[2], EFF_S(2));
}
END_TEST

START_TEST(a_child_stopped_in_its_delay_starts_no_more)
{
	eff_child_start(&a.child);
	go(EFF_S(2));
	eff_child_stop_async(&a.child);
	go(EFF_H(1));

	ck_assert_uint_eq(a.n_starts, 3);
	ck_assert_int_eq(a.rest, EFF_REST_STOPPED);
	ck_assert_ptr_null(a.child.fiber);
}
END_TEST

START_TEST(a_start_in_the_delay_runs_at_once)
{
	eff_child_start(&a.child);
	go(EFF_S(2));
	eff_child_start(&a.child);
	go(0);

	ck_assert_uint_eq(a.n_starts, 4);
	ck_assert_int_eq(a.started_at[3], EFF_S(2));
}
END_TEST

START_TEST(a_child_told_to_stop_before_its_first_step_never_runs_and_rests)
{
	eff_child_start(&a.child);
	eff_child_stop_async(&a.child);
	go(EFF_S(1));

	ck_assert_uint_eq(a.n_starts, 0);
	ck_assert(a.rests);
	ck_assert_int_eq(a.rest, EFF_REST_STOPPED);
}
END_TEST

START_TEST(a_start_while_it_stops_runs_it_again_when_it_has_stopped)
{
	a.lives = EFF_FOREVER;
	a.slow_stop = true;
	eff_child_start(&a.child);
	go(EFF_S(1));
	eff_child_stop_async(&a.child);
	go(EFF_S(1));
	eff_child_start(&a.child);
	go(EFF_S(1));

	ck_assert_uint_eq(a.n_starts, 2);
	ck_assert_int_eq(a.started_at[1], EFF_S(3));
}
END_TEST

START_TEST(a_cycle_begins_anew_at_once_and_counts_nothing)
{
	a.lives = EFF_S(100);
	eff_child_start(&a.child);
	go(EFF_S(1));
	eff_child_cycle(&a.child);
	go(0);

	ck_assert_uint_eq(a.n_starts, 2);
	ck_assert_int_eq(a.started_at[1], EFF_S(1));
	ck_assert_uint_eq(a.n_delays, 0);
	ck_assert_uint_eq(eff_child_failures(&a.child), 0);
	ck_assert(!a.child.restarted);
}
END_TEST

START_TEST(a_stop_outranks_a_cycle)
{
	a.lives = EFF_FOREVER;
	a.slow_stop = true;
	eff_child_start(&a.child);
	go(EFF_S(1));
	eff_child_cycle(&a.child);
	eff_child_stop_async(&a.child);
	go(EFF_S(10));

	ck_assert_uint_eq(a.n_starts, 1);
	ck_assert_int_eq(a.rest, EFF_REST_STOPPED);
}
END_TEST

START_TEST(a_critical_child_that_gave_up_ends_the_supervisor)
{
	a.child.policy.critical = true;
	a.child.policy.max_restarts = 1;
	b.lives = EFF_FOREVER;
	eff_child_start(&a.child);
	eff_child_start(&b.child);
	sup_result = 1;
	go(EFF_S(1));

	ck_assert_int_eq(sup_result, 0);
	ck_assert_ptr_eq(sup.culprit, &a.child);
	ck_assert_int_eq(b.rest, EFF_REST_STOPPED);
	ck_assert_int_eq(b.ended_at, EFF_MS(500));
}
END_TEST

START_TEST(a_child_without_a_delay_that_never_waits_leaves_the_others_their_turn)
{
	a.child.policy.backoff = eff_spaced(0);
	a.child.policy.max_restarts = 1000;
	b.lives = EFF_FOREVER;
	eff_child_start(&a.child);
	eff_child_start(&b.child);
	go(0);

	ck_assert_uint_eq(a.n_starts, 1001);
	ck_assert_uint_eq(b.n_starts, 1);
}
END_TEST

START_TEST(a_child_on_a_grid_keeps_to_it_whoever_hurries_it)
{
	static const eff_ns at[] = {0, EFF_S(10), EFF_S(16), EFF_S(20), EFF_S(30)};

	a.child.policy.backoff = eff_fixed(EFF_S(10));
	a.lives = EFF_S(3);
	eff_child_start(&a.child);
	go(EFF_S(16));
	eff_child_start(&a.child);
	go(EFF_S(15));

	ck_assert_uint_eq(a.n_starts, 5);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(a.started_at[i], at[i]);
}
END_TEST

START_TEST(a_child_whose_schedule_is_over_has_failed)
{
	a.child.policy.backoff = eff_sched_upto(eff_spaced(EFF_S(1)), EFF_S(3));
	eff_child_start(&a.child);
	go(EFF_S(1000));

	/* Asked at 0, 1 and 2; at 3 it is over. */
	ck_assert_uint_eq(a.n_starts, 4);
	ck_assert_int_eq(a.rest, EFF_REST_MAX_RESTARTS);
	/* Its failures forgotten, its time begins anew. */
	eff_child_reset(&a.child);
	eff_child_start(&a.child);
	go(EFF_S(1000));
	ck_assert_uint_eq(a.n_starts, 8);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("supervise");
	TCase *c = tcase_create("supervise");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, a_child_that_dies_at_once_restarts_by_the_timetable);
	tcase_add_test(c, a_day_of_crashes_has_an_exact_number_of_starts);
	tcase_add_loop_test(c, each_policy_restarts_what_the_table_says, 0, 15);
	tcase_add_test(c, a_verdict_outranks_the_policy);
	tcase_add_test(c, one_end_more_than_max_restarts_is_the_last);
	tcase_add_test(c, being_up_for_long_enough_forgets_the_failures);
	tcase_add_test(c, living_without_being_up_forgets_nothing);
	tcase_add_test(c, a_child_stopped_in_its_delay_starts_no_more);
	tcase_add_test(c, a_start_in_the_delay_runs_at_once);
	tcase_add_test(c, a_child_told_to_stop_before_its_first_step_never_runs_and_rests);
	tcase_add_test(c, a_start_while_it_stops_runs_it_again_when_it_has_stopped);
	tcase_add_test(c, a_cycle_begins_anew_at_once_and_counts_nothing);
	tcase_add_test(c, a_stop_outranks_a_cycle);
	tcase_add_test(c, a_critical_child_that_gave_up_ends_the_supervisor);
	tcase_add_test(c, a_child_without_a_delay_that_never_waits_leaves_the_others_their_turn);
	tcase_add_test(c, a_child_on_a_grid_keeps_to_it_whoever_hurries_it);
	tcase_add_test(c, a_child_whose_schedule_is_over_has_failed);
	suite_add_tcase(suite, c);
	return suite;
}
