/* SPDX-License-Identifier: MIT */
/* What became of a reload, change by change: is the unit where the new tree wants it, has it failed, or is it still as it was?
 * As with verbs it is found out by looks at the unit. What waits for another that has failed is decided with that one: it comes
 * by itself when the other does. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/methods.h"
#include "control/verb.h"

enum { HOPS_MAX = 1000 };

struct fate {
	struct act act; /* by which it is judged; its unit is found anew at each look */
	struct json *result;
};

struct fates {
	struct request *req;
	const struct reload_outcome *o;
	struct fate *fates; /* by change */
	uint32_t n, n_decided;
	uint32_t n_looked; /* so many units the last look at them has cost */
	eff_ns until;
};

/* Or fails again and again: without a delay between two attempts no look finds it in one. */
static bool has_failed(const struct unit *u)
{
	return state_has_failed(u->state) ||
		(u->state != UNIT_UP && eff_child_failures(&u->child) > 0);
}

/* What keeps this group from being up and has failed; NULL. */
static const struct unit *failed_in(const struct tree *t, const struct unit *group)
{
	uint32_t first = tree_index(t, group->name);

	if (first == UINT32_MAX || group->state != UNIT_STARTING ||
		group->spec->kind != PLAN_SUPERVISOR)
		return NULL;
	for (uint32_t i = first + 1; i < plan_unit(t->plan, first)->end; i++)
		if (t->units[i]->state != UNIT_FAILED && has_failed(t->units[i]))
			return t->units[i];
	return NULL;
}

/* Whom the unit waits for at the end of the chain, or the group around it that does not run yet; NULL: for nobody. */
static const struct unit *awaited_by(const struct unit *u)
{
	int hops = 0;

	while (u && u->state != UNIT_WAITING && u->parent && !u->parent->group_open)
		u = u->parent;
	if (!u || u->state != UNIT_WAITING)
		return NULL;
	for (; u && u->state == UNIT_WAITING && !unit_awaits_schedule(u) && hops < HOPS_MAX; hops++)
		u = u->awaits;
	return u;
}

/* It waits for one that has failed, in this reload or before. */
static void judge_wait(struct act *a, const struct tree *t)
{
	const struct unit *other = awaited_by(a->unit);

	if (other && unit_awaits_schedule(other)) {
		act_decide(a, "done", NULL);
		return;
	}
	if (!other || !has_failed(other))
		other = failed_in(t, other ? other : a->unit);
	if (other)
		act_decide_for(a, other, other->cause ? other->cause : other->last_exit);
}

/* One that the new tree has not. When the reload is over, all has gone but what does not end. */
static void judge_vanished(struct act *a, const struct tree *t, bool is_over)
{
	a->unit = tree_grave_of(t, a->name);
	if (!a->unit)
		act_decide(a, "done", NULL);
	else if (a->unit->stuck || is_over)
		act_decide(a, "failed",
			cause_new(CAUSE_STOP_REQUESTED, eff_wall(), NULL,
				a->unit->stuck ? "%s does not end" : "something in %s does not end",
				a->name));
}

static void judge_change(struct fates *all, uint32_t i, struct hope *hope, eff_ns *wake_at)
{
	const struct plan_change *change = &all->o->done.changes[i];
	struct act *a = &all->fates[i].act;
	struct tree *t = all->req->tree;
	bool starts = change->action == PLAN_DO_START || change->action == PLAN_DO_RESTART;

	if (change->action == PLAN_DO_EFFD) {
		act_decide(a, "unchanged", NULL);
		return;
	}
	if (change->after == PLAN_NONE) {
		judge_vanished(a, t, !t->reloading);
		return;
	}
	a->unit = tree_find(t, a->name);
	if (!a->unit)
		act_decide(a, "superseded", NULL);
	else if (change->action == PLAN_DO_LIVE || (starts && unit_awaits_schedule(a->unit)))
		act_decide(a, "done", NULL);
	else
		act_judge(a, hope, eff_now(), wake_at);
	if (!a->outcome && starts)
		judge_wait(a, t);
}

/* Does it go by the new tree? A run that began before goes on by the old one until it has ended. */
static bool is_applied(const struct plan_change *change, const struct act *a)
{
	if (change->action == PLAN_DO_EFFD)
		return false;
	if (change->after == PLAN_NONE)
		return !a->unit;
	return a->unit && !a->unit->next;
}

/* How it is, beside what was to happen to it. */
static struct json *fate_result(const struct fates *all, uint32_t i)
{
	const struct reload_outcome *o = all->o;
	const struct act *a = &all->fates[i].act;
	bool has_state = a->unit && o->done.changes[i].action != PLAN_DO_EFFD;
	struct json *one = json_change(o->done.changes, o->done.n, i), *result = NULL;

	(void)json_set(one, "outcome", json_text(a->outcome));
	(void)json_set(one, "applied", json_bool(is_applied(&o->done.changes[i], a)));
	if (has_state)
		result = json_result(a->unit, a->outcome, a->why);
	for (const struct json *v = json_first(result); v; v = json_next(v))
		if (strcmp(json_key(v), "name") != 0 && strcmp(json_key(v), "outcome") != 0)
			(void)json_set(one, json_key(v), json_copy(v));
	json_free(result);
	return one;
}

/* Returns when to look again at the latest. */
static eff_ns fates_judge(struct fates *all)
{
	eff_ns wake_at = all->until;
	struct hope hope;

	hope_begin(&hope, all->req->tree);
	for (uint32_t i = 0; i < all->n; i++) {
		struct fate *fate = &all->fates[i];

		if (fate->result)
			continue;
		judge_change(all, i, &hope, &wake_at);
		if (!fate->act.outcome && eff_now() >= all->until)
			act_decide(&fate->act, "timeout", NULL);
		if (!fate->act.outcome)
			continue;
		fate->result = fate_result(all, i);
		all->n_decided++;
	}
	all->n_looked = all->n + hope.n_seen;
	hope_end(&hope);
	return wake_at;
}

static int fates_wait(struct fates *all)
{
	for (;;) {
		eff_ns wake_at = fates_judge(all);
		eff_ns pause = eff_now() + look_pause(all->n_looked);
		struct eff_scope within;
		int r;

		if (all->n_decided == all->n)
			return 0;
		eff_scope_open(&within);
		eff_scope_limit(&within, wake_at > pause ? wake_at : pause);
		r = changes_await(all->req->tree, all->n_looked);
		(void)eff_scope_close(&within);
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
}

static void fates_begin(struct fates *all)
{
	for (uint32_t i = 0; i < all->n; i++) {
		const struct plan_change *change = &all->o->done.changes[i];
		const struct tree_was *was = &all->o->done.was[i];

		all->fates[i].act = (struct act){
			.verb = change->action == PLAN_DO_STOP      ? VERB_STOP
				: change->action == PLAN_DO_RESTART ? VERB_RESTART
								    : VERB_START,
			.name = (char *)change->unit,
			.verbs = was->verbs,
			.starts = was->starts,
			.ends = was->ends,
		};
	}
}

int fates_await(struct request *req, const struct reload_outcome *o, eff_ns until,
	struct json **ret_changes)
{
	struct fates all = {.req = req, .o = o, .n = o->done.n, .until = until};
	struct json *changes;
	int r;

	all.fates = alloc_new((all.n ? all.n : 1) * sizeof(*all.fates));
	if (!all.fates)
		return -ENOMEM;
	fates_begin(&all);
	r = fates_wait(&all);
	changes = r == 0 ? json_array() : NULL;
	for (uint32_t i = 0; i < all.n; i++) {
		if (r == 0)
			(void)json_add(changes, all.fates[i].result);
		else
			json_free(all.fates[i].result);
		cause_unref(all.fates[i].act.why);
	}
	free(all.fates);
	if (r == 0)
		*ret_changes = changes;
	return r;
}
