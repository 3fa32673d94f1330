/* SPDX-License-Identifier: MIT */
/* How the two ends of a queue or a hub wait for each other. Whoever makes the other side's wait come true does its half:
 * copies the message out of the sender's frame or into the receiver's, and wakes it. A wait that is cut short only leaves
 * its list. */
#ifndef EFF_EXCHANGE_H
#define EFF_EXCHANGE_H

#include "internal.h"

/* In the frame of who waits: the message to be sent, or where one is to go. */
struct eff__exchange {
	struct eff__wait wait;
	void *item;
};

/* NULL: nobody waits. */
static inline struct eff__exchange *eff__exchange_first(struct eff_list *waiters)
{
	if (eff_list_empty(waiters))
		return NULL;
	return eff_container(waiters->next, struct eff__exchange, wait.link);
}

static inline int eff__exchange_wait(struct eff_list *waiters, void *item, const char *what)
{
	struct eff__exchange exchange = {.wait = {.what = what}, .item = item};

	eff_list_append(waiters, &exchange.wait.link);
	return eff__park(&exchange.wait);
}

static inline void eff__exchange_close(struct eff_list *waiters)
{
	while (!eff_list_empty(waiters))
		eff__wake(&eff__exchange_first(waiters)->wait, -EPIPE);
}

#endif
