/* SPDX-License-Identifier: MIT */
/* Has it been up for long enough that its start may be said to have succeeded? Of what is up as soon as it could be executed
 * nothing is known in that moment; so too of a group that such a one takes with it. A group that is there after its own first
 * 200 ms has started, also where one in it ends again and again. */
#include "control/methods.h"
#include "control/verb.h"

/* Up as soon as it has been executed: nothing else is known of it. */
static bool ready_is_exec_alone(const struct plan_unit *spec)
{
	return spec->kind == PLAN_PROCESS && spec->type == PLAN_EXEC &&
		spec->rules->startup.kind == PLAN_PROBE_NONE &&
		spec->rules->readiness.kind == PLAN_PROBE_NONE;
}

static bool has_been_up(const struct unit *u, eff_ns sure_at, eff_ns now, eff_ns *wake_at)
{
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

static bool group_ends(const struct unit *u)
{
	return u->spec->kind == PLAN_SUPERVISOR && u->group_open && u->sup->end != EFF_SUP_GOES_ON;
}

/* One that ends by itself, and is not judged yet, is on its way to where it takes the group with it. What begins after those
 * 200 ms is a restart, and what ends then is no failed start. */
static bool goes_on(const struct unit *u, eff_ns group_sure_at, eff_ns now, eff_ns *wake_at)
{
	eff_ns sure_at = eff_ns_add(u->since, VERB_EARLY);

	if (u->since >= group_sure_at)
		return true;
	if (group_ends(u) || (u->state == UNIT_STOPPING && !u->leaving))
		return false;
	if (u->state != UNIT_UP)
		return true;
	return !u->ended &&
		has_been_up(u, sure_at < group_sure_at ? sure_at : group_sure_at, now, wake_at);
}

bool start_is_sure(struct act *a, const struct tree *t, eff_ns now, eff_ns *wake_at)
{
	const struct unit *u = a->unit;
	uint32_t first;
	bool sure;

	if (u->spec->kind != PLAN_SUPERVISOR)
		return has_been_up(u, eff_ns_add(u->since, VERB_EARLY), now, wake_at);
	/* A round takes a group down and up again: that begins nothing anew. */
	if (a->sure_at == 0)
		a->sure_at = eff_ns_add(u->since, VERB_EARLY);
	first = tree_index(t, u->name);
	sure = !group_ends(u);
	for (uint32_t i = first + 1; first != UINT32_MAX && i < plan_unit(t->plan, first)->end; i++)
		if (can_end(t->units[i], u) && !goes_on(t->units[i], a->sure_at, now, wake_at))
			sure = false;
	return sure;
}
