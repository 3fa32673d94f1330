/* SPDX-License-Identifier: MIT */
/* Has it been up for long enough that its start may be said to have succeeded? Of what is up as soon as it could be executed
 * nothing is known in that moment; so too of a group that such a one takes with it. */
#include "control/methods.h"
#include "control/verb.h"

/* Up as soon as it has been executed: nothing else is known of it. */
static bool ready_is_exec_alone(const struct plan_unit *spec)
{
	return spec->kind == PLAN_PROCESS && spec->type == PLAN_EXEC &&
		spec->rules->startup.kind == PLAN_PROBE_NONE &&
		spec->rules->readiness.kind == PLAN_PROBE_NONE;
}

static bool has_been_up(const struct unit *u, eff_ns now, eff_ns *wake_at)
{
	eff_ns sure_at = eff_ns_add(u->since, VERB_EARLY);

	if (!ready_is_exec_alone(u->spec) || now >= sure_at)
		return true;
	if (sure_at < *wake_at)
		*wake_at = sure_at;
	return false;
}

/* Can its end be the group's? Up to there each is critical, or counted by who is above it. */
static bool can_end(const struct unit *u, const struct unit *group)
{
	for (; u != group; u = u->parent)
		if (!u->spec->critical && u->parent->spec->ways->intensity.period_ns == 0)
			return false;
	return true;
}

/* One that ends by itself, and is not judged yet, is on its way to where it takes the group with it. */
static bool goes_on(const struct unit *u, eff_ns now, eff_ns *wake_at)
{
	if (u->spec->kind == PLAN_SUPERVISOR && u->group_open && u->sup->end != EFF_SUP_GOES_ON)
		return false;
	if (u->state == UNIT_STOPPING && !u->leaving)
		return false;
	return u->state != UNIT_UP || (!u->ended && has_been_up(u, now, wake_at));
}

bool start_is_sure(const struct tree *t, const struct unit *u, eff_ns now, eff_ns *wake_at)
{
	uint32_t first;
	bool sure;

	if (u->spec->kind != PLAN_SUPERVISOR)
		return has_been_up(u, now, wake_at);
	first = tree_index(t, u->name);
	sure = goes_on(u, now, wake_at);
	for (uint32_t i = first + 1; first != UINT32_MAX && i < plan_unit(t->plan, first)->end; i++)
		if (can_end(t->units[i], u) && !goes_on(t->units[i], now, wake_at))
			sure = false;
	return sure;
}
