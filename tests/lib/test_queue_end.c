/* SPDX-License-Identifier: MIT */
/* Queues whose ends are cancelled, in every moment, and closed. */
#include <errno.h>

#include <eff/scope.h>

#include "leak.h"
#include "queues.h"

Suite *test_suite(void);

/* ── cancelling ── */

static eff_exit cancelled_before(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	queue_of(2, EFF_FULL_WAITS);
	ck_assert_int_eq(send(1), 0);
	eff_scope_open(&scope);
	eff_scope_cancel(&scope);
	/* Level-triggered: neither what is there nor room is taken. */
	ck_assert_int_eq(receive(), -ECANCELED);
	ck_assert_int_eq(send(2), -ECANCELED);
	ck_assert_uint_eq(queue.count, 1);
	ck_assert_int_eq(try_receive(), 1);
	ck_assert_int_eq(receive(), -ECANCELED);
	ck_assert_int_eq(try_send(2), 0);
	ck_assert_int_eq(try_send(3), 0);
	ck_assert_int_eq(send(4), -ECANCELED);
	(void)eff_scope_close(&scope);
	ck_assert_int_eq(receive(), 2);
	ck_assert_int_eq(receive(), 3);
	ck_assert_int_eq(try_receive(), -EAGAIN);
	return eff_ok(NULL);
}

START_TEST(who_is_cancelled_already_sends_and_receives_nothing)
{
	run_ok(cancelled_before, NULL);
}
END_TEST

static eff_exit cancel_waiting(void *arg)
{
	struct eff_fiber *first, *second;

	queue_of(*(size_t *)arg, EFF_FULL_WAITS);
	first = forked(receiver, TEXT("a"));
	second = forked(receiver, TEXT("b"));
	let_all_run();
	ck_assert_int_eq(eff_interrupt(first, NULL), 0);
	ck_assert_int_eq(send(1), 0);
	ck_assert_str_eq(end_of(second), "ok");
	eff_fiber_unref(first);
	while (queue.count < queue.capacity)
		ck_assert_int_eq(send(0), 0);
	first = forked(sender, MESSAGE(2));
	second = forked(sender, MESSAGE(3));
	let_all_run();
	ck_assert_int_eq(eff_interrupt(first, NULL), 0);
	eff_fiber_unref(first);
	for (size_t i = 0; i < queue.capacity; i++)
		ck_assert_int_eq(receive(), 0);
	ck_assert_int_eq(receive(), 3);
	ck_assert_str_eq(end_of(second), "ok");
	ck_assert_int_eq(try_receive(), -EAGAIN);
	return eff_ok(NULL);
}

START_TEST(who_is_cancelled_while_waiting_has_given_and_taken_nothing)
{
	size_t capacity = (size_t)_i;

	run_ok(cancel_waiting, &capacity);
	ck_assert_str_eq(run_trace, "a-125@1 b1@1 +2!-125@2 +3@2 ");
}
END_TEST

static eff_exit receive_twice(void *arg)
{
	(void)receiver(arg);
	return receiver(arg);
}

static eff_exit send_twice(void *arg)
{
	(void)sender(arg);
	return sender(arg);
}

static eff_exit cancel_fulfilled(void *arg)
{
	struct eff_fiber *fiber;

	queue_of(*(size_t *)arg, EFF_FULL_WAITS);
	fiber = forked(receive_twice, TEXT("a"));
	let_all_run();
	ck_assert_int_eq(send(1), 0);
	/* It has its message, and has not returned. */
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	while (queue.count < queue.capacity)
		ck_assert_int_eq(send(0), 0);
	fiber = forked(send_twice, MESSAGE(2));
	let_all_run();
	for (size_t i = 0; i < queue.capacity; i++)
		ck_assert_int_eq(receive(), 0);
	if (!queue.capacity)
		ck_assert_int_eq(receive(), 2);
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(try_receive(), queue.capacity ? 2 : -EAGAIN);
	ck_assert_int_eq(try_receive(), -EAGAIN);
	return eff_ok(NULL);
}

START_TEST(who_is_cancelled_after_the_exchange_has_made_it)
{
	size_t capacity = (size_t)_i;

	run_ok(cancel_fulfilled, &capacity);
	ck_assert_str_eq(run_trace, "a1@1 a-125@1 +2@2 +2!-125@2 ");
}
END_TEST

static eff_exit late(void *arg)
{
	struct eff_scope within;

	(void)arg;
	queue_of(1, EFF_FULL_WAITS);
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(1));
	ck_assert_int_eq(receive(), -ETIMEDOUT);
	(void)eff_scope_close(&within);
	ck_assert_int_eq(send(1), 0);
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(2));
	ck_assert_int_eq(send(2), -ETIMEDOUT);
	(void)eff_scope_close(&within);
	ck_assert_int_eq(receive(), 1);
	ck_assert_int_eq(try_receive(), -EAGAIN);
	ck_assert_int_eq(eff_now(), EFF_S(2));
	return eff_ok(NULL);
}

START_TEST(a_limit_cuts_a_wait_short_at_either_end)
{
	run_ok(late, NULL);
}
END_TEST

/* ── closing ── */

static eff_exit close_on_senders(void *arg)
{
	queue_of(*(size_t *)arg, EFF_FULL_WAITS);
	fork_senders(1, 3);
	eff_queue_close(&queue);
	eff_queue_close(&queue);
	let_all_run();
	ck_assert_int_eq(send(4), -EPIPE);
	ck_assert_int_eq(try_send(4), -EPIPE);
	for (size_t i = 1; i <= queue.capacity; i++)
		ck_assert_int_eq(receive(), (intptr_t)i);
	ck_assert_int_eq(receive(), -EPIPE);
	ck_assert_int_eq(try_receive(), -EPIPE);
	return eff_ok(NULL);
}

START_TEST(closing_turns_senders_away_and_lets_receivers_drain)
{
	static const char *const traces[] = {"+1!-32@1 +2!-32@1 +3!-32@1 ",
		"+1@0 +2!-32@1 +3!-32@1 ", "+1@0 +2@0 +3!-32@1 "};
	size_t capacity = (size_t)_i;

	run_ok(close_on_senders, &capacity);
	ck_assert_str_eq(run_trace, traces[_i]);
}
END_TEST

static eff_exit close_on_receivers(void *arg)
{
	queue_of(*(size_t *)arg, EFF_FULL_WAITS);
	fork_receivers();
	ck_assert_int_eq(send(1), 0);
	eff_queue_close(&queue);
	let_all_run();
	return eff_ok(NULL);
}

START_TEST(closing_wakes_receivers_for_whom_nothing_is_left)
{
	size_t capacity = (size_t)_i;

	run_ok(close_on_receivers, &capacity);
	ck_assert_str_eq(run_trace, "a1@1 b-32@1 c-32@1 ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("queue_end");
	TCase *tcase = tcase_create("queue_end");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, who_is_cancelled_already_sends_and_receives_nothing);
	tcase_add_loop_test(tcase, who_is_cancelled_while_waiting_has_given_and_taken_nothing, 0, 3);
	tcase_add_loop_test(tcase, who_is_cancelled_after_the_exchange_has_made_it, 0, 3);
	tcase_add_test(tcase, a_limit_cuts_a_wait_short_at_either_end);
	tcase_add_loop_test(tcase, closing_turns_senders_away_and_lets_receivers_drain, 0, 3);
	tcase_add_loop_test(tcase, closing_wakes_receivers_for_whom_nothing_is_left, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
