/* SPDX-License-Identifier: MIT */
/* Channels: what fibers give to each other. A deferred passes one exit to any number, a queue passes each message to one
 * receiver, a hub passes each to all; a semaphore passes permits around and a mutex one.
 *
 * All live in their owner's memory and allocate nothing; wait nodes are in the waiter's frame. Whoever waits is served first
 * come, first served, and nobody overtakes those who wait. A wait that was fulfilled returns 0 though its scope was cancelled
 * meanwhile: what was handed over has arrived. A wait that was cut short has given and taken nothing. So no message and no
 * permit is ever lost or there twice.
 *
 * What suspends is called by fibers, and checks for a cancelled scope even if it need not wait. The others, trying ones
 * among them, may be called anywhere in the runtime's thread. The owner keeps the memory until nobody waits any more; who
 * was woken does not look at it again. */
#ifndef EFF_CHANNEL_H
#define EFF_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff/api.h>
#include <eff/exit.h>
#include <eff/fiber.h>
#include <eff/list.h>

/* A deferred is completed once and awaited by any number. The fields are private. */
struct eff_deferred {
	struct eff_list waiters;
	eff_exit exit;
	bool completed;
};
EFF_API void eff_deferred_init(struct eff_deferred *deferred);
/* Nobody waits for it any more. Drops its exit. */
EFF_API void eff_deferred_done(struct eff_deferred *deferred);
/* Complete it, and wake all that wait. Takes `exit` in any case. Returns 0, or -EALREADY: the first exit stays. */
EFF_API int eff_deferred_complete(struct eff_deferred *deferred, eff_exit exit);
/* Suspends until it is completed. Returns 0 and a reference to its exit (the caller drops it; ret_exit may be NULL),
 * -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_deferred_await(struct eff_deferred *deferred, eff_exit *ret_exit);
/* Is it completed? Its exit is borrowed. */
EFF_API bool eff_deferred_poll(const struct eff_deferred *deferred, eff_exit *ret_exit);

/* What sending to a full queue or hub does. */
enum eff_full {
	EFF_FULL_WAITS,     /* the sender waits until there is room */
	EFF_FULL_DROPS_NEW, /* the message is dropped */
	EFF_FULL_DROPS_OLD, /* the oldest is dropped to make room */
};

/* A queue passes each message to one receiver. Messages are `item_bytes` long and copied. Read `count` and `dropped`; the
 * rest is private. */
struct eff_queue {
	struct eff_list senders, receivers;
	char *ring;
	size_t item_bytes, capacity;
	size_t first; /* where in the ring the oldest is */
	size_t count;
	uint64_t dropped;
	enum eff_full full;
	bool closed;
};
/* `ring` holds capacity * item_bytes, and is the caller's. A capacity of 0 is a rendezvous: a message passes from hand to
 * hand when both are there, or is dropped where the full one drops. */
EFF_API void eff_queue_init(struct eff_queue *queue, void *ring, size_t item_bytes,
	size_t capacity, enum eff_full full);
/* Send what `item` points to; it is copied before this returns. Suspends while a full queue waits. Returns 0, 1 when a
 * message was dropped, -EPIPE when the queue is closed, -ECANCELED or -ETIMEDOUT: then it was not sent. */
EFF_API EFF_SUSPENDS int eff_queue_send(struct eff_queue *queue, const void *item);
/* Suspends until there is a message. Returns 0, -EPIPE when the queue is closed and drained, -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_queue_receive(struct eff_queue *queue, void *ret_item);
/* The same without waiting: -EAGAIN in its place. */
EFF_API int eff_queue_try_send(struct eff_queue *queue, const void *item);
EFF_API int eff_queue_try_receive(struct eff_queue *queue, void *ret_item);
/* No more messages: senders that wait return -EPIPE, theirs were not sent. Receivers first get what is there. Does not
 * suspend; closing twice is closing once. */
EFF_API void eff_queue_close(struct eff_queue *queue);

/* A hub passes each message to every subscriber. There is one ring for all, in which each subscriber has its place; the
 * slowest one decides when the hub is full. Read `dropped`; the rest is private. */
struct eff_hub {
	struct eff_list senders, subscribers;
	char *ring;
	size_t item_bytes, capacity;
	uint64_t next; /* the number of the next message */
	uint64_t first; /* of the oldest that somebody has still to receive; `next`: there is none */
	size_t n_first; /* subscribers at `first` */
	uint64_t dropped;
	enum eff_full full;
	bool closed;
};
/* As a queue; the capacity is at least 1. With EFF_FULL_DROPS_OLD those who have not received the oldest miss it. */
EFF_API void eff_hub_init(struct eff_hub *hub, void *ring, size_t item_bytes, size_t capacity,
	enum eff_full full);
/* Send it to all that are subscribed when it is sent, which may be nobody. Suspends while a full hub waits. Returns as
 * eff_queue_send(). */
EFF_API EFF_SUSPENDS int eff_hub_send(struct eff_hub *hub, const void *item);
EFF_API int eff_hub_try_send(struct eff_hub *hub, const void *item);
/* As eff_queue_close(), for each subscriber. */
EFF_API void eff_hub_close(struct eff_hub *hub);

/* A subscriber of a hub, in the caller's memory. Read `missed`: the messages that were dropped before it received them. */
struct eff_subscriber {
	struct eff_list link, receivers;
	struct eff_hub *hub; /* NULL: it has left */
	uint64_t next;       /* the number of the message that it receives next */
	uint64_t missed;
};
/* Receives every message that is sent from now on. Does not suspend. */
EFF_API void eff_hub_join(struct eff_hub *hub, struct eff_subscriber *subscriber);
/* What it has not received it leaves behind; who waits with it returns -EPIPE. A full hub has room when the slowest
 * leaves. Does not suspend; leaving twice is leaving once. */
EFF_API void eff_hub_leave(struct eff_subscriber *subscriber);
/* Suspends until there is a message. Fibers that receive for one subscriber share its messages. Returns 0, -EPIPE when the
 * hub is closed and drained or the subscriber has left, -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_hub_receive(struct eff_subscriber *subscriber, void *ret_item);
EFF_API int eff_hub_try_receive(struct eff_subscriber *subscriber, void *ret_item);

/* A semaphore lets so many at once. */
struct eff_sem {
	struct eff_list waiters;
	uint64_t permits; /* that nobody holds */
};
EFF_API void eff_sem_init(struct eff_sem *sem, uint64_t permits);
/* Take `n` permits at once. Suspends until they are there; who wants many is not overtaken by who wants few. Returns 0,
 * -ECANCELED or -ETIMEDOUT: then none was taken. */
EFF_API EFF_SUSPENDS int eff_sem_acquire(struct eff_sem *sem, uint64_t n);
/* -EAGAIN when it would have to wait, be it for its turn. */
EFF_API int eff_sem_try_acquire(struct eff_sem *sem, uint64_t n);
/* Give back `n`, or new ones. Anybody may. */
EFF_API void eff_sem_release(struct eff_sem *sem, uint64_t n);
/* Run it with `n` permits, which are given back when it has ended. Suspends. Returns its exit, or INTERRUPT or FAIL ETIMEDOUT
 * when they could not be had: then it never ran. */
EFF_API EFF_SUSPENDS eff_exit eff_sem_with(struct eff_sem *sem, uint64_t n, eff e);

/* A mutex lets one at a time. Needed only where a fiber waits in the midst of what others must not see. Belongs to the fiber
 * that locked it: that one alone unlocks it, before it ends, and does not lock it again; anything else is a bug that ends
 * the process. */
struct eff_mutex {
	struct eff_list waiters;
	struct eff_fiber *owner; /* NULL: nobody */
};
EFF_API void eff_mutex_init(struct eff_mutex *mutex);
/* Suspends until it is the caller's. Returns 0, -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_mutex_lock(struct eff_mutex *mutex);
/* By a fiber. Returns 0, or -EAGAIN when it is another's. */
EFF_API int eff_mutex_try_lock(struct eff_mutex *mutex);
EFF_API void eff_mutex_unlock(struct eff_mutex *mutex);
/* Run it under the lock. Suspends. Returns as eff_sem_with(). */
EFF_API EFF_SUSPENDS eff_exit eff_mutex_with(struct eff_mutex *mutex, eff e);

#endif
