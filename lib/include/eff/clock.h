/* SPDX-License-Identifier: MIT */
/* The runtime's clock: the only thing that waits. Real (CLOCK_MONOTONIC) or virtual.
 *
 * A virtual clock stands still until it is advanced. Advancing first lets everything run that can, then wakes what is due
 * in the order of (deadline, arming), one at a time: it and all that it makes ready run until all wait, then the next.
 * The result is the same every time. */
#ifndef EFF_CLOCK_H
#define EFF_CLOCK_H

#include <stdbool.h>

#include <eff/api.h>
#include <eff/time.h>

/* The current runtime's time. Does not suspend. */
EFF_API eff_ns eff_now(void);
/* Calendar time, ns since 1970; of a virtual clock its start's calendar time plus what has passed. */
EFF_API eff_ns eff_wall(void);
/* Never too short; among hundreds of timers it may last a quarter of a millisecond longer, to end together with others. Suspends.
 * Returns 0, -ECANCELED or -ETIMEDOUT. A duration of 0 or less yields. */
EFF_API EFF_SUSPENDS int eff_sleep(eff_ns duration);
EFF_API EFF_SUSPENDS int eff_sleep_until(eff_ns at);

struct eff_testclock;
/* A virtual clock that begins at `start_ns` (calendar time too: 2020-01-01 plus that). NULL: out of memory. Freed by its
 * maker after the runtime. */
EFF_API struct eff_testclock *eff_testclock_new(eff_ns start_ns);
EFF_API void eff_testclock_free(struct eff_testclock *clock);
/* Move on by `duration` (to `at`), running what is due on the way, and return when all wait and the time is there. Called
 * outside of any fiber it drives the runtime; called by a fiber it Suspends that one meanwhile. Returns 0, or -EINVAL for
 * a step back. */
EFF_API int eff_testclock_advance(struct eff_testclock *clock, eff_ns duration);
EFF_API int eff_testclock_set(struct eff_testclock *clock, eff_ns at);
/* With autojump eff_rt_run() moves the clock to the next deadline whenever all wait. */
EFF_API void eff_testclock_autojump(struct eff_testclock *clock, bool on);
/* The next deadline; false when nothing is armed. */
EFF_API bool eff_testclock_next(const struct eff_testclock *clock, eff_ns *ret_at);

#endif
