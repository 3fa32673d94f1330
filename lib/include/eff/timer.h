/* SPDX-License-Identifier: MIT */
/* A timer's node, for embedding: a pairing heap ordered by (at, order of arming). Arming cannot fail. */
#ifndef EFF_TIMER_H
#define EFF_TIMER_H

#include <stdint.h>

#include <eff/time.h>

struct eff_timer {
	struct eff_timer *child, *next,
		*prev; /* prev: the left sibling, or the parent of a first child */
	eff_ns at;
	uint64_t order;
	void (*fire)(struct eff_timer *timer);
	uint8_t armed;
};

#endif
