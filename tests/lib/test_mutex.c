/* SPDX-License-Identifier: MIT */
/* Mutexes: one at a time, in turn. */
#include <errno.h>

#include <eff/channel.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static struct eff_mutex mutex;
static int n_inside;

static void setup(void)
{
	run_setup();
	eff_mutex_init(&mutex);
	n_inside = 0;
}

static eff_exit hold(void *arg)
{
	int r = eff_mutex_lock(&mutex);

	say("%s%d", (const char *)arg, r);
	if (r < 0)
		return eff_exit_of(r);
	ck_assert_int_eq(++n_inside, 1);
	(void)eff_sleep(EFF_S(1));
	n_inside--;
	eff_mutex_unlock(&mutex);
	return eff_ok(NULL);
}

static eff_exit one_at_a_time(void *arg)
{
	(void)arg;
	eff_fiber_unref(forked(hold, TEXT("a")));
	eff_fiber_unref(forked(hold, TEXT("b")));
	eff_fiber_unref(forked(hold, TEXT("c")));
	(void)eff_yield();
	ck_assert_int_eq(eff_mutex_try_lock(&mutex), -EAGAIN);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	/* Handed on in the moment of the unlock: there is no gap to slip into. */
	ck_assert_int_eq(eff_mutex_try_lock(&mutex), -EAGAIN);
	ck_assert_int_eq(eff_sleep(EFF_S(3)), 0);
	ck_assert_int_eq(eff_mutex_try_lock(&mutex), 0);
	eff_mutex_unlock(&mutex);
	ck_assert_ptr_null(mutex.owner);
	return eff_ok(NULL);
}

START_TEST(one_holds_it_at_a_time_in_the_order_in_which_they_came)
{
	run_ok(one_at_a_time, NULL);
	ck_assert_str_eq(run_trace, "a0@0 b0@1 c0@2 ");
}
END_TEST

static eff_exit cancel_some(void *arg)
{
	struct eff_fiber *a, *b, *c;

	(void)arg;
	ck_assert_int_eq(eff_mutex_lock(&mutex), 0);
	a = forked(hold, TEXT("a"));
	b = forked(hold, TEXT("b"));
	c = forked(hold, TEXT("c"));
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert_int_eq(eff_interrupt(a, NULL), 0);
	/* It is given to b, which is cancelled before it has returned: b has it, and gives it back. */
	eff_mutex_unlock(&mutex);
	ck_assert_ptr_eq(mutex.owner, b);
	eff_interrupt_async(b);
	ck_assert_str_eq(end_of(c), "ok");
	ck_assert_ptr_null(mutex.owner);
	ck_assert_int_eq(eff_now(), EFF_S(2));
	eff_fiber_unref(a);
	eff_fiber_unref(b);
	return eff_ok(NULL);
}

START_TEST(a_cancelled_waiter_has_it_or_never_had_it)
{
	run_ok(cancel_some, NULL);
	ck_assert_str_eq(run_trace, "a-125@1 b0@1 c0@1 ");
}
END_TEST

static eff_exit cancelled_before(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_scope_cancel(&scope);
	ck_assert_int_eq(eff_mutex_lock(&mutex), -ECANCELED);
	ck_assert_ptr_null(mutex.owner);
	ck_assert_int_eq(eff_mutex_try_lock(&mutex), 0);
	eff_mutex_unlock(&mutex);
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(who_is_cancelled_already_does_not_get_it)
{
	run_ok(cancelled_before, NULL);
}
END_TEST

static eff_exit fail_inside(void *arg)
{
	ck_assert_ptr_eq(mutex.owner, eff_self());
	(void)eff_sleep(EFF_S(1));
	return eff_failf(3, "%s", (const char *)arg);
}

static eff_exit locked(void *arg)
{
	return eff_mutex_with(&mutex, EFF(fail_inside, arg));
}

static eff_exit with(void *arg)
{
	struct eff_fiber *a = forked(locked, TEXT("a"));
	struct eff_fiber *b = forked(locked, TEXT("b"));

	(void)arg;
	ck_assert_str_eq(end_of(a), "fail 3: a");
	ck_assert_int_eq(eff_now(), EFF_S(1));
	eff_interrupt_async(b);
	ck_assert_str_eq(end_of(b), "fail 3: b");
	ck_assert_ptr_null(mutex.owner);
	return eff_ok(NULL);
}

START_TEST(an_effect_run_under_the_lock_unlocks_it_however_it_ends)
{
	run_ok(with, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("mutex");
	TCase *tcase = tcase_create("mutex");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, run_teardown);
	tcase_add_test(tcase, one_holds_it_at_a_time_in_the_order_in_which_they_came);
	tcase_add_test(tcase, a_cancelled_waiter_has_it_or_never_had_it);
	tcase_add_test(tcase, who_is_cancelled_already_does_not_get_it);
	tcase_add_test(tcase, an_effect_run_under_the_lock_unlocks_it_however_it_ends);
	suite_add_tcase(suite, tcase);
	return suite;
}
