/* SPDX-License-Identifier: MIT */
/* A queue for a test, and fibers at its ends that say what they did. */
#ifndef TESTS_LIB_QUEUES_H
#define TESTS_LIB_QUEUES_H

#include <eff/channel.h>

#include "run.h"

#define MESSAGE(n) ((void *)(intptr_t)(n))

static struct eff_queue queue;
static intptr_t ring[4];

__attribute__((unused)) static void queue_of(size_t capacity, enum eff_full full)
{
	eff_queue_init(&queue, ring, sizeof(ring[0]), capacity, full);
}

__attribute__((unused)) static int send(intptr_t message)
{
	return eff_queue_send(&queue, &message);
}

__attribute__((unused)) static int try_send(intptr_t message)
{
	return eff_queue_try_send(&queue, &message);
}

/* What is received; an errno when nothing is. */
__attribute__((unused)) static intptr_t receive(void)
{
	intptr_t message = 0;
	int r = eff_queue_receive(&queue, &message);

	return r < 0 ? r : message;
}

__attribute__((unused)) static intptr_t try_receive(void)
{
	intptr_t message = 0;
	int r = eff_queue_try_receive(&queue, &message);

	return r < 0 ? r : message;
}

/* Says "+1" when it has sent 1, "+1!-32" when it could not. */
__attribute__((unused)) static eff_exit sender(void *arg)
{
	int r = send((intptr_t)arg);

	if (r)
		say("+%d!%d", (int)(intptr_t)arg, r);
	else
		say("+%d", (int)(intptr_t)arg);
	return eff_ok(NULL);
}

/* Says "a1" when it has received 1, "a-32" when nothing. */
__attribute__((unused)) static eff_exit receiver(void *arg)
{
	intptr_t message = receive();

	say("%s%d", (const char *)arg, (int)message);
	return eff_ok(NULL);
}

__attribute__((unused)) static void let_all_run(void)
{
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
}

__attribute__((unused)) static void fork_senders(int from, int to)
{
	for (int i = from; i <= to; i++)
		eff_fiber_unref(forked(sender, MESSAGE(i)));
	let_all_run();
}

__attribute__((unused)) static void fork_receivers(void)
{
	eff_fiber_unref(forked(receiver, TEXT("a")));
	eff_fiber_unref(forked(receiver, TEXT("b")));
	eff_fiber_unref(forked(receiver, TEXT("c")));
	let_all_run();
}

#endif
