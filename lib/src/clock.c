/* SPDX-License-Identifier: MIT */
/* Reading the runtime's clock, and sleeping on it. A sleeper is a wait and a timer in the sleeper's frame; the loop fires
 * the timer, be the clock real or virtual. Without a runtime the clock is the real one. */
#include <time.h>

#include "internal.h"

/* 2020-01-01T00:00:00Z: the calendar's time when a virtual clock shows 0. */
#define VIRTUAL_EPOCH EFF_S(1577836800)

struct sleeper {
	struct eff__wait wait;
	struct eff_timer timer;
};

static eff_ns read_clock(clockid_t id)
{
	struct timespec t;

	/* Both clocks exist on every Linux. */
	(void)clock_gettime(id, &t);
	return EFF_S(t.tv_sec) + t.tv_nsec;
}

eff_ns eff__monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

eff_ns eff__now(const struct eff_rt *rt)
{
	return rt && rt->clock ? rt->clock->now : eff__monotonic();
}

eff_ns eff_now(void)
{
	return eff__now(eff__rt);
}

eff_ns eff_wall(void)
{
	const struct eff_rt *rt = eff__rt;

	return rt && rt->clock ? eff_ns_add(VIRTUAL_EPOCH, rt->clock->now)
			       : read_clock(CLOCK_REALTIME);
}

static void on_time(struct eff_timer *timer)
{
	eff__wake(&eff_container(timer, struct sleeper, timer)->wait, 0);
}

static void stop_sleeping(struct eff__wait *wait)
{
	eff__timer_disarm(&eff__rt->timers, &eff_container(wait, struct sleeper, wait)->timer);
}

static int sleep_until(struct eff_rt *rt, eff_ns at)
{
	struct sleeper sleeper;

	sleeper.wait = (struct eff__wait){
		.abort = stop_sleeping, .what = "sleep", .on = EFF__ON_INSTANT, .number = at};
	eff_list_init(&sleeper.wait.link);
	sleeper.timer.armed = 0;
	sleeper.timer.fire = on_time;
	/* Never is no deadline: who sleeps for ever waits to be interrupted. */
	if (at != EFF_FOREVER)
		eff__timer_arm(&rt->timers, &sleeper.timer, at);
	return eff__park(&sleeper.wait);
}

int eff_sleep_until(eff_ns at)
{
	struct eff_rt *rt = eff__in_fiber("eff_sleep")->rt;

	return at <= eff__now(rt) ? eff_yield() : sleep_until(rt, at);
}

/* What is due is looked for after descriptors are. A virtual clock may stand still: there only fibers have a turn. */
int eff_await_turn(void)
{
	struct eff_rt *rt = eff__in_fiber("eff_await_turn")->rt;

	return rt->clock ? eff_yield() : sleep_until(rt, eff__now(rt));
}

/* The clock is read once: what has yet to pass has not passed. */
int eff_sleep(eff_ns duration)
{
	struct eff_rt *rt = eff__in_fiber("eff_sleep")->rt;

	return duration > 0 ? sleep_until(rt, eff_ns_add(eff__now(rt), duration)) : eff_yield();
}
