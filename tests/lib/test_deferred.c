/* SPDX-License-Identifier: MIT */
/* Deferreds: completed once, awaited by any number. */
#include <errno.h>
#include <stdlib.h>

#include <eff/channel.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static struct eff_deferred deferred;

static void setup(void)
{
	run_setup();
	eff_deferred_init(&deferred);
}

/* Takes the exit. */
static void ck_text(eff_exit e, const char *want)
{
	char buf[128];

	ck_assert_str_eq(eff_exit_text(e, buf, sizeof(buf)), want);
	eff_exit_drop(e);
}

static eff_exit await_it(void *arg)
{
	eff_exit exit = eff_ok(NULL);
	int r = eff_deferred_await(&deferred, &exit);

	say("%s%d", (const char *)arg, r);
	return r < 0 ? eff_exit_of(r) : exit;
}

static eff_exit complete(void *arg)
{
	struct eff_fiber *a = forked(await_it, TEXT("a"));
	struct eff_fiber *b = forked(await_it, TEXT("b"));
	eff_exit exit;

	(void)arg;
	ck_assert(!eff_deferred_poll(&deferred, &exit));
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert_int_eq(eff_deferred_complete(&deferred, eff_failf(3, "first")), 0);
	/* The first stays, and the second is not leaked. */
	ck_assert_int_eq(eff_deferred_complete(&deferred, eff_failf(4, "second")), -EALREADY);
	ck_assert(eff_deferred_poll(&deferred, &exit));
	ck_assert_int_eq(exit.code, 3);
	ck_assert_str_eq(end_of(a), "fail 3: first");
	ck_assert_str_eq(end_of(b), "fail 3: first");
	ck_assert_int_eq(eff_deferred_await(&deferred, &exit), 0);
	ck_text(exit, "fail 3: first");
	ck_assert_int_eq(eff_deferred_await(&deferred, NULL), 0);
	eff_deferred_done(&deferred);
	return eff_ok(NULL);
}

START_TEST(all_that_wait_and_all_that_come_later_get_the_first_exit)
{
	run_ok(complete, NULL);
	ck_assert_str_eq(run_trace, "a0@1 b0@1 ");
}
END_TEST

static eff_exit await_on_the_heap(void *arg)
{
	eff_exit exit;

	ck_assert_int_eq(eff_deferred_await(arg, &exit), 0);
	ck_text(exit, "fail 3: words");
	ck_assert_int_eq(eff_check(), -ECANCELED);
	return eff_ok(NULL);
}

static eff_exit complete_and_free(void *arg)
{
	struct eff_deferred *once = malloc(sizeof(*once));
	struct eff_fiber *fiber;

	(void)arg;
	ck_assert_ptr_nonnull(once);
	eff_deferred_init(once);
	fiber = forked(await_on_the_heap, once);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert_int_eq(eff_deferred_complete(once, eff_failf(3, "words")), 0);
	eff_deferred_done(once);
	free(once);
	/* Fulfilled before it was cancelled: it returns what it was given. */
	eff_interrupt_async(fiber);
	ck_assert_str_eq(end_of(fiber), "ok");
	return eff_ok(NULL);
}

START_TEST(who_was_woken_does_not_look_at_the_deferred_again)
{
	run_ok(complete_and_free, NULL);
}
END_TEST

static eff_exit cut_short(void *arg)
{
	struct eff_fiber *a = forked(await_it, TEXT("a"));
	struct eff_fiber *b = forked(await_it, TEXT("b"));
	struct eff_scope within;
	eff_exit exit;

	(void)arg;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(1));
	ck_assert_int_eq(eff_deferred_await(&deferred, &exit), -ETIMEDOUT);
	ck_assert_int_eq(eff_deferred_complete(&deferred, eff_ok(NULL)), 0);
	/* Level-triggered, though it is there. */
	ck_assert_int_eq(eff_deferred_await(&deferred, &exit), -ETIMEDOUT);
	(void)eff_scope_close(&within);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_fiber_unref(a);
	eff_fiber_unref(b);
	ck_assert(eff_list_empty(&deferred.waiters));
	return eff_ok(NULL);
}

START_TEST(a_wait_that_is_cut_short_leaves_no_trace)
{
	run_ok(cut_short, NULL);
	ck_assert_str_eq(run_trace, "a0@1 b0@1 ");
}
END_TEST

static eff_exit interrupt_one(void *arg)
{
	struct eff_fiber *a = forked(await_it, TEXT("a"));
	struct eff_fiber *b = forked(await_it, TEXT("b"));

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert_int_eq(eff_interrupt(a, NULL), 0);
	eff_fiber_unref(a);
	ck_assert_int_eq(eff_deferred_complete(&deferred, eff_ok(NULL)), 0);
	ck_assert_str_eq(end_of(b), "ok");
	return eff_ok(NULL);
}

START_TEST(an_interrupted_waiter_takes_nothing_from_the_others)
{
	run_ok(interrupt_one, NULL);
	ck_assert_str_eq(run_trace, "a-125@1 b0@1 ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("deferred");
	TCase *tcase = tcase_create("deferred");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, run_teardown);
	tcase_add_test(tcase, all_that_wait_and_all_that_come_later_get_the_first_exit);
	tcase_add_test(tcase, who_was_woken_does_not_look_at_the_deferred_again);
	tcase_add_test(tcase, a_wait_that_is_cut_short_leaves_no_trace);
	tcase_add_test(tcase, an_interrupted_waiter_takes_nothing_from_the_others);
	suite_add_tcase(suite, tcase);
	return suite;
}
