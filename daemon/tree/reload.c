/* SPDX-License-Identifier: MIT */
/* Change of a running tree by difference. Taking a plan over is one step without a wait: rows are handed out, units made
 * and unmade, edges drawn anew, wishes set, and runs told to end that must. What follows, follows by itself; the waits at
 * the end are only for who wants to know when it is done.
 *
 * A unit that vanished leaves the tree at once and is buried when it rests. One of the same name and another kind starts
 * only after that: the two never run together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tree/internal.h"

/* The new array of units: survivors in their new places, new ones made. NULL: out of memory, nothing is changed. */
static struct unit **units_make(struct tree *t, struct plan *plan)
{
	uint32_t n = plan_n_units(plan);
	struct unit **units = calloc(n, sizeof(struct unit *));

	for (uint32_t i = 0; units && i < n; i++) {
		const struct plan_unit *spec = plan_unit(plan, i),
				       *old = plan_find(t->plan, spec->name);

		if (row_lives_on(old, spec)) {
			units[i] = t->units[old->index];
			continue;
		}
		units[i] = tree_unit_new(
			t, plan, spec, spec->parent == PLAN_NONE ? NULL : units[spec->parent]);
		if (units[i])
			units[i]->held = row_is_held(t, spec);
		if (units[i])
			continue;
		while (i-- > 0)
			if (!row_lives_on(plan_find(t->plan, plan_unit(plan, i)->name),
				    plan_unit(plan, i)))
				unit_free(units[i]);
		free(units);
		return NULL;
	}
	return units;
}

static void units_unmake(struct tree *t, struct plan *plan, struct unit **units)
{
	for (uint32_t i = plan_n_units(plan); i-- > 0;)
		if (!row_lives_on(plan_find(t->plan, plan_unit(plan, i)->name), plan_unit(plan, i)))
			unit_free(units[i]);
	free(units);
}

/* It starts, or goes on waiting for what starts it; a try that was put off, be it of a run by its schedule, is made now. */
static void unit_begin_anew(struct unit *u, bool runs)
{
	wish_act(u);
	if (u->clock && u->child.fiber && !runs && wish_may_act(u) && eff_child_start(&u->child) < 0)
		log_error("%s: cannot start: out of memory", u->name);
}

/* A unit that is wanted and whose program changed: its run ends, the next one is from the new row. */
static void unit_replace(
	struct unit *u, struct plan *plan, const struct plan_unit *spec, struct cause *why)
{
	bool runs = u->child.life != NULL;

	unit_adopt(u, plan, spec, !runs);
	eff_child_reset(&u->child);
	if (runs && unit_is_active(u) && !u->child.stopping) {
		unit_leave(u, why);
		eff_child_cycle(&u->child);
	} else {
		if (runs && !u->child.stopping)
			eff_child_cycle(&u->child);
		/* On demand it may have failed: what it is now has not. */
		if (spec->activate == PLAN_ON_DEMAND && !u->child.fiber && wish_may_act(u))
			unit_enter(u, UNIT_WAITING, NULL);
		/* One that a round holds comes with its group, when the delay of who began it is over. */
		if (!u->child.held)
			unit_begin_anew(u, runs);
	}
}

/* What the wish makes of a row whose `enabled` or `activate` changed. */
static void unit_wish_anew(struct unit *u, const struct plan_unit *old,
	const struct plan_unit *spec, struct cause *why)
{
	bool booted = plan_unit_boots(old), boots = plan_unit_boots(spec);

	bool rested = old->activate == PLAN_ON_DEMAND && !u->child.fiber;

	/* One that was only waited with is not to run by itself. */
	if (u->wanted && (!spec->enabled || (rested && spec->activate == PLAN_MANUAL)))
		wish_end(u, why);
	else if (boots && !booted && !u->held)
		wish_want(u);
}

static bool change_is_of_program(const struct plan_change *change)
{
	for (uint32_t i = 0; i < change->n_fields; i++)
		if (plan_field(change->fields[i])->effect == PLAN_RESTART)
			return true;
	return false;
}

/* What a change is to the run that goes on. */
enum kind { SAME, OTHER_PROGRAM, RESTARTS };

/* A unit keeps the program it was started from until its run has ended. */
static void unit_take_row(struct unit *u, struct plan *plan, const struct plan_unit *spec,
	enum kind kind, struct cause *why)
{
	if (kind == RESTARTS)
		unit_replace(u, plan, spec, why);
	else
		unit_adopt(u, plan, spec, kind == SAME && u->next == NULL);
	if (kind == OTHER_PROGRAM)
		eff_child_reset(&u->child);
}

static void units_apply(struct tree *t, struct plan *plan, const struct plan_change *changes,
	uint32_t n, struct cause *why)
{
	uint8_t *kinds = calloc(plan_n_units(plan), 1);

	for (uint32_t i = 0; kinds && i < n; i++)
		if (changes[i].after != PLAN_NONE && change_is_of_program(&changes[i]))
			kinds[changes[i].after] = changes[i].action == PLAN_DO_RESTART
				? RESTARTS
				: OTHER_PROGRAM;
	for (uint32_t i = 0; i < t->n_units; i++) {
		struct unit *u = t->units[i];
		const struct plan_unit *spec = plan_unit(plan, i),
				       *old = u->next ? u->next : u->spec;

		if (old == spec)
			continue;
		unit_take_row(u, plan, spec, kinds ? kinds[i] : RESTARTS, why);
		if (u->group_open)
			group_change(u);
		unit_wish_anew(u, old, spec, why);
	}
	free(kinds);
}

/* Who ran only for others that do not want it any more stops first, so that what is new in it pulls in nobody. */
static void units_take_back(
	struct tree *t, const struct plan_change *changes, uint32_t n, struct cause *why)
{
	for (uint32_t i = 0; i < n; i++) {
		struct unit *u = changes[i].after == PLAN_NONE ? NULL : t->units[changes[i].after];

		if (u && changes[i].action == PLAN_DO_STOP)
			wish_take_back(t, &u, 1, why);
	}
}

/* One that is to run and does not; a schedule is kept, whatever the unit does now. */
static bool unit_is_to_begin(const struct tree *t, const struct unit *u)
{
	return row_waits(plan_unit(t->plan, unit_index(u))) ||
		(!u->child.fiber && u->state != UNIT_DONE && u->state != UNIT_FAILED);
}

/* All that is to run and does not; or `only_new`: what was not there before. Who gave way to another does so still, for those
 * that were there. */
static void units_begin(struct tree *t, const struct plan *before, bool only_new)
{
	for (uint32_t i = 1; i < t->n_units; i++) {
		struct unit *u = t->units[i];
		bool is_new = !row_lives_on(plan_find(before, u->name), plan_unit(t->plan, i));
		bool begins = !only_new || is_new;

		/* A group that does not run pulls in what its units require when it does. */
		if (begins && u->parent->group_open && !unit_is_leaving(u->parent))
			(is_new ? wish_pull : wish_pull_still)(t, u);
		if (begins && unit_is_to_begin(t, u))
			wish_act(u);
		/* Its needs may have changed: who waits looks again. */
		eff_pulse_send(&u->changed);
	}
}

int tree_take(struct tree *t, struct plan *plan, const struct plan_change *changes, uint32_t n,
	struct cause *why)
{
	struct grave *g = grave_make(t, plan);
	struct unit **units = units_make(t, plan), **old = t->units;
	struct plan *before = t->plan;
	struct held *sockets = NULL;

	if (!g || !units || sockets_make(plan, &sockets) < 0 || link_units(units, plan) < 0) {
		if (units)
			units_unmake(t, plan, units);
		sockets_unmake(sockets);
		/* They are not dead. */
		if (g)
			g->n = 0;
		grave_free(g);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < g->n; i++) {
		if (!g->dead[i])
			continue;
		g->dead[i]->removed = true;
		wish_end(g->dead[i], why);
	}
	/* Of what was added they know them already. */
	if (changes)
		events_keep_labels(t, g->plan, g->dead);
	t->units = units;
	t->n_units = plan_n_units(plan);
	t->plan = plan_ref(plan);
	t->generation++;
	t->n_settled_seen = 0;
	free(old);
	eff_list_append(&t->graveyard, &g->link);
	sockets_take(&t->world, sockets);
	groups_place(t);
	units_apply(t, plan, changes, n, why);
	units_take_back(t, changes, n, why);
	units_begin(t, before, !changes);
	wish_take_back(t, g->lent, g->n_lent, why);
	plan_unref(before);
	if (eff_fork_in(t->top.scope, EFF(grave_keep, g), NULL) < 0)
		log_error("out of memory: what a reload removed stays in memory");
	else
		grave_hold_groups(g);
	return 0;
}

/* Is it where it was to go, as far as that may be waited for? What does not end, has no time to be ready in, has been ready
 * and waits to be so again, or begins again before it was ready, as one that has failed or that is restarted with another, would
 * hold up the next reload for good. */
static bool unit_has_arrived(
	const struct unit *u, enum plan_action action, const struct tree_was *was)
{
	bool has_tried = u->starts > was->starts + 1 || eff_child_failures(&u->child) > 0;
	bool may_take_long = action == PLAN_DO_LIVE || u->child.up_since >= 0 || has_tried ||
		u->spec->ways->start_timeout_ns == PLAN_FOREVER;

	if (u->stuck)
		return true;
	if (u->next || u->leaving || u->child.stopping || u->child.cycling)
		return false;
	if (!wish_holds(u) || !u->parent || !u->parent->group_open)
		return true;
	return u->state == UNIT_UP || u->state == UNIT_WAITING || u->state == UNIT_BACKOFF ||
		(u->state == UNIT_STARTING && may_take_long) ||
		(state_rests(u->state) && !u->child.fiber);
}

/* Until each unit that the plan touches is where it was to go. */
static int tree_await_change(struct tree *t, struct plan *plan, const struct tree_reloaded *reloaded)
{
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < reloaded->n; i++) {
		const struct plan_change *change = &reloaded->changes[i];
		const struct plan_unit *row = change->after == PLAN_NONE
			? NULL
			: plan_unit(plan, change->after);

		/* By name: what was added comes and goes meanwhile. */
		while (row && row->kind != PLAN_SUPERVISOR && r == 0 && !t->ended.set &&
			tree_find(t, row->name) &&
			!unit_has_arrived(
				tree_find(t, row->name), change->action, &reloaded->was[i]))
			r = eff_pulse_await(&t->changed);
	}
	return r < 0 ? r : tree_await_burial(t, reloaded->old);
}

void tree_reloaded_done(struct tree_reloaded *reloaded)
{
	plan_changes_free(reloaded->changes, reloaded->n);
	plan_unref(reloaded->old);
	free(reloaded->was);
	*reloaded = (struct tree_reloaded){0};
}

static struct tree_was *was_new(const struct tree *t, const struct plan_change *changes, uint32_t n)
{
	struct tree_was *was = calloc(n ? n : 1, sizeof(*was));

	for (uint32_t i = 0; was && i < n; i++) {
		const struct unit *u = changes[i].before < t->n_units && changes[i].action != PLAN_DO_EFFD
			? t->units[changes[i].before]
			: NULL;

		if (u)
			was[i] = (struct tree_was){u->verbs, u->starts, u->ends};
	}
	return was;
}

/* Take it over and wait until it is done. */
static int reload_carry_out(struct tree *t, struct plan *plan, const struct asker *by,
	struct tree_reloaded *reloaded)
{
	struct cause *why = wish_cause(CAUSE_STOP_REQUESTED, by, NULL, "the tree was changed");
	int r;

	t->reloading = true;
	r = tree_take(t, plan, reloaded->changes, reloaded->n, why);
	cause_unref(why);
	/* Whether a root that has failed is the end of it is for the new plan to say. */
	eff_pulse_send(&t->top.changed);
	if (r < 0)
		tree_reloaded_done(reloaded);
	else
		r = tree_await_change(t, plan, reloaded);
	/* Those that nobody has started with. */
	if (r == 0)
		r = sockets_open(&t->world, t->units[0]);
	t->reloading = false;
	eff_pulse_send(&t->reloaded);
	return r;
}

int tree_reload(struct tree *t, struct plan *plan, const struct asker *by,
	struct tree_reloaded *ret_reloaded)
{
	struct tree_reloaded *reloaded = ret_reloaded;
	int r = 0;

	*reloaded = (struct tree_reloaded){0};
	while (t->reloading && r == 0)
		r = eff_pulse_await(&t->reloaded);
	if (r == 0 && (t->shutting_down || t->ended.set))
		r = -ESHUTDOWN;
	if (r < 0)
		return r;
	/* What has gone during the wait does not come back. */
	plan_ref(plan);
	r = tree_catch_up(t, &plan);
	if (r == 0)
		r = tree_plan(t, plan, &reloaded->changes, &reloaded->n);
	if (r == 0) {
		reloaded->was = was_new(t, reloaded->changes, reloaded->n);
		r = reloaded->was ? 0 : -ENOMEM;
	}
	if (r == 0) {
		reloaded->old = plan_ref(t->plan);
		r = reload_carry_out(t, plan, by, reloaded);
	}
	plan_unref(plan);
	return r;
}
