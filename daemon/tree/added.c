/* SPDX-License-Identifier: MIT */
/* Children that come and go at run time, after OTP's simple_one_for_one. To add some is to take over a plan that has them
 * besides; to take some out, a plan without them: so nothing else in the tree has to know of them. They last until they are
 * removed or their supervisor ends, and one whose policy is `no` not beyond its own end; replicas of one unit go together. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "tree/internal.h"

static const struct plan_unit *row_of(const struct unit *u)
{
	return u->next ? u->next : u->spec;
}

bool unit_was_added(const struct unit *u)
{
	return row_of(u)->added != NULL;
}

int tree_claim_plan(struct tree *t)
{
	int r = 0;

	while (t->plan_claimed && r == 0)
		r = eff_pulse_await(&t->plan_free);
	if (r == 0)
		t->plan_claimed = true;
	return r;
}

void tree_release_plan(struct tree *t)
{
	t->plan_claimed = false;
	eff_pulse_send(&t->plan_free);
}

int tree_catch_up(struct tree *t, struct plan **plan)
{
	uint32_t n = plan_n_units(*plan);
	bool *gone = calloc(n, sizeof(*gone)), any = false;
	struct plan *rest;
	int r = gone ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < n; i++) {
		const struct plan_unit *row = plan_unit(*plan, i);

		gone[i] = row->added && !plan_is_new(row) && !plan_find(t->plan, row->name);
		any |= gone[i];
	}
	if (any)
		r = plan_without(*plan, gone, &rest);
	if (any && r == 0) {
		plan_unref(*plan);
		*plan = rest;
	}
	free(gone);
	return r;
}

/* ── coming ── */

static bool group_takes_children(const struct unit *group)
{
	return group->group_open && !unit_is_leaving(group) && !group->sup->stopping &&
		group->sup->end == EFF_SUP_GOES_ON;
}

int tree_add(struct tree *t, struct plan *plan, const char *supervisor)
{
	struct unit *group = tree_find(t, supervisor);

	if (t->shutting_down || t->ended.set)
		return -ESHUTDOWN;
	if (!group || !group_takes_children(group))
		return -ESRCH;
	return tree_take(t, plan, NULL, 0, NULL);
}

/* ── going ── */

/* Mark a unit, and what is below it. False: it is not in the tree any more. */
static bool mark(struct tree *t, const struct unit *u, bool *gone)
{
	uint32_t first = unit_index(u);

	if (first == PLAN_NONE)
		return false;
	for (uint32_t i = first; i < plan_unit(t->plan, first)->end; i++)
		gone[i] = true;
	return true;
}

/* One of its replicas that stays: they go together, for one text says how many there are. NULL: none. */
static struct unit *twin_of(struct tree *t, uint32_t index, const bool *gone)
{
	const struct plan_unit *row = plan_unit(t->plan, index);
	uint32_t first = row->replica ? index + 1 - row->replica : index;

	for (uint32_t i = first; row->replica && i < first + row->n_replicas; i++)
		if (!gone[i])
			return t->units[i];
	return NULL;
}

/* One that stays and names `u`, or something below it, or is its twin; NULL: none. */
static struct unit *namer_of(struct tree *t, const struct unit *u, const bool *gone)
{
	uint32_t first = unit_index(u);
	struct unit *twin = twin_of(t, first, gone);

	if (twin)
		return twin;
	for (uint32_t i = first; i < plan_unit(t->plan, first)->end; i++) {
		const struct plan_unit *row = plan_unit(t->plan, i);

		for (uint32_t k = 0; k < row->n_named_by; k++)
			if (!gone[row->named_by[k]])
				return t->units[row->named_by[k]];
	}
	return NULL;
}

static int take_out(struct tree *t, const bool *gone, struct cause *why)
{
	struct plan *plan;
	int r = plan_without(t->plan, gone, &plan);

	if (r < 0)
		return r;
	r = tree_take(t, plan, NULL, 0, why);
	plan_unref(plan);
	return r;
}

static bool is_at_rest(const struct unit *u)
{
	return state_rests(u->state) && !u->child.fiber && !u->clock;
}

/* ── those whose policy is `no` ── */

static bool is_to_forget(const struct unit *u)
{
	return u->forget && is_at_rest(u) && !unit_is_leaving(u);
}

/* One that another names stays as long as that one. */
static bool unmark_named(struct tree *t, bool *gone)
{
	bool changed = false;

	for (uint32_t i = 1; i < t->n_units; i++) {
		const struct unit *u = t->units[i];

		if (!gone[i] || !unit_was_added(u) || !namer_of(t, u, gone))
			continue;
		for (uint32_t k = i; k < plan_unit(t->plan, i)->end; k++)
			gone[k] = false;
		changed = true;
	}
	return changed;
}

/* All that have ended since, in one step; whoever waited for their ends has seen them: they were told first. */
static eff_exit forget_run(void *arg)
{
	struct tree *t = arg;
	struct cause *why = wish_cause(
		CAUSE_STOP_REQUESTED, NULL, NULL, "it has ended, and its policy is `no`");
	bool *gone = calloc(t->n_units, sizeof(*gone)), any = false;
	int r = gone ? 0 : -ENOMEM;

	t->forgetting = false;
	for (uint32_t i = 1; gone && i < t->n_units; i++)
		if (is_to_forget(t->units[i]))
			(void)mark(t, t->units[i], gone);
	while (gone && unmark_named(t, gone))
		;
	for (uint32_t i = 1; gone && i < t->n_units; i++)
		any |= gone[i];
	if (any && !t->shutting_down)
		r = take_out(t, gone, why);
	if (r < 0)
		log_error("out of memory: what has ended stays in the tree");
	free(gone);
	cause_unref(why);
	return eff_ok(NULL);
}

static void forget_soon(struct tree *t)
{
	if (t->forgetting || !t->has_begun || t->shutting_down)
		return;
	t->forgetting = true;
	if (eff_fork_in(t->top.scope, EFF(forget_run, t), NULL) == 0)
		return;
	t->forgetting = false;
	log_error("out of memory: what has ended stays in the tree");
}

void added_rests(struct unit *u)
{
	if (!unit_was_added(u) || u->removed || u->clock || u->spec->restart != PLAN_NO)
		return;
	u->forget = true;
	forget_soon(tree_of(u));
}

/* ── those that somebody takes out ── */

/* May they go? */
static int removal_check(struct tree *t, struct unit *const *units, uint32_t n, bool *gone,
	struct tree_removal *removal)
{
	for (uint32_t i = 0; i < n; i++) {
		removal->blocker = units[i];
		if (!unit_was_added(units[i]))
			return -EPERM;
		if (!removal->now && !is_at_rest(units[i]))
			return -EBUSY;
		(void)mark(t, units[i], gone);
	}
	for (uint32_t i = 0; i < n; i++) {
		removal->blocker = units[i];
		removal->because = namer_of(t, units[i], gone);
		if (removal->because)
			return -ENOTEMPTY;
	}
	removal->blocker = NULL;
	return 0;
}

/* They are not waited for any longer than it takes to kill them. */
static void kill_all(struct unit *const *units, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		unit_kill_now(units[i]);
}

static int remove_all(struct tree *t, const bool *gone, const struct asker *by)
{
	struct unit **dead = calloc(t->n_units, sizeof(struct unit *));
	struct cause *why = wish_cause(CAUSE_STOP_REQUESTED, by, NULL, "removed");
	uint32_t n = 0;
	int r = dead ? 0 : -ENOMEM;

	for (uint32_t i = 0; dead && i < t->n_units; i++)
		if (gone[i])
			dead[n++] = t->units[i];
	if (r == 0)
		r = take_out(t, gone, why);
	/* They are there until the fiber that buries them has its turn. */
	if (r == 0)
		kill_all(dead, n);
	cause_unref(why);
	free(dead);
	return r;
}

int tree_remove(struct tree *t, struct unit *const *units, uint32_t n, struct tree_removal *removal)
{
	bool *gone = calloc(t->n_units, sizeof(*gone));
	int r = gone ? 0 : -ENOMEM;

	removal->blocker = removal->because = NULL;
	if (r == 0)
		r = removal_check(t, units, n, gone, removal);
	if (r == 0)
		r = remove_all(t, gone, removal->by);
	free(gone);
	/* One that it named may have waited for that. */
	if (r == 0)
		forget_soon(t);
	return r;
}

void added_forget_all(struct unit *group, struct cause *why)
{
	struct tree *t = tree_of(group);
	uint32_t index = unit_index(group);
	bool *gone;

	/* With the tree all ends. */
	if (index == PLAN_NONE || t->shutting_down ||
		row_of(group)->ways->strategy != PLAN_SIMPLE_ONE_FOR_ONE ||
		row_of(group)->n_children == 0)
		return;
	gone = calloc(t->n_units, sizeof(*gone));
	for (uint32_t i = index + 1; gone && i < row_of(group)->end; i++)
		gone[i] = true;
	if (!gone || take_out(t, gone, why) < 0)
		log_error("%s: cannot forget its children: out of memory", group->name);
	free(gone);
}
