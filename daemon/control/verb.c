/* SPDX-License-Identifier: MIT */
/* The outcome of a verb on one unit, by looking at the unit: nothing is told, so nothing can be told too late. What counts
 * is the difference to when it was asked: a further verb has taken over, a further run has begun, a further one ended. */
#include "base/text.h"
#include "control/methods.h"
#include "control/verb.h"

/* Who in it has survived the final signal? NULL: nobody. */
static struct unit *stuck_in(const struct tree *t, struct unit *u)
{
	uint32_t first;

	if (u->spec->kind != PLAN_SUPERVISOR)
		return u->stuck ? u : NULL;
	first = tree_index(t, u->name);
	for (uint32_t i = first; first != UINT32_MAX && i < plan_unit(t->plan, first)->end; i++)
		if (t->units[i]->stuck && t->units[i]->spec->kind != PLAN_SUPERVISOR)
			return t->units[i];
	return NULL;
}

static struct cause *stuck_cause(struct unit *u)
{
	enum { SHOWN = 4 };
	struct os_left left[SHOWN];
	struct text text = {0};
	struct cause *cause;
	size_t n = u->process ? u->world->os->ops->left(u->process, left, SHOWN) : 0;

	text_printf(&text, "%s does not end", u->name);
	for (size_t i = 0; i < n && i < SHOWN; i++)
		text_printf(&text, "%s pid %d (%s)%s%s", i ? "," : ":", (int)left[i].pid,
			left[i].command, left[i].waits_in[0] ? " waits in " : "", left[i].waits_in);
	if (n > SHOWN)
		text_printf(&text, " and %zu more", n - SHOWN);
	cause = cause_new(
		CAUSE_STOP_REQUESTED, eff_wall(), NULL, "%s", text.bytes ? text.bytes : "");
	text_done(&text);
	return cause;
}

static bool judge_stuck(struct act *a, const struct tree *t)
{
	struct unit *stuck = stuck_in(t, a->unit);

	if (stuck)
		act_decide(a, "failed", stuck_cause(stuck));
	return stuck != NULL;
}

/* Does it go down with another one that fails, each time before it is up? */
static bool goes_with_failing(const struct unit *u)
{
	if (u->state == UNIT_UP || u->removed)
		return false;
	for (uint32_t i = 0; i < u->n_needs; i++) {
		const struct plan_need *need = u->needs[i].need;

		if ((need->restart || need->bind) && eff_child_failures(&u->needs[i].unit->child) > 0)
			return true;
	}
	return false;
}

/* Has the run that was to begin been ended for the next one of its schedule, or with another's? So may all that come after it. */
static bool run_is_replaced(const struct act *a)
{
	const struct plan_schedule *schedule = &a->unit->spec->rules->schedule;

	if (a->unit->starts <= a->starts + 1)
		return false;
	return (schedule->is_there && schedule->overlap == PLAN_OVERLAP_KILL) ||
		(!a->dependant && goes_with_failing(a->unit));
}

/* Is what it waits for such that it does not come by itself? */
static void judge_hope(struct act *a, struct hope *hope)
{
	struct unit *hopeless = unit_hopeless_for(hope, a->unit);

	if (hopeless)
		act_decide_for(a, hopeless, hopeless->cause);
}

/* Start and restart. */
static void judge_start(struct act *a, struct hope *hope, eff_ns now, eff_ns *wake_at)
{
	const struct tree *t = hope->tree;
	struct unit *u = a->unit;

	if (u->ends > a->ends && u->starts + (a->verb == VERB_START) > a->starts) {
		act_decide(a, u->ended_well ? "done" : "failed", cause_ref(u->last_exit));
	} else if (run_is_replaced(a)) {
		act_decide(a, "failed", cause_ref(u->last_exit));
	} else if (u->removed) {
		act_decide(a, "superseded", NULL);
	} else if (a->dependant && u->starts > a->starts && unit_is_active(u)) {
		act_decide(a, "done", NULL);
	} else if (judge_stuck(a, t)) {
		return;
	} else if (u->state == UNIT_UP) {
		/* What is still on its way out is shown as it was, and begins anew. */
		if ((a->verb == VERB_START || u->starts > a->starts) && !unit_is_leaving(u) &&
			start_is_sure(a, t, now, wake_at))
			act_decide(a, "done", NULL);
	} else if (unit_rests(u)) {
		/* Nothing comes any more, and there was no attempt: its group ended, or the tree does. */
		act_decide(a, u->state == UNIT_DONE && u->starts > a->starts ? "done" : "failed",
			NULL);
	} else {
		judge_hope(a, hope);
	}
}

static void judge_stop(struct act *a, const struct tree *t)
{
	const struct unit *u = a->unit;
	bool runs_again = a->dependant && u->starts > a->starts;
	bool waits = a->dependant && u->wanted && !unit_is_active(u);

	if (judge_stuck(a, t))
		return;
	/* Another start has pulled it in again. */
	if (u->wanted && !a->dependant)
		act_decide(a, "superseded", NULL);
	else if (runs_again || waits || unit_rests(u))
		act_decide(a, "done", NULL);
}

static void judge_reset(struct act *a)
{
	const struct unit *u = a->unit;

	if ((u->state != UNIT_FAILED && u->state != UNIT_BACKOFF) || u->ends > a->ends ||
		unit_rests(u))
		act_decide(a, "done", NULL);
}

void act_judge(struct act *a, struct hope *hope, eff_ns now, eff_ns *wake_at)
{
	if (a->unit->verbs != a->verbs && !a->dependant) {
		act_decide(a, "superseded", NULL);
		return;
	}
	switch (a->verb) {
	case VERB_START:
	case VERB_RESTART:
		judge_start(a, hope, now, wake_at);
		break;
	case VERB_STOP:
		judge_stop(a, hope->tree);
		break;
	case VERB_RESET:
		judge_reset(a);
		break;
	}
}
