/* SPDX-License-Identifier: MIT */
/* Queues: order, room, and what a full one does. */
#include <errno.h>

#include "leak.h"
#include "queues.h"

Suite *test_suite(void);

/* ── order and room ── */

static eff_exit three_through(void *arg)
{
	size_t capacity = *(size_t *)arg;

	queue_of(capacity, EFF_FULL_WAITS);
	fork_senders(1, 3);
	ck_assert_uint_eq(queue.count, capacity < 3 ? capacity : 3);
	for (intptr_t i = 1; i <= 3; i++)
		ck_assert_int_eq(receive(), i);
	let_all_run();
	ck_assert_uint_eq(queue.count, 0);
	ck_assert_uint_eq(queue.dropped, 0);
	return eff_ok(NULL);
}

START_TEST(messages_come_in_their_order_and_senders_wait_for_room)
{
	static const char *const traces[] = {"+1@1 +2@1 +3@1 ", "+1@0 +2@1 +3@1 ",
		"+1@0 +2@0 +3@1 ", "+1@0 +2@0 +3@0 ", "+1@0 +2@0 +3@0 "};
	size_t capacity = (size_t)_i;

	run_ok(three_through, &capacity);
	ck_assert_str_eq(run_trace, traces[_i]);
}
END_TEST

static eff_exit three_for_three(void *arg)
{
	queue_of(*(size_t *)arg, EFF_FULL_WAITS);
	fork_receivers();
	for (intptr_t i = 1; i <= 3; i++)
		ck_assert_int_eq(send(i), 0);
	/* Those who wait were given theirs: nobody else can get in between. */
	ck_assert_uint_eq(queue.count, 0);
	ck_assert_int_eq(try_receive(), -EAGAIN);
	let_all_run();
	return eff_ok(NULL);
}

START_TEST(receivers_are_served_in_the_order_in_which_they_came)
{
	size_t capacity = (size_t)_i;

	run_ok(three_for_three, &capacity);
	ck_assert_str_eq(run_trace, "a1@1 b2@1 c3@1 ");
}
END_TEST

static eff_exit overtake(void *arg)
{
	(void)arg;
	queue_of(2, EFF_FULL_WAITS);
	fork_senders(1, 4);
	/* Room goes to who waits for it. */
	ck_assert_int_eq(try_receive(), 1);
	ck_assert_int_eq(try_send(9), -EAGAIN);
	for (intptr_t i = 2; i <= 4; i++)
		ck_assert_int_eq(try_receive(), i);
	ck_assert_int_eq(try_receive(), -EAGAIN);
	ck_assert_int_eq(try_send(9), 0);
	ck_assert_int_eq(try_receive(), 9);
	let_all_run();
	return eff_ok(NULL);
}

START_TEST(nobody_overtakes_a_sender_that_waits)
{
	run_ok(overtake, NULL);
	ck_assert_str_eq(run_trace, "+1@0 +2@0 +3@1 +4@1 ");
}
END_TEST

static eff_exit around(void *arg)
{
	(void)arg;
	queue_of(3, EFF_FULL_WAITS);
	ck_assert_int_eq(send(0), 0);
	for (intptr_t i = 1; i < 100; i++) {
		ck_assert_int_eq(send(i), 0);
		ck_assert_int_eq(receive(), i - 1);
	}
	return eff_ok(NULL);
}

START_TEST(a_ring_goes_around)
{
	run_ok(around, NULL);
}
END_TEST

struct large {
	char text[40];
	int64_t number;
};

static eff_exit send_large(void *arg)
{
	struct large large = {.text = "a message that is no word", .number = 7};

	ck_assert_int_eq(eff_queue_send(arg, &large), 0);
	memset(&large, 0, sizeof(large));
	return eff_ok(NULL);
}

static eff_exit large_messages(void *arg)
{
	struct eff_queue large_queue;
	struct large room[1];
	struct large large = {0};

	eff_queue_init(&large_queue, room, sizeof(large), *(size_t *)arg, EFF_FULL_WAITS);
	eff_fiber_unref(forked(send_large, &large_queue));
	let_all_run();
	ck_assert_int_eq(eff_queue_receive(&large_queue, &large), 0);
	ck_assert_str_eq(large.text, "a message that is no word");
	ck_assert_int_eq(large.number, 7);
	return eff_ok(NULL);
}

START_TEST(messages_of_any_size_are_copied)
{
	size_t capacity = (size_t)_i;

	run_ok(large_messages, &capacity);
}
END_TEST

/* ── a full one that drops ── */

START_TEST(a_full_queue_that_drops_the_new_keeps_the_old)
{
	queue_of(2, EFF_FULL_DROPS_NEW);
	for (intptr_t i = 1; i <= 4; i++)
		ck_assert_int_eq(try_send(i), i > 2);
	ck_assert_uint_eq(queue.dropped, 2);
	ck_assert_int_eq(try_receive(), 1);
	ck_assert_int_eq(try_receive(), 2);
	ck_assert_int_eq(try_receive(), -EAGAIN);
}
END_TEST

START_TEST(a_full_queue_that_drops_the_old_slides)
{
	queue_of(2, EFF_FULL_DROPS_OLD);
	for (intptr_t i = 1; i <= 5; i++)
		ck_assert_int_eq(try_send(i), i > 2);
	ck_assert_uint_eq(queue.dropped, 3);
	ck_assert_int_eq(try_receive(), 4);
	ck_assert_int_eq(try_receive(), 5);
	ck_assert_int_eq(try_receive(), -EAGAIN);
}
END_TEST

static eff_exit drop_in_a_rendezvous(void *arg)
{
	queue_of(0, *(enum eff_full *)arg);
	ck_assert_int_eq(send(1), 1);
	eff_fiber_unref(forked(receiver, TEXT("a")));
	let_all_run();
	ck_assert_int_eq(send(2), 0);
	ck_assert_int_eq(send(3), 1);
	ck_assert_uint_eq(queue.dropped, 2);
	let_all_run();
	return eff_ok(NULL);
}

START_TEST(a_rendezvous_that_drops_needs_a_receiver_that_waits)
{
	enum eff_full full = (enum eff_full)_i;

	run_ok(drop_in_a_rendezvous, &full);
	ck_assert_str_eq(run_trace, "a2@1 ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("queue");
	TCase *tcase = tcase_create("queue");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_loop_test(tcase, messages_come_in_their_order_and_senders_wait_for_room, 0, 5);
	tcase_add_loop_test(tcase, receivers_are_served_in_the_order_in_which_they_came, 0, 3);
	tcase_add_test(tcase, nobody_overtakes_a_sender_that_waits);
	tcase_add_test(tcase, a_ring_goes_around);
	tcase_add_loop_test(tcase, messages_of_any_size_are_copied, 0, 2);
	tcase_add_test(tcase, a_full_queue_that_drops_the_new_keeps_the_old);
	tcase_add_test(tcase, a_full_queue_that_drops_the_old_slides);
	tcase_add_loop_test(tcase, a_rendezvous_that_drops_needs_a_receiver_that_waits,
		EFF_FULL_DROPS_NEW, EFF_FULL_DROPS_OLD + 1);
	suite_add_tcase(suite, tcase);
	return suite;
}
