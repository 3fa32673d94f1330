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
	/* Whoever comes to one on demand waits, and is served. */
	if (other->listens && need->condition <= PLAN_READY && !state_rests(other->state))
		return true;
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
		bool begins = u->spec->activate != PLAN_MANUAL && !u->parent->group_open;

		comes = u->spec->enabled && !u->held && !u->removed && (u->wanted || begins) &&
			u->state != UNIT_FAILED && u->state != UNIT_DONE && !unit_is_left_out(u);
	}
	return comes && !u->held;
}

/* Has an attempt failed since it was last to begin anew, its own or that of a group that it would have come with? */
static bool unit_has_tried(const struct unit *other)
{
	if (eff_child_failures(&other->child) > 0)
		return true;
	for (; other; other = other->parent)
		if (other->state == UNIT_BACKOFF || other->ended)
			return true;
	return false;
}

/* Not required: it is waited for until it holds or its first attempt has failed, or when nothing will come of it. */
static bool need_lets_pass(const struct plan_need *need, const struct unit *other)
{
	if (need_holds(need, other))
		return true;
	if (need->required)
		return false;
	return !unit_is_to_come(other) || unit_has_tried(other);
}

/* Order only: is `other` on its way? One that rests until its schedule is not; one on demand is until it listens. */
static bool order_waits_for(const struct unit *other)
{
	if (unit_awaits_schedule(other) && other->spec->rules->schedule.is_there)
		return false;
	return other->state != UNIT_UP && !other->listens && unit_is_to_come(other);
}

/* The one at this place among all that can hold it up; NULL when that lets it pass. */
static struct unit *unit_unmet_at(const struct unit *u, uint32_t at)
{
	if (at < u->n_needs)
		return need_lets_pass(u->needs[at].need, u->needs[at].unit) ? NULL
									    : u->needs[at].unit;
	at -= u->n_needs;
	if (at < u->n_after)
		return order_waits_for(u->after[at]) ? u->after[at] : NULL;
	at -= u->n_after;
	/* One that it may not run beside, and that is there. */
	return unit_is_active(u->conflicts[at]) ? u->conflicts[at] : NULL;
}

/* One that it has to wait for, looked for from `*at` on and all the way round: who waits for many passes each once, and looks
 * at all of them together before it goes. NULL: none. */
static struct unit *unit_next_unmet(const struct unit *u, uint32_t *at)
{
	uint32_t n = u->n_needs + u->n_after + u->n_conflicts;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t place = (*at + i) % n;
		struct unit *other = unit_unmet_at(u, place);

		if (!other)
			continue;
		*at = place;
		return other;
	}
	return NULL;
}

struct unit *unit_first_unmet(const struct unit *u)
{
	return unit_next_unmet(u, &(uint32_t){0});
}

struct unit *unit_unmet_from(const struct unit *u, uint32_t *at)
{
	while (*at < u->n_needs + u->n_after + u->n_conflicts) {
		struct unit *other = unit_unmet_at(u, (*at)++);

		if (other)
			return other;
	}
	return NULL;
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

/* Has a round left it out, or the group that it would come with? Then nothing brings it back but a hand. */
static bool unit_went_with_round(const struct unit *u)
{
	while (!unit_is_left_out(u)) {
		if (!state_rests(u->state) || !u->parent || u->parent->group_open)
			return false;
		u = u->parent;
	}
	return true;
}

/* It waits for `other`, be that for ever: then nobody has to wait for it to be up, and who waits for it may have to know. */
static void unit_wait_on(struct unit *u, const struct unit *other)
{
	bool is_idle = other->child.idle || unit_went_with_round(other);

	if (is_idle == u->child.idle)
		return;
	if (is_idle)
		eff_child_idle(&u->child);
	else
		eff_child_waits(&u->child, true);
	eff_pulse_send(&u->changed);
}

int unit_await_needs(struct unit *u)
{
	uint32_t at = 0;
	int r = 0;

	eff_child_waits(&u->child, true);
	for (;;) {
		struct unit *other;

		/* Its own stop, or its group's, is on the way: the cancellation that comes with it ends this wait. */
		if (unit_is_leaving(u)) {
			r = eff_pulse_await(&u->changed);
		} else {
			other = unit_next_unmet(u, &at);
			if (!other)
				break;
			unit_show_waiting(u, other);
			unit_wait_on(u, other);
			r = eff_pulse_await(&other->changed);
		}
		if (r < 0)
			break;
	}
	u->awaits = NULL;
	eff_child_waits(&u->child, false);
	return r;
}

/* Is it told to stop, or a group around it, and neither to begin anew nor to make way for a round? */
static bool unit_is_stopped(const struct unit *u)
{
	while (u->parent && unit_is_leaving(u->parent))
		u = u->parent;
	return u->child.stopping && !u->child.left_out;
}

/* Must `d` be gone before `u`, which it depends on, may stop? One that ends by itself is not told to, and is gone first too. */
static bool dependant_goes_first(const struct unit *d, const struct unit *u)
{
	return unit_is_active(d) && !d->stuck &&
		(unit_is_leaving(d) || (d->ending && unit_is_stopped(u)));
}

/* As unit_next_unmet(). */
static struct unit *unit_next_dependant(const struct unit *u, uint32_t *at)
{
	uint32_t n = u->n_needed_by + u->n_before;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t place = (*at + i) % n;
		struct unit *d = place < u->n_needed_by ? u->needed_by[place].unit
							: u->before[place - u->n_needed_by];

		if (!dependant_goes_first(d, u))
			continue;
		*at = place;
		return d;
	}
	return NULL;
}

void unit_await_dependants(struct unit *u)
{
	struct eff_scope within;
	struct unit *d;
	uint32_t at = 0;
	int r = 0;

	eff_scope_open(&within);
	u->grace = &within;
	/* After a kill of everything at once nobody waits for anybody. */
	while (r == 0 && !u->kill_now && (d = unit_next_dependant(u, &at))) {
		u->awaits = d;
		r = eff_pulse_await(&d->changed);
	}
	u->awaits = NULL;
	u->grace = NULL;
	(void)eff_scope_close(&within);
}
