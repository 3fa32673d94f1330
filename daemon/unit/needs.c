/* SPDX-License-Identifier: MIT */
/* What a unit waits for: its needs before it starts, its dependants before it stops. Both are loops of "look, and wait for
 * the other's next change", so nothing is counted and nothing can be missed. A group that goes one by one is not their
 * business: its supervisor lets one after the other. */
#include <errno.h>

#include "unit/unit.h"

static bool unit_is_ready(const struct unit *other)
{
	return other->state == UNIT_UP ||
		(other->state == UNIT_DONE && other->spec->type == PLAN_ONESHOT);
}

/* A oneshot that remains has ended clean as one that is done has. */
static bool unit_remains(const struct unit *other)
{
	return other->state == UNIT_UP && other->spec->type == PLAN_ONESHOT;
}

bool need_holds(const struct plan_need *need, const struct unit *other)
{
	/* One that is being stopped, by itself or with its group, is no ground to start on. */
	if (unit_is_leaving(other) && !state_rests(other->state))
		return false;
	switch (need->condition) {
	case PLAN_STARTED:
		return other->started || unit_is_ready(other);
	case PLAN_READY:
		return unit_is_ready(other);
	case PLAN_COMPLETED:
		return other->state == UNIT_DONE || other->state == UNIT_FAILED ||
			unit_remains(other);
	case PLAN_COMPLETED_SUCCESSFULLY:
		return other->state == UNIT_DONE || unit_remains(other);
	}
	return false;
}

bool need_can_hold(const struct plan_need *need, const struct unit *other)
{
	return need_holds(need, other) || (other->spec->enabled && !state_rests(other->state));
}

/* Is it to run, or to be told so as soon as the groups around it begin? */
static bool unit_is_to_come(const struct unit *u)
{
	bool comes = true;

	for (; comes && u->parent; u = u->parent) {
		bool begins = u->spec->activate == PLAN_BOOT && !u->parent->group_open;

		comes = u->spec->enabled && !u->held && !u->removed && (u->wanted || begins) &&
			u->state != UNIT_FAILED && u->state != UNIT_DONE;
	}
	return comes && !u->held;
}

/* Not required: it is waited for until it holds or its first attempt has failed, or when nothing will come of it. */
static bool need_lets_pass(const struct plan_need *need, const struct unit *other)
{
	if (need_holds(need, other))
		return true;
	if (need->required)
		return false;
	return !unit_is_to_come(other) || other->state == UNIT_BACKOFF || other->ends > 0;
}

/* Order only: is `other` on its way? */
static bool order_waits_for(const struct unit *other)
{
	return other->state != UNIT_UP && unit_is_to_come(other);
}

/* One that it may not run beside, and that is there. */
static struct unit *unit_first_conflict(const struct unit *u)
{
	for (uint32_t i = 0; i < u->n_conflicts; i++)
		if (unit_is_active(u->conflicts[i]))
			return u->conflicts[i];
	return NULL;
}

struct unit *unit_first_unmet(const struct unit *u)
{
	for (uint32_t i = 0; i < u->n_needs; i++)
		if (!need_lets_pass(u->needs[i].need, u->needs[i].unit))
			return u->needs[i].unit;
	for (uint32_t i = 0; i < u->n_after; i++)
		if (order_waits_for(u->after[i]))
			return u->after[i];
	return unit_first_conflict(u);
}

struct unit *unit_first_awaited(const struct unit *u)
{
	return u->child.other ? unit_of(u->child.other) : unit_first_unmet(u);
}

void unit_show_waiting(struct unit *u, struct unit *other)
{
	/* Behind it is why the other is not coming; that it is on its way needs no reason. */
	struct cause *because = state_rests(other->state) || other->state == UNIT_BACKOFF
		? other->cause
		: NULL;
	struct cause *cause = unit_cause(u, CAUSE_DEPENDENCY, because,
		"waits for %s, which is %s", other->name, unit_phrase(other));

	u->awaits = other;
	unit_enter(u, UNIT_WAITING, cause);
}

int unit_await_needs(struct unit *u)
{
	int r = 0;

	eff_child_waits(&u->child, true);
	for (;;) {
		struct unit *other;

		/* Its own stop, or its group's, is on the way: the cancellation that comes with it ends this wait. */
		if (unit_is_leaving(u)) {
			r = eff_pulse_await(&u->changed);
		} else {
			other = unit_first_unmet(u);
			if (!other)
				break;
			unit_show_waiting(u, other);
			r = eff_pulse_await(&other->changed);
		}
		if (r < 0)
			break;
	}
	u->awaits = NULL;
	eff_child_waits(&u->child, false);
	return r;
}

/* Must `d` be gone before what it depends on may stop? */
static bool dependant_goes_first(const struct unit *d)
{
	return unit_is_active(d) && unit_is_leaving(d) && !d->stuck;
}

static struct unit *unit_first_dependant(const struct unit *u)
{
	for (uint32_t i = 0; i < u->n_needed_by; i++)
		if (dependant_goes_first(u->needed_by[i]))
			return u->needed_by[i];
	for (uint32_t i = 0; i < u->n_before; i++)
		if (dependant_goes_first(u->before[i]))
			return u->before[i];
	return NULL;
}

void unit_await_dependants(struct unit *u)
{
	struct eff_scope within;
	struct unit *d;
	int r = 0;

	eff_scope_open(&within);
	u->grace = &within;
	/* After a kill of everything at once nobody waits for anybody. */
	while (r == 0 && !u->kill_now && (d = unit_first_dependant(u))) {
		u->awaits = d;
		r = eff_pulse_await(&d->changed);
	}
	u->awaits = NULL;
	u->grace = NULL;
	(void)eff_scope_close(&within);
}
