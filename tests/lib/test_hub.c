/* SPDX-License-Identifier: MIT */
/* Hubs: every subscriber gets every message, the slow ones decide what a full one does. */
#include <errno.h>

#include <eff/channel.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

#define MESSAGE(n) ((void *)(intptr_t)(n))

static struct eff_hub hub;
static struct eff_subscriber a, b;
static intptr_t ring[4];

static void hub_of(size_t capacity, enum eff_full full)
{
	eff_hub_init(&hub, ring, sizeof(ring[0]), capacity, full);
}

static int send(intptr_t message)
{
	return eff_hub_send(&hub, &message);
}

static int try_send(intptr_t message)
{
	return eff_hub_try_send(&hub, &message);
}

static intptr_t receive(struct eff_subscriber *subscriber)
{
	intptr_t message = 0;
	int r = eff_hub_receive(subscriber, &message);

	return r < 0 ? r : message;
}

static intptr_t try_receive(struct eff_subscriber *subscriber)
{
	intptr_t message = 0;
	int r = eff_hub_try_receive(subscriber, &message);

	return r < 0 ? r : message;
}

/* Says "+1" when it has sent 1, "+1!-32" when it could not. */
static eff_exit sender(void *arg)
{
	int r = send((intptr_t)arg);

	if (r)
		say("+%d!%d", (int)(intptr_t)arg, r);
	else
		say("+%d", (int)(intptr_t)arg);
	return eff_ok(NULL);
}

static eff_exit receiver(void *arg)
{
	intptr_t message = receive(arg);

	say("%s%d", arg == &a ? "a" : "b", (int)message);
	return eff_ok(NULL);
}

static void let_all_run(void)
{
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
}

static void fork_senders(int from, int to)
{
	for (int i = from; i <= to; i++)
		eff_fiber_unref(forked(sender, MESSAGE(i)));
	let_all_run();
}

/* ── who gets what ── */

START_TEST(a_subscriber_gets_what_is_sent_after_it_joined_and_until_it_leaves)
{
	hub_of(4, EFF_FULL_WAITS);
	/* Nobody is there. */
	for (intptr_t i = 1; i <= 9; i++)
		ck_assert_int_eq(try_send(i), 0);
	eff_hub_join(&hub, &a);
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	ck_assert_int_eq(try_send(10), 0);
	eff_hub_join(&hub, &b);
	ck_assert_int_eq(try_send(11), 0);
	ck_assert_int_eq(try_receive(&a), 10);
	ck_assert_int_eq(try_receive(&b), 11);
	ck_assert_int_eq(try_receive(&b), -EAGAIN);
	eff_hub_leave(&a);
	eff_hub_leave(&a);
	ck_assert_int_eq(try_receive(&a), -EPIPE);
	ck_assert_int_eq(try_send(12), 0);
	ck_assert_int_eq(try_receive(&b), 12);
	ck_assert_uint_eq(hub.dropped, 0);
	eff_hub_leave(&b);
	for (intptr_t i = 1; i <= 9; i++)
		ck_assert_int_eq(try_send(i), 0);
}
END_TEST

static eff_exit broadcast(void *arg)
{
	(void)arg;
	hub_of(4, EFF_FULL_WAITS);
	eff_hub_join(&hub, &a);
	eff_hub_join(&hub, &b);
	/* Two fibers share what a gets, one is alone with b. */
	eff_fiber_unref(forked(receiver, &a));
	eff_fiber_unref(forked(receiver, &a));
	eff_fiber_unref(forked(receiver, &b));
	let_all_run();
	for (intptr_t i = 1; i <= 3; i++)
		ck_assert_int_eq(send(i), 0);
	let_all_run();
	ck_assert_int_eq(try_receive(&a), 3);
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	ck_assert_int_eq(try_receive(&b), 2);
	ck_assert_int_eq(try_receive(&b), 3);
	return eff_ok(NULL);
}

START_TEST(every_subscriber_gets_every_message_in_order)
{
	run_ok(broadcast, NULL);
	ck_assert_str_eq(run_trace, "a1@1 b1@1 a2@1 ");
}
END_TEST

/* ── the slow ── */

static eff_exit slow(void *arg)
{
	(void)arg;
	hub_of(2, EFF_FULL_WAITS);
	eff_hub_join(&hub, &a);
	eff_hub_join(&hub, &b);
	fork_senders(1, 4);
	ck_assert_int_eq(try_send(9), -EAGAIN);
	for (intptr_t i = 1; i <= 2; i++)
		ck_assert_int_eq(receive(&a), i);
	/* The fast one waits with the senders for the slow one. */
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	ck_assert_int_eq(try_send(9), -EAGAIN);
	ck_assert_int_eq(receive(&b), 1);
	let_all_run();
	say("|");
	ck_assert_int_eq(receive(&a), 3);
	ck_assert_int_eq(receive(&b), 2);
	let_all_run();
	ck_assert_int_eq(receive(&b), 3);
	ck_assert_int_eq(receive(&b), 4);
	ck_assert_int_eq(receive(&a), 4);
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	ck_assert_int_eq(try_receive(&b), -EAGAIN);
	return eff_ok(NULL);
}

START_TEST(the_slowest_subscriber_makes_senders_wait)
{
	run_ok(slow, NULL);
	ck_assert_str_eq(run_trace, "+1@0 +2@0 +3@1 |@2 +4@2 ");
}
END_TEST

static eff_exit slow_leaves(void *arg)
{
	(void)arg;
	hub_of(2, EFF_FULL_WAITS);
	eff_hub_join(&hub, &a);
	eff_hub_join(&hub, &b);
	fork_senders(1, 3);
	ck_assert_int_eq(receive(&a), 1);
	ck_assert_int_eq(receive(&a), 2);
	eff_fiber_unref(forked(receiver, &a));
	let_all_run();
	eff_hub_leave(&b);
	let_all_run();
	ck_assert_int_eq(try_send(4), 0);
	ck_assert_int_eq(try_send(5), 0);
	ck_assert_int_eq(try_send(6), -EAGAIN);
	ck_assert_int_eq(receive(&a), 4);
	/* The last one leaves who waits with nobody to wait for. */
	fork_senders(7, 9);
	eff_hub_leave(&a);
	let_all_run();
	return eff_ok(NULL);
}

START_TEST(when_the_slowest_leaves_there_is_room)
{
	run_ok(slow_leaves, NULL);
	ck_assert_str_eq(run_trace, "+1@0 +2@0 a3@2 +3@2 +7@3 +8@4 +9@4 ");
}
END_TEST

static eff_exit leave_while_waiting(void *arg)
{
	(void)arg;
	hub_of(1, EFF_FULL_WAITS);
	eff_hub_join(&hub, &a);
	eff_fiber_unref(forked(receiver, &a));
	let_all_run();
	eff_hub_leave(&a);
	let_all_run();
	ck_assert_int_eq(receive(&a), -EPIPE);
	return eff_ok(NULL);
}

START_TEST(leaving_wakes_who_receives_for_the_one_that_left)
{
	run_ok(leave_while_waiting, NULL);
	ck_assert_str_eq(run_trace, "a-32@1 ");
}
END_TEST

START_TEST(a_full_hub_that_drops_the_old_lets_the_slow_miss_them)
{
	hub_of(2, EFF_FULL_DROPS_OLD);
	eff_hub_join(&hub, &a);
	ck_assert_int_eq(try_send(1), 0);
	eff_hub_join(&hub, &b);
	ck_assert_int_eq(try_send(2), 0);
	/* 1 goes, which b never had to get; then 2, which a has received in time. */
	ck_assert_int_eq(try_send(3), 1);
	ck_assert_int_eq(try_receive(&a), 2);
	ck_assert_int_eq(try_send(4), 1);
	ck_assert_uint_eq(a.missed, 1);
	ck_assert_uint_eq(b.missed, 1);
	for (intptr_t i = 3; i <= 4; i++) {
		ck_assert_int_eq(try_receive(&a), i);
		ck_assert_int_eq(try_receive(&b), i);
	}
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	ck_assert_int_eq(try_receive(&b), -EAGAIN);
	ck_assert_uint_eq(hub.dropped, 2);
}
END_TEST

START_TEST(a_full_hub_that_drops_the_new_drops_it_for_all)
{
	hub_of(2, EFF_FULL_DROPS_NEW);
	eff_hub_join(&hub, &a);
	eff_hub_join(&hub, &b);
	for (intptr_t i = 1; i <= 2; i++) {
		ck_assert_int_eq(try_send(i), 0);
		ck_assert_int_eq(try_receive(&a), i);
	}
	ck_assert_int_eq(try_send(3), 1);
	ck_assert_uint_eq(hub.dropped, 1);
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	for (intptr_t i = 1; i <= 2; i++)
		ck_assert_int_eq(try_receive(&b), i);
	ck_assert_int_eq(try_send(4), 0);
	ck_assert_int_eq(try_receive(&a), 4);
	ck_assert_int_eq(try_receive(&b), 4);
}
END_TEST

/* ── cancelling ── */

static eff_exit cancelled_before(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	hub_of(2, EFF_FULL_WAITS);
	eff_hub_join(&hub, &a);
	ck_assert_int_eq(send(1), 0);
	eff_scope_open(&scope);
	eff_scope_cancel(&scope);
	ck_assert_int_eq(send(2), -ECANCELED);
	ck_assert_int_eq(receive(&a), -ECANCELED);
	ck_assert_int_eq(try_receive(&a), 1);
	ck_assert_int_eq(receive(&a), -ECANCELED);
	(void)eff_scope_close(&scope);
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	return eff_ok(NULL);
}

START_TEST(who_is_cancelled_already_sends_and_receives_nothing)
{
	run_ok(cancelled_before, NULL);
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

static void interrupted(struct eff_fiber *fiber)
{
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);
}

static eff_exit cancel_in_each_moment(void *arg)
{
	struct eff_fiber *fiber, *next;

	(void)arg;
	hub_of(1, EFF_FULL_WAITS);
	eff_hub_join(&hub, &a);
	eff_hub_join(&hub, &b);
	/* While it waits: it has taken nothing. */
	fiber = forked(receive_twice, &a);
	let_all_run();
	interrupted(fiber);
	/* When it has its message and has not returned. */
	fiber = forked(receive_twice, &a);
	let_all_run();
	ck_assert_int_eq(send(1), 0);
	interrupted(fiber);
	/* A sender that waits: it has sent nothing. */
	fiber = forked(send_twice, MESSAGE(2));
	next = forked(send_twice, MESSAGE(3));
	let_all_run();
	interrupted(fiber);
	/* And one whose message is in. */
	ck_assert_int_eq(receive(&b), 1);
	interrupted(next);
	ck_assert_int_eq(receive(&a), 3);
	ck_assert_int_eq(receive(&b), 3);
	ck_assert_int_eq(try_receive(&a), -EAGAIN);
	return eff_ok(NULL);
}

START_TEST(a_cancelled_end_has_made_the_exchange_or_has_given_and_taken_nothing)
{
	run_ok(cancel_in_each_moment, NULL);
	ck_assert_str_eq(run_trace,
		"a-125@1 a-125@1 a1@2 a-125@2 "
		"+2!-125@3 +2!-125@3 +3@3 +3!-125@3 ");
}
END_TEST

/* ── closing ── */

static eff_exit close_it(void *arg)
{
	(void)arg;
	hub_of(1, EFF_FULL_WAITS);
	eff_hub_join(&hub, &a);
	eff_hub_join(&hub, &b);
	ck_assert_int_eq(send(1), 0);
	ck_assert_int_eq(receive(&b), 1);
	eff_fiber_unref(forked(receiver, &b));
	fork_senders(2, 3);
	eff_hub_close(&hub);
	eff_hub_close(&hub);
	let_all_run();
	ck_assert_int_eq(send(4), -EPIPE);
	ck_assert_int_eq(try_send(4), -EPIPE);
	ck_assert_int_eq(receive(&a), 1);
	ck_assert_int_eq(receive(&a), -EPIPE);
	ck_assert_int_eq(try_receive(&b), -EPIPE);
	eff_hub_leave(&a);
	eff_hub_leave(&b);
	return eff_ok(NULL);
}

START_TEST(closing_turns_senders_away_and_lets_each_subscriber_drain)
{
	run_ok(close_it, NULL);
	ck_assert_str_eq(run_trace, "+2!-32@1 +3!-32@1 b-32@1 ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("hub");
	TCase *tcase = tcase_create("hub");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, a_subscriber_gets_what_is_sent_after_it_joined_and_until_it_leaves);
	tcase_add_test(tcase, every_subscriber_gets_every_message_in_order);
	tcase_add_test(tcase, the_slowest_subscriber_makes_senders_wait);
	tcase_add_test(tcase, when_the_slowest_leaves_there_is_room);
	tcase_add_test(tcase, leaving_wakes_who_receives_for_the_one_that_left);
	tcase_add_test(tcase, a_full_hub_that_drops_the_old_lets_the_slow_miss_them);
	tcase_add_test(tcase, a_full_hub_that_drops_the_new_drops_it_for_all);
	tcase_add_test(tcase, who_is_cancelled_already_sends_and_receives_nothing);
	tcase_add_test(tcase, a_cancelled_end_has_made_the_exchange_or_has_given_and_taken_nothing);
	tcase_add_test(tcase, closing_turns_senders_away_and_lets_each_subscriber_drain);
	suite_add_tcase(suite, tcase);
	return suite;
}
