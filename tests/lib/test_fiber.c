/* SPDX-License-Identifier: MIT */
/* Fibers: their order, and being interrupted. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <eff/event.h>
#include <eff/scope.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static eff_exit say_it(void *arg)
{
	say("%s", (const char *)arg);
	return eff_ok(arg);
}

/* ── order ── */

static eff_exit fork_three(void *arg)
{
	(void)arg;
	ck_assert_int_eq(eff_fork(EFF(say_it, TEXT("a")), NULL), 0);
	ck_assert_int_eq(eff_fork(EFF(say_it, TEXT("b")), NULL), 0);
	ck_assert_int_eq(eff_fork(EFF(say_it, TEXT("c")), NULL), 0);
	say("forked");
	ck_assert_int_eq(eff_yield(), 0);
	say("yielded");
	return eff_ok(NULL);
}

START_TEST(forks_do_not_suspend_and_run_in_their_order)
{
	run_ok(fork_three, NULL);
	ck_assert_str_eq(run_trace, "forked@0 a@0 b@0 c@0 yielded@0 ");
}
END_TEST

static eff_exit yield_twice(void *arg)
{
	say("%s1", (const char *)arg);
	(void)eff_yield();
	say("%s2", (const char *)arg);
	(void)eff_yield();
	say("%s3", (const char *)arg);
	return eff_ok(NULL);
}

static eff_exit two_yielders(void *arg)
{
	struct eff_fiber *a = forked(yield_twice, TEXT("a"));
	struct eff_fiber *b = forked(yield_twice, TEXT("b"));

	(void)arg;
	ck_assert_str_eq(end_of(a), "ok");
	ck_assert_str_eq(end_of(b), "ok");
	return eff_ok(NULL);
}

START_TEST(yielding_lets_every_other_ready_fiber_run_once)
{
	run_ok(two_yielders, NULL);
	ck_assert_str_eq(run_trace, "a1@0 b1@0 a2@0 b2@0 a3@0 b3@0 ");
}
END_TEST

/* ── interrupt ── */

static eff_exit sleep_then_clean_up(void *arg)
{
	int r = eff_sleep(EFF_H(1));
	eff_masked masked = eff_mask();

	(void)arg;
	say("cut %d", r == -ECANCELED);
	ck_assert_int_eq(eff_sleep(EFF_S(2)), 0);
	say("clean");
	eff_unmask(masked);
	return eff_exit_of(r);
}

static eff_exit interrupt_a_sleeper(void *arg)
{
	struct eff_fiber *child = forked(sleep_then_clean_up, NULL);
	eff_exit exit;

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert_int_eq(eff_interrupt(child, &exit), 0);
	ck_assert_int_eq(exit.tag, EFF_INTERRUPT);
	say("gone");
	/* Asking one that has ended returns how it ended. */
	ck_assert_int_eq(eff_interrupt(child, &exit), 0);
	ck_assert_int_eq(exit.tag, EFF_INTERRUPT);
	eff_fiber_unref(child);
	return eff_ok(NULL);
}

START_TEST(interrupting_waits_for_the_end_with_all_that_it_cleans_up)
{
	run_ok(interrupt_a_sleeper, NULL);
	ck_assert_str_eq(run_trace, "cut 1@1 clean@3 gone@3 ");
}
END_TEST

static eff_exit again_and_again(void *arg)
{
	struct eff_event never;

	eff_event_init(&never);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(eff_event_await(&never), -ECANCELED);
	ck_assert_int_eq(eff_sleep(1), -ECANCELED);
	ck_assert_int_eq(eff_yield(), -ECANCELED);
	ck_assert_int_eq(eff_check(), -ECANCELED);
	return eff_ok(arg);
}

static eff_exit interrupt_one_that_says_ok(void *arg)
{
	struct eff_fiber *child = forked(again_and_again, NULL);
	eff_exit exit;

	(void)arg;
	ck_assert_int_eq(eff_yield(), 0);
	eff_interrupt_async(child);
	eff_interrupt_async(child);
	ck_assert_int_eq(eff_await(child, &exit), 0);
	ck_assert_int_eq(exit.tag, EFF_OK);
	eff_fiber_unref(child);
	return eff_ok(NULL);
}

START_TEST(every_wait_of_an_interrupted_fiber_returns_and_its_exit_is_what_it_returned)
{
	run_ok(interrupt_one_that_says_ok, NULL);
}
END_TEST

static void note_end(struct eff_fiber *fiber, void *context)
{
	say("%s %s", (const char *)context,
		fiber->exit.tag == EFF_INTERRUPT ? "interrupted" : "ended");
}

static eff_exit interrupt_before_the_first_step(void *arg)
{
	struct eff_fiber *child = forked(say_it, TEXT("never"));

	(void)arg;
	child->on_end = note_end;
	child->on_end_context = TEXT("child");
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt");
	say("awaited");
	child = forked(say_it, TEXT("started"));
	child->on_end = note_end;
	child->on_end_context = TEXT("other");
	ck_assert_str_eq(end_of(child), "ok");
	return eff_ok(NULL);
}

START_TEST(a_fiber_interrupted_before_its_first_step_never_starts_but_ends)
{
	run_ok(interrupt_before_the_first_step, NULL);
	ck_assert_str_eq(run_trace, "child interrupted@0 awaited@0 started@0 other ended@0 ");
}
END_TEST

static eff_exit await_event(void *arg)
{
	int r = eff_event_await(arg);

	say("woke %d", r);
	r = eff_event_await(arg);
	say("then %s", r == -ECANCELED ? "canceled" : "not");
	return eff_exit_of(r);
}

static eff_exit fulfil_then_interrupt(void *arg)
{
	struct eff_event event;
	struct eff_fiber *child;

	(void)arg;
	eff_event_init(&event);
	child = forked(await_event, &event);
	ck_assert_int_eq(eff_yield(), 0);
	eff_event_set(&event);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt");
	return eff_ok(NULL);
}

START_TEST(a_wait_that_was_fulfilled_returns_its_result_though_cancelled_meanwhile)
{
	run_ok(fulfil_then_interrupt, NULL);
	ck_assert_str_eq(run_trace, "woke 0@0 then canceled@0 ");
}
END_TEST

/* ── on the main stack ── */

static void on_main(void *arg)
{
	char here;

	*(uintptr_t *)arg = (uintptr_t)&here;
	ck_assert_ptr_null(eff_self());
}

static void look_from_main(void *arg)
{
	struct eff_fiber_info info;

	eff_fiber_info(arg, &info);
	ck_assert_str_eq(info.state, "running");
}

static eff_exit call_on_main(void *arg)
{
	struct eff_fiber *self = eff_self();
	uintptr_t there = 0;

	(void)arg;
	ck_assert_int_eq(eff_fork(EFF(say_it, TEXT("other")), NULL), 0);
	eff_deep(on_main, &there);
	ck_assert(there < (uintptr_t)eff__stack_base(&self->stack) ||
		there >= (uintptr_t)eff__stack_base(&self->stack) + eff__stack_size(&self->stack));
	ck_assert_ptr_eq(eff_self(), self);
	/* Nobody ran meanwhile. */
	ck_assert_str_eq(run_trace, "");
	eff_deep(on_main, &there);
	eff_deep(look_from_main, self);
	return eff_ok(NULL);
}

START_TEST(a_call_on_the_main_stack_runs_there_and_nobody_else_meanwhile)
{
	uintptr_t there = 0;

	run_ok(call_on_main, NULL);
	eff_deep(on_main, &there);
	ck_assert_uint_ne(there, 0);
}
END_TEST

static void go_deep(struct eff_fiber *fiber, void *context)
{
	uintptr_t there = 0;

	(void)fiber;
	eff_deep(on_main, &there);
	say("%s", (const char *)context);
}

static void fork_unborn(const char *word)
{
	struct eff_fiber *fiber;

	ck_assert_int_eq(eff_fork_daemon(EFF(say_it, TEXT("never")), &fiber), 0);
	fiber->on_end = go_deep;
	fiber->on_end_context = (void *)word;
	eff_interrupt_async(fiber);
	eff_fiber_unref(fiber);
}

/* They end on the stack of whoever looks for the next to run: one that suspends, one that ends, the loop. */
static eff_exit end_unborn(void *arg)
{
	(void)arg;
	fork_unborn("suspended");
	(void)eff_sleep(EFF_S(1));
	fork_unborn("ended");
	return eff_ok(NULL);
}

START_TEST(what_is_told_of_one_that_never_began_may_go_deep)
{
	run_ok(end_unborn, NULL);
	ck_assert_str_eq(run_trace, "suspended@0 ended@1 ");
	fork_unborn("nobody");
	(void)eff_rt_turn(run_rt);
	ck_assert_str_eq(run_trace, "suspended@0 ended@1 nobody@1 ");
}
END_TEST

static eff_exit fails(void *arg)
{
	(void)arg;
	return eff_failf(3, "words");
}

static eff_exit hold_twice(void *arg)
{
	struct eff_fiber *first = forked(fails, arg);
	struct eff_fiber *second = eff_fiber_ref(first);
	eff_exit exit;

	ck_assert_ptr_eq(first, second);
	ck_assert_int_eq(eff_await(first, NULL), 0);
	eff_fiber_unref(first);
	/* The exit is there as long as a reference is. */
	ck_assert(eff_poll(second, &exit));
	ck_assert_int_eq(exit.code, 3);
	ck_assert_str_eq(eff_exit_words(exit), "words");
	eff_fiber_unref(second);
	return eff_ok(NULL);
}

START_TEST(an_ended_fiber_is_there_until_its_last_reference_goes)
{
	run_ok(hold_twice, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("fiber");
	TCase *tcase = tcase_create("fiber");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, forks_do_not_suspend_and_run_in_their_order);
	tcase_add_test(tcase, yielding_lets_every_other_ready_fiber_run_once);
	tcase_add_test(tcase, interrupting_waits_for_the_end_with_all_that_it_cleans_up);
	tcase_add_test(tcase,
		every_wait_of_an_interrupted_fiber_returns_and_its_exit_is_what_it_returned);
	tcase_add_test(tcase, a_fiber_interrupted_before_its_first_step_never_starts_but_ends);
	tcase_add_test(
		tcase, a_wait_that_was_fulfilled_returns_its_result_though_cancelled_meanwhile);
	tcase_add_test(tcase, what_is_told_of_one_that_never_began_may_go_deep);
	tcase_add_test(tcase, a_call_on_the_main_stack_runs_there_and_nobody_else_meanwhile);
	tcase_add_test(tcase, an_ended_fiber_is_there_until_its_last_reference_goes);
	suite_add_tcase(suite, tcase);
	return suite;
}
