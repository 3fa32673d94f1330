/* SPDX-License-Identifier: MIT */
/* Schedules: when to run again, as immutable values; a state beside them counts.
 *
 * A schedule is asked each time that what it paces has ended, and says after which delay it runs again, or that it is over.
 * It is pure, saturating arithmetic: time, random numbers and exits are handed in, so the same answers follow from the same
 * questions. Modifiers apply in the order in which they are put on: a cap, then a jitter spreads at the ceiling, too; a
 * number of times put on after a reset counts across it. Negative durations are 0, EFF_FOREVER stays EFF_FOREVER.
 * (Names after Effect's Schedule.)
 *
 * A value is 64 bytes and owns nothing. One schedule takes at most EFF_SCHED_MODS modifiers; composed by eff_sched_and() and
 * the like, each schedule and each eff_sched_reset_after() in it is a part, EFF_SCHED_PARTS at most. More is an assertion
 * where it is put together. */
#ifndef EFF_SCHEDULE_H
#define EFF_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include <eff/api.h>
#include <eff/time.h>

struct eff_exit;

enum { EFF_SCHED_MODS = 5, EFF_SCHED_PARTS = 8 };

/* The fields are private. */
struct eff_sched {
	uint8_t kind;
	uint8_t n_mods;
	uint8_t n_parts;
	uint8_t mods[EFF_SCHED_MODS];
	union {
		struct {
			eff_ns base_ns;
			double factor;
		} pace;
		const struct eff_sched *both[2];
	} of;
	union {
		eff_ns ns;
		int64_t times;
		uint32_t millionths[2];
		bool (*wants)(const struct eff_exit *last);
	} with[EFF_SCHED_MODS];
};

/* Where a driver is. All zeroes: it begins when it is first asked. Of one schedule; changed for another one of the same
 * shape its counts go on. */
struct eff_sched_state {
	int64_t given; /* delays, since it began; read it */
	/* When the last delay is over: then the grid and eff_sched_reset_after() take it that the next run begins. Who ends
	 * a delay early writes when. */
	eff_ns ran_at;
	uint32_t over; /* from here on private */
	bool begun;
	struct {
		int64_t given;
		eff_ns since;
	} parts[EFF_SCHED_PARTS];
};

/* Always the same delay. */
EFF_API struct eff_sched eff_spaced(eff_ns delay);
/* At once, `times` times; 0 and less: never. */
EFF_API struct eff_sched eff_recurs(int64_t times);
/* On the grid begin, begin + interval, begin + 2 interval …: at the first point after the last run began. If that has passed
 * it is at once, and the points in between are left out. */
EFF_API struct eff_sched eff_fixed(eff_ns interval);
/* When the window of that length ends in which it is asked, counted from the begin. Never at once, but for a length of 0. */
EFF_API struct eff_sched eff_windowed(eff_ns length);
/* base, base*factor, base*factor^2 … */
EFF_API struct eff_sched eff_exponential(eff_ns base, double factor);
/* base, 2 base, 3 base … */
EFF_API struct eff_sched eff_linear(eff_ns base);
/* base, base, 2 base, 3 base, 5 base … */
EFF_API struct eff_sched eff_fibonacci(eff_ns base);

/* No delay is longer than `most`. */
EFF_API struct eff_sched eff_sched_cap(struct eff_sched s, eff_ns most);
/* Each delay times a factor drawn from [low, high), which are kept in millionths, from 0 to 4294. All jitters of a schedule
 * use the one random number that is handed in. */
EFF_API struct eff_sched eff_sched_jitter(struct eff_sched s, double low, double high);
/* At most so many delays; 0 and less: none. */
EFF_API struct eff_sched eff_sched_times(struct eff_sched s, int64_t times);
/* Over once `duration` has passed since it began; 0 and less: at once. It cuts no delay short. */
EFF_API struct eff_sched eff_sched_upto(struct eff_sched s, eff_ns duration);
/* A run that took `duration` or longer has earned a clean slate: all put on before this begins anew. */
EFF_API struct eff_sched eff_sched_reset_after(struct eff_sched s, eff_ns duration);
/* Over when `wants`, asked once for each delay, says no to the last exit. It must not suspend. */
EFF_API struct eff_sched eff_sched_while(
	struct eff_sched s, bool (*wants)(const struct eff_exit *last));

/* While both go on; the longer delay. Here and below, the two must outlive the value, unchanged: `s = eff_sched_and(&s, &t)`
 * would make s a part of itself, which is an assertion when it is asked. */
EFF_API struct eff_sched eff_sched_and(const struct eff_sched *a, const struct eff_sched *b);
/* While one of both goes on; the shorter delay. */
EFF_API struct eff_sched eff_sched_or(const struct eff_sched *a, const struct eff_sched *b);
/* The first until it is over, then the second, which begins in that moment. */
EFF_API struct eff_sched eff_sched_then(const struct eff_sched *a, const struct eff_sched *b);

/* Begin (anew) at `now`: the grid, windows and eff_sched_upto() count from here. */
EFF_API void eff_sched_begin(struct eff_sched_state *state, eff_ns now);

struct eff_sched_in {
	eff_ns now;                  /* what it paces has just ended */
	double random;               /* uniform in [0, 1) */
	const struct eff_exit *last; /* how it ended; NULL: unknown, and eff_sched_while() goes on */
};
/* The next delay. Returns false when the schedule is over; it stays so until it begins anew. */
EFF_API bool eff_sched_next(const struct eff_sched *s, struct eff_sched_state *state,
	const struct eff_sched_in *in, eff_ns *ret_delay_ns);

#endif
