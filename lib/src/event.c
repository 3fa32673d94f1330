/* SPDX-License-Identifier: MIT */
/* Events and pulses: a list of waits, woken in their order. Waking only makes fibers ready, so nobody joins or leaves the
 * list while it is walked. */
#include "internal.h"

static void wake_all(struct eff_list *waiters)
{
	while (!eff_list_empty(waiters))
		eff__wake(eff_container(waiters->next, struct eff__wait, link), 0);
}

static int await(struct eff_list *waiters, const char *what)
{
	struct eff__wait wait = {.what = what};

	eff_list_append(waiters, &wait.link);
	return eff__park(&wait);
}

void eff_event_init(struct eff_event *event)
{
	eff_list_init(&event->waiters);
	event->set = false;
}

void eff_event_set(struct eff_event *event)
{
	event->set = true;
	wake_all(&event->waiters);
}

void eff_event_reset(struct eff_event *event)
{
	event->set = false;
}

int eff_event_await(struct eff_event *event)
{
	return event->set ? eff_check() : await(&event->waiters, "event");
}

void eff_pulse_init(struct eff_pulse *pulse)
{
	eff_list_init(&pulse->waiters);
}

void eff_pulse_send(struct eff_pulse *pulse)
{
	wake_all(&pulse->waiters);
}

int eff_pulse_await(struct eff_pulse *pulse)
{
	return await(&pulse->waiters, "pulse");
}
