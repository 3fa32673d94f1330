/* SPDX-License-Identifier: MIT */
/* The switch itself, below fibers: what a context must find as it left it. Runs without a runtime, so that it can be run
 * for another machine under an emulator. */
#include <fenv.h>
#include <signal.h>
#include <string.h>

#include <check.h>

#include "internal.h"

Suite *test_suite(void);

static struct eff__context main_context;
static struct eff__context contexts[2];
static struct eff__stacks *pool;
static struct eff__stack stacks[2];
static int steps;

static void start(int i, void (*entry)(void))
{
	if (!pool)
		pool = eff__stacks_new();
	stacks[i].class = eff__stack_class(pool, 65536);
	ck_assert_int_eq(eff__stack_reserve(pool, stacks[i].class), 0);
	eff__stack_take(&stacks[i]);
	eff__context_make(&contexts[i], &stacks[i], entry);
}

static void finish(int n)
{
	for (int i = 0; i < n; i++)
		eff__stack_give(&stacks[i]);
	eff__stacks_free(pool);
}

static void back(void)
{
	eff__switch(&contexts[0], &main_context);
}

static void stepper(void)
{
	for (;;) {
		steps++;
		back();
	}
}

START_TEST(a_context_goes_on_where_it_left)
{
	start(0, stepper);
	for (int i = 1; i <= 1000; i++) {
		eff__switch(&main_context, &contexts[0]);
		ck_assert_int_eq(steps, i);
	}
	finish(1);
}
END_TEST

static void block_and_look(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (;;) {
		ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
		back();
		pthread_sigmask(SIG_BLOCK, NULL, &set);
		steps = sigismember(&set, SIGUSR1);
		back();
	}
}

START_TEST(the_signal_mask_is_the_threads)
{
	sigset_t set;

	start(0, block_and_look);
	eff__switch(&main_context, &contexts[0]);
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	ck_assert_int_eq(sigismember(&set, SIGUSR1), 1);
	sigemptyset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
	steps = -1;
	eff__switch(&main_context, &contexts[0]);
	ck_assert_int_eq(steps, 0);
	finish(1);
}
END_TEST

static void aligned(void)
{
	/* A stack that is off by a word shows where the compiler trusts alignment. */
	volatile _Alignas(16) char there[32] = {0};

	steps = ((uintptr_t)there & 15) == 0 &&
		(const char *)there > (const char *)eff__stack_base(&stacks[0]) &&
		(const char *)there <
			(const char *)eff__stack_base(&stacks[0]) + eff__stack_size(&stacks[0]);
	back();
}

START_TEST(a_context_begins_on_its_own_aligned_stack)
{
	start(0, aligned);
	eff__switch(&main_context, &contexts[0]);
	ck_assert_int_eq(steps, 1);
	finish(1);
}
END_TEST

/* More values than there are registers to keep them in, alive over a switch: some in each callee-saved one. */
static long juggle(long seed)
{
	volatile long source = seed;
	long a = source, b = source * 3, c = source * 5, d = source * 7, e = source * 11,
	     f = source * 13;
	long g = source * 17, h = source * 19;
	volatile double real = (double)seed;
	double x = real * 2, y = real * 4, z = real * 8, w = real * 16;

	if (seed & 1)
		back();
	else
		eff__switch(&main_context, &contexts[0]);
	return a + b + c + d + e + f + g + h + (long)(x + y + z + w);
}

static long sums[1];

static void juggler(void)
{
	for (long i = 1;; i += 2)
		sums[0] += juggle(i);
}

START_TEST(registers_survive)
{
	long mine = 0;

	start(0, juggler);
	for (long i = 2; i <= 200; i += 2)
		mine += juggle(i);
	/* 76 is the sum of the small factors, 30 that of the real ones. */
	ck_assert_int_eq(mine, 106L * 100 * 101);
	ck_assert_int_eq(sums[0], 106L * 99 * 99);
	finish(1);
}
END_TEST

static void rounds_up(void)
{
	/* It began with its maker's mode. */
	steps = fegetround();
	(void)fesetround(FE_UPWARD);
	back();
	steps = fegetround();
	back();
}

START_TEST(each_context_has_its_own_rounding)
{
	start(0, rounds_up);
	(void)fesetround(FE_TONEAREST);
	eff__switch(&main_context, &contexts[0]);
	ck_assert_int_eq(steps, FE_TONEAREST);
	ck_assert_int_eq(fegetround(), FE_TONEAREST);
	(void)fesetround(FE_DOWNWARD);
	eff__switch(&main_context, &contexts[0]);
	ck_assert_int_eq(steps, FE_UPWARD);
	ck_assert_int_eq(fegetround(), FE_DOWNWARD);
	finish(1);
}
END_TEST

static void first_act(void)
{
	steps = fegetround();
	back();
}

START_TEST(a_context_begins_with_the_modes_it_was_made_with_whoever_switches_to_it)
{
	start(0, first_act);
	(void)fesetround(FE_UPWARD);
	eff__switch(&main_context, &contexts[0]);
	ck_assert_int_eq(steps, FE_TONEAREST);
	ck_assert_int_eq(fegetround(), FE_UPWARD);
	(void)fesetround(FE_TONEAREST);
	finish(1);
}
END_TEST

static void ends_in_main(void)
{
	steps = steps * 10 + 2;
	(void)fesetround(FE_DOWNWARD);
	eff__switch_last(&contexts[1], &main_context);
}

static void ends_in_another(void)
{
	steps = steps * 10 + 1;
	(void)fesetround(FE_UPWARD);
	eff__switch_last(&contexts[0], &contexts[1]);
}

START_TEST(the_last_switch_of_a_context_begins_another_or_goes_back)
{
	long mine = 0;

	for (int i = 0; i < 100; i++) {
		start(0, ends_in_another);
		start(1, ends_in_main);
		mine += juggle(2L * i);
		ck_assert_int_eq(fegetround(), FE_TONEAREST);
		ck_assert_int_eq(steps, 12);
		steps = 0;
		eff__stack_give(&stacks[0]);
		eff__stack_give(&stacks[1]);
	}
	ck_assert_int_eq(mine, 106L * 99 * 100);
	eff__stacks_free(pool);
}
END_TEST

static void ping(void)
{
	for (;;) {
		steps++;
		eff__switch(&contexts[0], &contexts[1]);
	}
}

static void pong(void)
{
	for (int i = 0;; i++) {
		steps++;
		eff__switch(&contexts[1], i == 9 ? &main_context : &contexts[0]);
	}
}

START_TEST(contexts_switch_to_each_other_directly)
{
	start(0, ping);
	start(1, pong);
	eff__switch(&main_context, &contexts[0]);
	ck_assert_int_eq(steps, 20);
	finish(2);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("switch");
	TCase *tcase = tcase_create("switch");

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, a_context_begins_on_its_own_aligned_stack);
	/* ThreadSanitizer would have to be told of every switch, which is the business of fibers. */
	if (!EFF__TSAN) {
		tcase_add_test(tcase, registers_survive);
		tcase_add_test(tcase, a_context_goes_on_where_it_left);
		tcase_add_test(tcase, the_signal_mask_is_the_threads);
		tcase_add_test(tcase, each_context_has_its_own_rounding);
		tcase_add_test(tcase,
			a_context_begins_with_the_modes_it_was_made_with_whoever_switches_to_it);
		tcase_add_test(tcase, the_last_switch_of_a_context_begins_another_or_goes_back);
		tcase_add_test(tcase, contexts_switch_to_each_other_directly);
	}
	return suite;
}
