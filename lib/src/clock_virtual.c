/* SPDX-License-Identifier: MIT */
/* The virtual clock: time that moves only when somebody moves it.
 *
 * One step goes to what is due next, a timer or the end of a fiber's own advance, and wakes that one thing. Whoever steps
 * lets everything run that can before the next step; so ties resolve in the order of arming, and what a woken fiber does
 * is done before its neighbour of the same instant wakes. */
#include <stdlib.h>

#include "internal.h"

/* A fiber inside eff_testclock_advance(), in its frame. The list is ordered by (at, arrival). */
struct advance {
	struct eff__wait wait;
	eff_ns at;
};

static struct advance *first_advance(const struct eff_testclock *clock)
{
	if (eff_list_empty(&clock->waiters))
		return NULL;
	return eff_container(clock->waiters.next, struct advance, wait.link);
}

struct eff_testclock *eff_testclock_new(eff_ns start_ns)
{
	struct eff_testclock *clock = calloc(1, sizeof(*clock));

	if (!clock)
		return NULL;
	clock->now = start_ns;
	clock->start = start_ns;
	eff_list_init(&clock->waiters);
	return clock;
}

void eff_testclock_free(struct eff_testclock *clock)
{
	if (clock && clock->rt)
		eff__misuse("eff_testclock_free", "a runtime still goes by it");
	free(clock);
}

eff_ns eff__clock_wanted(const struct eff_testclock *clock)
{
	const struct advance *advance = first_advance(clock);

	return advance ? advance->at : INT64_MIN;
}

bool eff__clock_step(struct eff_testclock *clock, eff_ns until)
{
	struct advance *advance = first_advance(clock);
	struct eff_timer *timer;
	eff_ns horizon = until;

	if (advance && advance->at < horizon)
		horizon = advance->at;
	timer = eff__timers_due(&clock->rt->timers, horizon);
	if (timer) {
		if (timer->at > clock->now)
			clock->now = timer->at;
		timer->fire(timer);
		return true;
	}
	if (!advance || advance->at > until)
		return false;
	clock->now = advance->at;
	eff__wake(&advance->wait, 0);
	return true;
}

/* From the main stack: drive the runtime until all wait and the time is there. */
static void drive(struct eff_testclock *clock, eff_ns at)
{
	if (clock->advancing)
		eff__misuse("eff_testclock_set", "it is being advanced already");
	clock->advancing = true;
	if (clock->rt)
		do
			eff__rt_settle(clock->rt);
		while (eff__clock_step(clock, at));
	clock->now = at;
	clock->advancing = false;
}

/* From a fiber: wait until the loop has got there. */
static int await_time(struct eff_testclock *clock, eff_ns at)
{
	struct advance advance = {
		.wait = {.what = "advance", .on = EFF__ON_INSTANT, .number = at}, .at = at};
	struct eff_list *node = clock->waiters.next;

	while (node != &clock->waiters && eff_container(node, struct advance, wait.link)->at <= at)
		node = node->next;
	/* Appending to a node of a circular list is inserting before it. */
	eff_list_append(node, &advance.wait.link);
	return eff__park(&advance.wait);
}

int eff_testclock_set(struct eff_testclock *clock, eff_ns at)
{
	if (at < clock->now)
		return -EINVAL;
	if (clock->rt && clock->rt->current)
		return await_time(clock, at);
	drive(clock, at);
	return 0;
}

int eff_testclock_advance(struct eff_testclock *clock, eff_ns duration)
{
	return eff_testclock_set(clock, eff_ns_add(clock->now, duration));
}

void eff_testclock_autojump(struct eff_testclock *clock, bool on)
{
	clock->autojump = on;
}

bool eff_testclock_next(const struct eff_testclock *clock, eff_ns *ret_at)
{
	if (!clock->rt || !clock->rt->timers.root)
		return false;
	*ret_at = clock->rt->timers.root->at;
	return true;
}
