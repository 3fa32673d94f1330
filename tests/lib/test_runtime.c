/* SPDX-License-Identifier: MIT */
/* The runtime: one per thread, its random numbers, and what it says of itself. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <eff/event.h>
#include <eff/scope.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static void ck_run(eff_fn *fn, void *arg, const char *want)
{
	eff_exit exit = eff_rt_run(run_rt, EFF_NAMED("root", fn, arg));
	char text[128];

	ck_assert_str_eq(eff_exit_text(exit, text, sizeof(text)), want);
	eff_exit_drop(exit);
}

/* ── one per thread ── */

static eff_exit give_one(void *arg)
{
	(void)arg;
	return eff_ok(&eff__rt);
}

static void *another_thread(void *arg)
{
	struct eff_rt_opts opts = {.clock = arg};
	struct eff_rt *rt;
	eff_exit exit;

	ck_assert_ptr_null(eff_rt_current());
	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	ck_assert_ptr_eq(eff_rt_current(), rt);
	exit = eff_rt_run(rt, EFF(give_one, NULL));
	eff_rt_free(rt);
	return exit.value.pointer;
}

START_TEST(each_thread_has_one_runtime)
{
	struct eff_testclock *clock = eff_testclock_new(0);
	struct eff_rt *second;
	pthread_t thread;
	void *result;

	ck_assert_ptr_eq(eff_rt_current(), run_rt);
	ck_assert_int_eq(eff_rt_new(NULL, &second), -EBUSY);
	ck_assert_int_eq(pthread_create(&thread, NULL, another_thread, clock), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	/* It had a current runtime of its own. */
	ck_assert_ptr_nonnull(result);
	ck_assert_ptr_ne(result, (void *)&eff__rt);
	eff_testclock_free(clock);
	eff_rt_free(NULL);
}
END_TEST

static eff_exit sleep_a_while(void *arg)
{
	(void)arg;
	return eff_exit_of(eff_sleep(EFF_S(1)));
}

static void *another_of_that_clock(void *arg)
{
	struct eff_rt_opts opts = {.clock = arg};
	struct eff_rt *rt;

	ck_assert_int_eq(eff_rt_new(&opts, &rt), -EBUSY);
	ck_assert_ptr_null(eff_rt_current());
	return NULL;
}

START_TEST(a_virtual_clock_has_one_runtime)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, another_of_that_clock, run_clock), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	/* Its own goes on by it. */
	run_ok(sleep_a_while, NULL);
	ck_assert_int_eq(eff_now(), EFF_S(1));
}
END_TEST

START_TEST(after_a_shutdown_nothing_begins)
{
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
	ck_run(sleep_a_while, NULL, "interrupt");
	ck_assert_int_eq(eff_now(), 0);
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(sleep_a_while, NULL)), -ECANCELED);
}
END_TEST

/* ── what it says of itself ── */

enum { NAMES_SIZE = 64 };

static void name_each(void *context, const struct eff_fiber_info *info)
{
	char *names = context;
	size_t len = strlen(names);

	(void)snprintf(names + len, NAMES_SIZE - len, "%s ", info->name);
}

static eff_exit look_around(void *arg)
{
	char names[NAMES_SIZE] = "";
	struct eff_rt_stats stats;

	(void)arg;
	(void)eff_fork(EFF_NAMED("a", sleep_a_while, NULL), NULL);
	(void)eff_fork(EFF_NAMED("b", sleep_a_while, NULL), NULL);
	(void)eff_yield();
	eff_rt_each(run_rt, name_each, names);
	ck_assert_str_eq(names, "root a b ");
	eff_rt_stats(run_rt, &stats);
	ck_assert_uint_eq(stats.forks, 3);
	ck_assert_uint_eq(stats.fibers_live, 3);
	ck_assert_uint_eq(stats.fibers_peak, 3);
	ck_assert_uint_eq(stats.timers_armed, 2);
	ck_assert_uint_ge(stats.switches, 3);
	ck_assert_uint_ge(stats.turns, 1);
	ck_assert_uint_gt(stats.stack_bytes_mapped, 0);
	return eff_ok(NULL);
}

START_TEST(fibers_are_listed_in_the_order_of_their_births_and_costs_are_counted)
{
	ck_run(look_around, NULL, "ok");
}
END_TEST

START_TEST(the_same_seed_gives_the_same_numbers)
{
	struct eff_rt rt = {0};
	double sum = 0;
	uint64_t first;

	/* The first number of xoshiro256** from splitmix64's state for 1, by the authors' own code. */
	first = eff_random();
	ck_assert_uint_eq(first, 0xb3f2af6d0fc710c5u);
	for (int i = 0; i < 10000; i++) {
		double x = eff_random_unit();

		ck_assert(x >= 0 && x < 1);
		sum += x;
	}
	ck_assert(sum > 4850 && sum < 5150);
	eff__random_seed(run_rt, 1);
	ck_assert_uint_eq(eff_random(), first);
	eff__random_seed(&rt, 2);
	ck_assert_int_ne(memcmp(rt.random, run_rt->random, sizeof(rt.random)), 0);
}
END_TEST

/* ── the real clock ── */

START_TEST(seeds_from_the_kernel_differ)
{
	uint64_t numbers[2];

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(eff_rt_new(NULL, &run_rt), 0);
		numbers[i] = eff_random();
		eff_rt_free(run_rt);
	}
	ck_assert_uint_ne(numbers[0], numbers[1]);
}
END_TEST

/* ── what is done once a turn ── */

static unsigned n_ran, n_turns, ran_by_turn[8];

static void on_turn(void *arg)
{
	ck_assert_ptr_eq(arg, &n_turns);
	if (n_turns < 8)
		ran_by_turn[n_turns] = n_ran;
	n_turns++;
}

static eff_exit run_once(void *arg)
{
	(void)arg;
	n_ran++;
	return eff_ok(NULL);
}

static eff_exit fork_some(void *arg)
{
	unsigned before;

	(void)arg;
	n_ran = n_turns = 0;
	eff_rt_on_turn(run_rt, on_turn, &n_turns);
	for (int i = 0; i < 3; i++)
		(void)eff_fork(EFF(run_once, NULL), NULL);
	ck_assert_uint_eq(n_turns, 0);
	(void)eff_sleep(EFF_S(1));
	/* All three had run when it was called first. */
	ck_assert_uint_ge(n_turns, 1);
	ck_assert_uint_eq(ran_by_turn[0], 3);
	eff_rt_on_turn(run_rt, NULL, NULL);
	before = n_turns;
	(void)eff_sleep(EFF_S(1));
	ck_assert_uint_eq(n_turns, before);
	return eff_ok(NULL);
}

START_TEST(what_is_done_once_a_turn_comes_when_all_that_were_ready_have_run)
{
	ck_run(fork_some, NULL, "ok");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("runtime");
	TCase *tcase = tcase_create("virtual");
	TCase *real = tcase_create("real");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, each_thread_has_one_runtime);
	tcase_add_test(tcase, a_virtual_clock_has_one_runtime);
	tcase_add_test(tcase, after_a_shutdown_nothing_begins);
	tcase_add_test(tcase, fibers_are_listed_in_the_order_of_their_births_and_costs_are_counted);
	tcase_add_test(tcase, what_is_done_once_a_turn_comes_when_all_that_were_ready_have_run);
	tcase_add_test(tcase, the_same_seed_gives_the_same_numbers);
	test_leak_guard(real);
	tcase_add_test(real, seeds_from_the_kernel_differ);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, real);
	return suite;
}
