/* SPDX-License-Identifier: MIT */
/* Things that fibers wait for and set for each other. All live in their owner's memory; wait nodes in the waiter's frame. */
#ifndef EFF_EVENT_H
#define EFF_EVENT_H

#include <stdbool.h>

#include <eff/api.h>
#include <eff/list.h>

/* An event stays set until it is reset. */
struct eff_event {
	struct eff_list waiters;
	bool set;
};
EFF_API void eff_event_init(struct eff_event *event);
EFF_API void eff_event_set(struct eff_event *event); /* wakes all that wait, in their order */
EFF_API void eff_event_reset(struct eff_event *event);
/* Suspends until it is set. Returns 0, -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_event_await(struct eff_event *event);

/* A pulse wakes whoever waits now and is forgotten: "something changed, look again". */
struct eff_pulse {
	struct eff_list waiters;
};
EFF_API void eff_pulse_init(struct eff_pulse *pulse);
EFF_API void eff_pulse_send(struct eff_pulse *pulse);
/* Suspends until the next pulse. Returns 0, -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_pulse_await(struct eff_pulse *pulse);

#endif
