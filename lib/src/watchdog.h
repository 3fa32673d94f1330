/* SPDX-License-Identifier: MIT */
/* The watchdog's insides: watchdog.c, and its test, which looks without a thread and at times of its own. */
#ifndef EFF_WATCHDOG_H
#define EFF_WATCHDOG_H

#include "internal.h"

/* While all of it stays the same, one fiber runs on. */
struct eff__pulse {
	uint64_t turns;
	size_t budget;
	struct eff_fiber *current;
};

struct eff__stall {
	char name[128]; /* a copy */
	uint64_t id;
	eff_ns held_ns;
};

struct eff__watch {
	struct eff_rt *rt;
	pthread_t thread;
	pthread_mutex_t lock;
	eff_ns stall_ns, period;
	int timer_fd; /* the next look; not armed while it is asleep; -1 */
	/* Of whoever looks. */
	struct eff__pulse seen;
	eff_ns looked_at, held;
	bool told, idle;
	/* Under the lock. */
	struct eff__pulse gone; /* what ran then has ended */
	bool started;
	atomic_bool quit, asleep; /* until a turn begins */
};

/* NULL: out of memory. It watches nothing before eff__watch_start(), which returns 0 or -errno. */
struct eff__watch *eff__watch_new(struct eff_rt *rt, eff_ns stall_ns);
int eff__watch_start(struct eff__watch *watch);
void eff__watch_free(struct eff__watch *watch); /* NULL is fine */
/* Look once, at the time `now`. Returns true, and who it is, when one fiber has run for too long; once for each time. */
bool eff__watch_look(struct eff__watch *watch, eff_ns now, struct eff__stall *ret_stall);

/* ── of the loop's thread ── */

/* Count a turn that begins. */
void eff__watch_turn(struct eff__watch *watch);
/* The fiber that runs now has ended: its name may go. */
void eff__watch_gone(struct eff__watch *watch);

#endif
