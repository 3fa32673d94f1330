/* SPDX-License-Identifier: MIT */
/* The heap of timers, alone and against a list that is searched from end to end. */
#include <stdlib.h>

#include <check.h>

#include "alloc.h"
#include "internal.h"

Suite *test_suite(void);

/* CROWD are so many that those far off are not ordered. */
enum { N = 200, CROWD = 2000 };

static struct eff__timers heap;
static struct eff_timer timers[CROWD];

static void teardown(void)
{
	eff__timers_done(&heap);
}

START_TEST(the_earliest_comes_first)
{
	eff__timer_arm(&heap, &timers[0], 30);
	eff__timer_arm(&heap, &timers[1], 10);
	eff__timer_arm(&heap, &timers[2], 20);

	ck_assert_ptr_eq(eff__timers_due(&heap, 100), &timers[1]);
	ck_assert_ptr_eq(eff__timers_due(&heap, 100), &timers[2]);
	ck_assert_ptr_eq(eff__timers_due(&heap, 100), &timers[0]);
	ck_assert_ptr_null(eff__timers_due(&heap, 100));
	ck_assert_uint_eq(heap.count, 0);
}
END_TEST

START_TEST(of_one_instant_the_first_armed_comes_first)
{
	for (int i = 0; i < N; i++)
		eff__timer_arm(&heap, &timers[i], 5);
	for (int i = 0; i < N; i++)
		ck_assert_ptr_eq(eff__timers_due(&heap, 5), &timers[i]);
}
END_TEST

START_TEST(what_is_not_due_stays)
{
	eff__timer_arm(&heap, &timers[0], 10);

	ck_assert_ptr_null(eff__timers_due(&heap, 9));
	ck_assert_uint_eq(heap.count, 1);
	ck_assert_ptr_eq(eff__timers_due(&heap, 10), &timers[0]);
	ck_assert(!timers[0].armed);
}
END_TEST

START_TEST(arming_an_armed_timer_moves_it_to_the_end_of_its_instant)
{
	eff__timer_arm(&heap, &timers[0], 10);
	eff__timer_arm(&heap, &timers[1], 10);
	eff__timer_arm(&heap, &timers[0], 10);

	ck_assert_uint_eq(heap.count, 2);
	ck_assert_ptr_eq(eff__timers_due(&heap, 10), &timers[1]);
	ck_assert_ptr_eq(eff__timers_due(&heap, 10), &timers[0]);
}
END_TEST

START_TEST(disarming_a_timer_that_is_not_armed_does_nothing)
{
	eff__timer_disarm(&heap, &timers[0]);
	ck_assert_uint_eq(heap.count, 0);
}
END_TEST

static struct eff_timer *earliest(int n)
{
	struct eff_timer *best = NULL;

	for (int i = 0; i < n; i++) {
		struct eff_timer *t = &timers[i];

		if (t->armed &&
			(!best || t->at < best->at || (t->at == best->at && t->order < best->order)))
			best = t;
	}
	return best;
}

START_TEST(whatever_is_armed_and_disarmed_the_order_holds)
{
	srand(_i + 1);
	for (int step = 0; step < 20000; step++) {
		struct eff_timer *t = &timers[rand() % N];
		struct eff_timer *first = earliest(N);

		switch (rand() % 4) {
		case 0:
		case 1:
			eff__timer_arm(&heap, t, rand() % 50);
			break;
		case 2:
			eff__timer_disarm(&heap, t);
			break;
		default:
			ck_assert_ptr_eq(eff__timers_due(&heap, EFF_FOREVER), first);
		}
	}
	ck_assert_ptr_null(heap.groups);
}
END_TEST

/* Up to so long from now on, mostly less: from microseconds to years. */
static eff_ns some_time(int spread)
{
	uint64_t bits = (uint64_t)rand() << 31 ^ (uint64_t)rand();

	return (eff_ns)(bits >> (64 - spread + rand() % 12));
}

static void crowd_acts(int spread)
{
	eff_ns now = -EFF_H(1);

	for (int i = 0; i < CROWD; i++)
		eff__timer_arm(&heap, &timers[i], now + some_time(spread));
	for (int step = 0; step < 20000; step++) {
		struct eff_timer *t = &timers[rand() % CROWD];
		struct eff_timer *first;

		if (rand() % 8 == 0)
			eff__timer_disarm(&heap, t);
		/* A few at one instant, and some before all that have been so far. */
		else if (rand() % 2)
			eff__timer_arm(&heap, t, rand() % 4 ? now + some_time(spread) : t->at);
		if (rand() % 4)
			continue;
		first = earliest(CROWD);
		ck_assert_ptr_eq(heap.root, first);
		ck_assert_ptr_eq(eff__timers_due(&heap, EFF_FOREVER), first);
		ck_assert(!first->armed);
		now = first->at;
	}
	for (int i = 0; i < CROWD; i += 2)
		eff__timer_disarm(&heap, &timers[i]);
	for (struct eff_timer *first; (first = earliest(CROWD));)
		ck_assert_ptr_eq(eff__timers_due(&heap, EFF_FOREVER), first);
	ck_assert_ptr_null(heap.root);
	ck_assert_uint_eq(heap.count, 0);
}

START_TEST(in_a_crowd_it_holds_too_near_and_far)
{
	srand(_i + 1);
	crowd_acts(20 + 7 * _i);

	ck_assert_ptr_nonnull(heap.groups);
}
END_TEST

START_TEST(in_a_crowd_it_holds_without_memory_for_groups)
{
	srand(1);
	(void)alloc_fail_from(1);
	for (int i = 0; i < CROWD; i++)
		eff__timer_arm(&heap, &timers[i], some_time(30));
	(void)alloc_fail_after(0);

	ck_assert_ptr_null(heap.groups);
	for (int i = 0; i < CROWD; i++) {
		struct eff_timer *first = earliest(CROWD);

		ck_assert_ptr_eq(eff__timers_due(&heap, EFF_FOREVER), first);
	}
	ck_assert_ptr_null(heap.root);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("timers");
	TCase *tcase = tcase_create("timers");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, the_earliest_comes_first);
	tcase_add_test(tcase, of_one_instant_the_first_armed_comes_first);
	tcase_add_test(tcase, what_is_not_due_stays);
	tcase_add_test(tcase, arming_an_armed_timer_moves_it_to_the_end_of_its_instant);
	tcase_add_test(tcase, disarming_a_timer_that_is_not_armed_does_nothing);
	tcase_add_loop_test(tcase, whatever_is_armed_and_disarmed_the_order_holds, 0, 5);
	tcase_add_loop_test(tcase, in_a_crowd_it_holds_too_near_and_far, 0, 6);
	tcase_add_test(tcase, in_a_crowd_it_holds_without_memory_for_groups);
	suite_add_tcase(suite, tcase);
	return suite;
}
