/* SPDX-License-Identifier: MIT */
/* Schedules: when to try again, as immutable values; a state beside them counts. Pure arithmetic, saturating; the random
 * numbers are handed in. Modifiers apply in the order in which they are put on: cap, then jitter spreads at the ceiling.
 * (Names after Effect's Schedule.) */
#ifndef EFF_SCHEDULE_H
#define EFF_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include <eff/api.h>
#include <eff/time.h>

struct eff_sched {
	enum { EFF_SCHED_SPACED, EFF_SCHED_EXPONENTIAL } kind;
	eff_ns base_ns;
	double factor;
	eff_ns cap_ns;                  /* EFF_FOREVER: none */
	double jitter_low, jitter_high; /* factors; 1, 1: none */
	int64_t times;                  /* at most so many delays; -1: no limit */
	bool jittered;
	eff_ns ceiling_ns; /* a cap put on after the jitter; 0: none */
};

struct eff_sched_state {
	int64_t k; /* delays given so far */
};

EFF_API struct eff_sched eff_spaced(eff_ns delay);
EFF_API struct eff_sched eff_exponential(
	eff_ns base, double factor); /* base, base*factor, base*factor^2 … */
EFF_API struct eff_sched eff_sched_cap(struct eff_sched s, eff_ns most);
EFF_API struct eff_sched eff_sched_jitter(struct eff_sched s, double low, double high);
EFF_API struct eff_sched eff_sched_times(struct eff_sched s, int64_t times);
/* The next delay, `random` being uniform in [0, 1). Returns false when the schedule is over. */
EFF_API bool eff_sched_next(const struct eff_sched *s, struct eff_sched_state *state,
	double random, eff_ns *ret_delay_ns);

#endif
