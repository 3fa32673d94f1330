/* SPDX-License-Identifier: MIT */
/* Leaving scopes: finalizers, and what they own. */
#include <errno.h>

#include <eff/event.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static const char *name_of(int r)
{
	return !r ? "ok" : r == -ECANCELED ? "canceled" : r == -ETIMEDOUT ? "timedout" : "odd";
}

static void say_result(const char *what, int r)
{
	say("%s %s", what, name_of(r));
}

static eff_exit cancel_soon(void *arg)
{
	(void)eff_sleep(EFF_S(1));
	eff_scope_cancel(arg);
	return eff_ok(NULL);
}

static void say_deferred(void *arg)
{
	say("%s", (const char *)arg);
}

static void sleepy_finalizer(void *arg)
{
	struct eff_scope within;

	say_result(arg, eff_sleep(EFF_S(1)));
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_S(1));
	say_result("limited", eff_sleep(EFF_H(1)));
	(void)eff_scope_close(&within);
}

/* The nodes outlive the body's frame: they run when it has returned. */
static eff_exit with_finalizers(void *arg)
{
	static struct eff_finalizer a;
	static struct eff_finalizer b;
	static struct eff_finalizer c;

	(void)arg;
	eff_defer(eff_scope_current(), &a, say_deferred, TEXT("a"));
	eff_defer(eff_scope_current(), &b, sleepy_finalizer, TEXT("b"));
	eff_defer(eff_scope_current(), &c, say_deferred, TEXT("c"));
	return eff_exit_of(eff_sleep(EFF_H(1)));
}

static eff_exit interrupt_with_finalizers(void *arg)
{
	struct eff_fiber *child = forked(with_finalizers, NULL);

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt");
	say("seen");
	return eff_ok(NULL);
}

START_TEST(what_was_deferred_runs_masked_last_first_before_the_exit_is_seen)
{
	run_ok(interrupt_with_finalizers, NULL);
	ck_assert_str_eq(run_trace, "c@1 b ok@2 limited timedout@3 a@3 seen@3 ");
}
END_TEST

static eff_exit slow_child(void *arg)
{
	int r = eff_sleep(EFF_H(1));
	eff_masked masked = eff_mask();

	say("%s told", (const char *)arg);
	(void)eff_sleep(EFF_S(2));
	say("%s gone", (const char *)arg);
	eff_unmask(masked);
	return eff_exit_of(r);
}

static eff_exit close_with_children(void *arg)
{
	struct eff_scope scope;
	struct eff_finalizer node;

	(void)arg;
	eff_scope_open(&scope);
	eff_defer(&scope, &node, say_deferred, TEXT("deferred"));
	ck_assert_int_eq(eff_fork(EFF(slow_child, TEXT("a")), NULL), 0);
	ck_assert_int_eq(eff_fork(EFF(slow_child, TEXT("b")), NULL), 0);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert_int_eq(eff_scope_close(&scope), 0);
	say("closed");
	return eff_ok(NULL);
}

START_TEST(closing_interrupts_all_children_awaits_them_and_then_runs_what_was_deferred)
{
	run_ok(close_with_children, NULL);
	ck_assert_str_eq(run_trace, "a told@1 b told@1 a gone@3 b gone@3 deferred@3 closed@3 ");
}
END_TEST

static void fork_while_closing(void *arg)
{
	struct eff_scope within;

	ck_assert_int_eq(eff_fork_in(arg, EFF(slow_child, TEXT("x")), NULL), -ECANCELED);
	ck_assert_int_eq(eff_fork(EFF(slow_child, TEXT("x")), NULL), -ECANCELED);
	eff_scope_open(&within);
	ck_assert_int_eq(eff_fork(EFF(cancel_soon, &within), NULL), 0);
	say_result("in a scope of its own", eff_sleep(EFF_H(1)));
	(void)eff_scope_close(&within);
}

static eff_exit fork_in_closing(void *arg)
{
	struct eff_scope scope;
	struct eff_finalizer node;

	(void)arg;
	eff_scope_open(&scope);
	eff_defer(&scope, &node, fork_while_closing, &scope);
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(a_closing_scope_takes_no_more_fibers)
{
	run_ok(fork_in_closing, NULL);
	ck_assert_str_eq(run_trace, "in a scope of its own canceled@1 ");
}
END_TEST

static eff_exit fork_in_another(void *arg)
{
	ck_assert_int_eq(eff_fork_in(arg, EFF(slow_child, TEXT("guest")), NULL), 0);
	return eff_ok(NULL);
}

static eff_exit own_a_guest(void *arg)
{
	struct eff_scope scope;
	struct eff_scope inner;
	struct eff_fiber *child;

	(void)arg;
	eff_scope_open(&scope);
	eff_scope_open(&inner);
	child = forked(fork_in_another, &scope);
	ck_assert_str_eq(end_of(child), "ok");
	(void)eff_yield();
	(void)eff_scope_close(&inner);
	say("inner closed");
	(void)eff_scope_close(&scope);
	say("closed");
	return eff_ok(NULL);
}

START_TEST(a_fiber_lives_as_long_as_the_scope_that_it_was_forked_in)
{
	run_ok(own_a_guest, NULL);
	ck_assert_str_eq(run_trace, "inner closed@0 guest told@0 guest gone@2 closed@2 ");
}
END_TEST

static eff_exit cancelled_while_closing(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_scope_limit(&scope, EFF_S(1));
	ck_assert_int_eq(eff_fork(EFF(slow_child, TEXT("a")), NULL), 0);
	ck_assert_int_eq(eff_yield(), 0);
	/* Its end takes longer than the limit, which was for what was done inside. */
	ck_assert_int_eq(eff_scope_close(&scope), 0);
	say_result("after", eff_check());
	return eff_ok(NULL);
}

START_TEST(a_limit_does_not_count_the_closing)
{
	run_ok(cancelled_while_closing, NULL);
	ck_assert_str_eq(run_trace, "a told@0 a gone@2 after ok@2 ");
}
END_TEST

static eff_exit current(void *arg)
{
	struct eff_scope *body = eff_scope_current();
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	ck_assert_ptr_eq(eff_scope_current(), &scope);
	(void)eff_scope_close(&scope);
	ck_assert_ptr_eq(eff_scope_current(), body);
	return eff_ok(NULL);
}

START_TEST(the_innermost_open_scope_is_the_current_one)
{
	run_ok(current, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("scope_close");
	TCase *tcase = tcase_create("scope_close");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, what_was_deferred_runs_masked_last_first_before_the_exit_is_seen);
	tcase_add_test(tcase,
		closing_interrupts_all_children_awaits_them_and_then_runs_what_was_deferred);
	tcase_add_test(tcase, a_closing_scope_takes_no_more_fibers);
	tcase_add_test(tcase, a_fiber_lives_as_long_as_the_scope_that_it_was_forked_in);
	tcase_add_test(tcase, a_limit_does_not_count_the_closing);
	tcase_add_test(tcase, the_innermost_open_scope_is_the_current_one);
	suite_add_tcase(suite, tcase);
	return suite;
}
