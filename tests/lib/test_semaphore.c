/* SPDX-License-Identifier: MIT */
/* Semaphores: permits are granted in turn, and none is ever lost. */
#include <errno.h>

#include <eff/channel.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static struct eff_sem sem;

struct want {
	const char *name;
	uint64_t n;
	eff_ns holds;
};

static eff_exit hold(void *arg)
{
	struct want *want = arg;
	int r = eff_sem_acquire(&sem, want->n);

	say("%s%d", want->name, r);
	if (r < 0)
		return eff_exit_of(r);
	(void)eff_sleep(want->holds);
	eff_sem_release(&sem, want->n);
	return eff_ok(NULL);
}

static eff_exit two_at_once(void *arg)
{
	static struct want wants[] = {
		{"a", 1, EFF_S(3)}, {"b", 1, EFF_S(1)}, {"c", 1, EFF_S(1)}, {"d", 1, EFF_S(1)}};

	(void)arg;
	eff_sem_init(&sem, 2);
	for (int i = 0; i < 4; i++)
		eff_fiber_unref(forked(hold, &wants[i]));
	ck_assert_int_eq(eff_sleep(EFF_S(9)), 0);
	ck_assert_uint_eq(sem.permits, 2);
	return eff_ok(NULL);
}

START_TEST(so_many_hold_it_at_once_and_the_others_follow_in_their_order)
{
	run_ok(two_at_once, NULL);
	ck_assert_str_eq(run_trace, "a0@0 b0@0 c0@1 d0@2 ");
}
END_TEST

static eff_exit many_and_few(void *arg)
{
	static struct want wants[] = {{"many", 3, EFF_S(1)}, {"few", 1, EFF_S(1)}};

	(void)arg;
	eff_sem_init(&sem, 3);
	ck_assert_int_eq(eff_sem_acquire(&sem, 1), 0);
	for (int i = 0; i < 2; i++)
		eff_fiber_unref(forked(hold, &wants[i]));
	ck_assert_int_eq(eff_sleep(EFF_S(5)), 0);
	/* Two are free, but it is not the turn of who wants one. */
	ck_assert_uint_eq(sem.permits, 2);
	ck_assert_int_eq(eff_sem_try_acquire(&sem, 1), -EAGAIN);
	eff_sem_release(&sem, 1);
	ck_assert_int_eq(eff_sleep(EFF_S(5)), 0);
	ck_assert_int_eq(eff_sem_try_acquire(&sem, 4), -EAGAIN);
	ck_assert_int_eq(eff_sem_try_acquire(&sem, 3), 0);
	return eff_ok(NULL);
}

START_TEST(who_wants_many_is_not_overtaken_by_who_wants_few)
{
	run_ok(many_and_few, NULL);
	ck_assert_str_eq(run_trace, "many0@5 few0@6 ");
}
END_TEST

static eff_exit first_gives_up(void *arg)
{
	static struct want wants[] = {
		{"many", 3, EFF_S(1)}, {"few", 1, EFF_S(1)}, {"two", 2, EFF_S(1)}};
	struct eff_fiber *many;

	(void)arg;
	eff_sem_init(&sem, 3);
	ck_assert_int_eq(eff_sem_acquire(&sem, 1), 0);
	many = forked(hold, &wants[0]);
	for (int i = 1; i < 3; i++)
		eff_fiber_unref(forked(hold, &wants[i]));
	ck_assert_int_eq(eff_sleep(EFF_S(5)), 0);
	ck_assert_int_eq(eff_interrupt(many, NULL), 0);
	eff_fiber_unref(many);
	ck_assert_int_eq(eff_sleep(EFF_S(5)), 0);
	eff_sem_release(&sem, 1);
	ck_assert_uint_eq(sem.permits, 3);
	return eff_ok(NULL);
}

START_TEST(a_first_that_gives_up_lets_those_behind_it_have_what_is_free)
{
	run_ok(first_gives_up, NULL);
	ck_assert_str_eq(run_trace, "few0@5 many-125@5 two0@6 ");
}
END_TEST

static eff_exit cancel_granted(void *arg)
{
	static struct want want = {"a", 2, EFF_S(9)};
	struct eff_fiber *fiber;

	(void)arg;
	eff_sem_init(&sem, 0);
	fiber = forked(hold, &want);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_sem_release(&sem, 2);
	ck_assert_uint_eq(sem.permits, 0);
	/* Granted and not yet returned: it has them, and gives them back by its own unwinding. */
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_uint_eq(sem.permits, 2);
	return eff_ok(NULL);
}

START_TEST(who_is_cancelled_after_the_grant_holds_the_permits)
{
	run_ok(cancel_granted, NULL);
	ck_assert_str_eq(run_trace, "a0@1 ");
}
END_TEST

static eff_exit cancelled_before(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	eff_sem_init(&sem, 1);
	eff_scope_open(&scope);
	eff_scope_limit(&scope, eff_now());
	ck_assert_int_eq(eff_sem_acquire(&sem, 1), -ETIMEDOUT);
	ck_assert_int_eq(eff_sem_acquire(&sem, 2), -ETIMEDOUT);
	ck_assert_uint_eq(sem.permits, 1);
	ck_assert(eff_list_empty(&sem.waiters));
	ck_assert_int_eq(eff_sem_try_acquire(&sem, 1), 0);
	(void)eff_scope_close(&scope);
	eff_sem_release(&sem, 1);
	ck_assert_int_eq(eff_sem_acquire(&sem, 0), 0);
	ck_assert_int_eq(eff_sem_acquire(&sem, 1), 0);
	return eff_ok(NULL);
}

START_TEST(who_is_cancelled_already_takes_none)
{
	run_ok(cancelled_before, NULL);
}
END_TEST

static eff_exit nap(void *arg)
{
	say("nap");
	return eff_exit_of(eff_sleep(*(int64_t *)arg));
}

static eff_exit nap_with_permit(void *arg)
{
	return eff_sem_with(&sem, 1, EFF(nap, arg));
}

static eff_exit with(void *arg)
{
	struct eff_fiber *first, *second, *third;

	(void)arg;
	eff_sem_init(&sem, 1);
	first = forked(nap_with_permit, NUMBER(EFF_S(5)));
	second = forked(nap_with_permit, NUMBER(EFF_S(5)));
	third = forked(nap_with_permit, NUMBER(EFF_S(1)));
	ck_assert_int_eq(eff_sleep(EFF_S(2)), 0);
	/* One that waits for the permit, and the one that holds it. */
	eff_interrupt_async(second);
	eff_interrupt_async(first);
	ck_assert_str_eq(end_of(third), "ok");
	ck_assert_str_eq(end_of(second), "interrupt");
	ck_assert_str_eq(end_of(first), "interrupt");
	ck_assert_uint_eq(sem.permits, 1);
	return eff_ok(NULL);
}

START_TEST(an_effect_run_with_permits_gives_them_back_however_it_ends)
{
	run_ok(with, NULL);
	ck_assert_str_eq(run_trace, "nap@0 nap@2 ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("semaphore");
	TCase *tcase = tcase_create("semaphore");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, so_many_hold_it_at_once_and_the_others_follow_in_their_order);
	tcase_add_test(tcase, who_wants_many_is_not_overtaken_by_who_wants_few);
	tcase_add_test(tcase, a_first_that_gives_up_lets_those_behind_it_have_what_is_free);
	tcase_add_test(tcase, who_is_cancelled_after_the_grant_holds_the_permits);
	tcase_add_test(tcase, who_is_cancelled_already_takes_none);
	tcase_add_test(tcase, an_effect_run_with_permits_gives_them_back_however_it_ends);
	suite_add_tcase(suite, tcase);
	return suite;
}
