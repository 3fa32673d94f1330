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

/* ── a deferred: completed once, awaited by any number ── */

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

#endif
