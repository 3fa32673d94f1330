/* SPDX-License-Identifier: MIT */
/* What a reload would do, before it does. The difference of two plans says which rows differ; what comes of that depends on
 * the wishes. A unit that nobody wants is not restarted: its new row waits for its next start. One that becomes wanted
 * starts, one that is wanted no more stops, whether its own row differs or not: what a manual unit is for may come or go. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tree/internal.h"

bool row_lives_on(const struct plan_unit *a, const struct plan_unit *b)
{
	return a && b && a->kind == b->kind;
}

enum { UNWANTED, WANTED, REQUIRED };

/* What will be wanted, by row of the new plan, and whether by itself or for another. */
struct outlook {
	struct tree *t;
	struct plan *plan;
	uint8_t *wanted;
	uint32_t *rest; /* wanted, and what they require not yet looked at */
	uint32_t n_rest;
};

static bool row_boots(const struct plan_unit *row)
{
	return plan_unit_boots(row);
}

/* The unit that lives on in this row; NULL: the row is new. */
static struct unit *unit_of_row(struct tree *t, const struct plan_unit *row)
{
	const struct plan_unit *old = plan_find(t->plan, row->name);

	return row_lives_on(old, row) ? t->units[old->index] : NULL;
}

bool row_is_held(const struct tree *t, const struct plan_unit *row)
{
	const struct plan_unit *old = plan_find(t->plan, row->name);
	uint32_t first, n, i = 0;

	if (old)
		return t->units[old->index]->held;
	/* One more, or one less, of what an operator stopped as a whole. */
	if (!plan_find_all(t->plan, row->stem ? row->stem : row->name, &first, &n))
		return false;
	while (i < n && t->units[first + i]->held)
		i++;
	return n > 0 && i == n;
}

static void outlook_want(struct outlook *o, uint32_t row, uint8_t how)
{
	if (o->wanted[row])
		return;
	o->wanted[row] = how;
	o->rest[o->n_rest++] = row;
}

/* Wanted by itself: what is only there for another has to be required anew. `begins`: its group does, and what boots in it. */
static bool row_is_wanted(struct outlook *o, const struct plan_unit *row, bool begins)
{
	const struct unit *u = unit_of_row(o->t, row);
	bool booted;

	if (row_is_held(o->t, row))
		return false;
	if (!u || !row->enabled)
		return row_boots(row);
	/* Nor is what was only waited with, for somebody who comes, meant to run by itself. */
	if (row->activate == PLAN_MANUAL && (wish_is_lent(u) || wish_rests_on_demand(u)))
		return false;
	booted = !begins && row_boots(plan_find(o->t->plan, row->name));
	return u->wanted || (row_boots(row) && !booted);
}

/* By itself: nothing starts in it any more. */
static bool group_has_ended(const struct unit *group)
{
	return group && (group->state == UNIT_FAILED || group->state == UNIT_DONE);
}

static bool unit_runs(const struct unit *u)
{
	bool runs = wish_holds(u);

	for (u = u->parent; runs && u; u = u->parent)
		runs = wish_holds(u) && !group_has_ended(u);
	return runs;
}

static void outlook_pull_one(struct outlook *o, uint32_t index)
{
	const struct plan_unit *row = plan_unit(o->plan, index);

	if (row->enabled && !row_is_held(o->t, row))
		outlook_want(o, index, REQUIRED);
}

/* The wish of a unit in a group that does not run is one for when it does, and pulls nobody in before; so is that of one on
 * demand. */
static bool row_pulls(struct outlook *o, const struct plan_unit *row)
{
	const struct unit *u = unit_of_row(o->t, row);
	const struct unit *group = row->parent == PLAN_NONE
		? NULL
		: unit_of_row(o->t, plan_unit(o->plan, row->parent));

	if (row->activate == PLAN_ON_DEMAND && !(u && u->child.fiber))
		return false;
	return !group || group->group_open || !unit_runs(group);
}

/* Who gave way to another does so still, for those that were there. */
static bool row_pulls_in(struct outlook *o, const struct plan_unit *row, uint32_t need)
{
	const struct unit *other = unit_of_row(o->t, plan_unit(o->plan, need));

	return !other || !other->gave_way || !unit_of_row(o->t, row);
}

/* Whoever is in a group that is wanted is wanted by its own row. */
static void outlook_open(struct outlook *o, const struct plan_unit *group)
{
	const struct unit *u = unit_of_row(o->t, group);
	uint32_t child = group->first_child;

	if (group_has_ended(u))
		return;
	for (; child != PLAN_NONE; child = plan_unit(o->plan, child)->next_sibling)
		if (row_is_wanted(o, plan_unit(o->plan, child), u && !unit_runs(u)))
			outlook_want(o, child, WANTED);
}

/* What a wanted unit requires is wanted too, with the groups around. */
static void outlook_pull(struct outlook *o)
{
	while (o->n_rest > 0) {
		uint32_t index = o->rest[--o->n_rest];
		const struct plan_unit *row = plan_unit(o->plan, index);

		for (uint32_t i = 0; i < row->n_needs && row_pulls(o, row); i++)
			if (row->needs[i].required && row_pulls_in(o, row, row->needs[i].unit))
				outlook_pull_one(o, row->needs[i].unit);
		if (o->wanted[index] == REQUIRED && row->parent != PLAN_NONE)
			outlook_pull_one(o, row->parent);
		outlook_open(o, row);
	}
}

static void outlook_done(struct outlook *o)
{
	free(o->wanted);
	free(o->rest);
}

static int outlook_make(struct outlook *o, struct tree *t, struct plan *plan)
{
	uint32_t n = plan_n_units(plan);

	*o = (struct outlook){
		.t = t, .plan = plan, .wanted = calloc(n, 1), .rest = calloc(n, sizeof(uint32_t))};
	if (!o->wanted || !o->rest) {
		outlook_done(o);
		return -ENOMEM;
	}
	if (row_is_wanted(o, plan_unit(plan, 0), false))
		outlook_want(o, 0, WANTED);
	outlook_pull(o);
	/* And not in a group that does not run. Parents come first. */
	for (uint32_t i = 1; i < n; i++) {
		const struct plan_unit *group = plan_unit(plan, plan_unit(plan, i)->parent);

		if (!o->wanted[group->index] || group_has_ended(unit_of_row(t, group)))
			o->wanted[i] = UNWANTED;
	}
	return 0;
}

/* It waits for its moment, or for somebody: another program is for its next run. One on demand that has failed is put back to
 * waiting by it. */
static bool unit_rests_on(const struct unit *u, const struct plan_unit *row)
{
	return !u->child.fiber && row_waits(row) &&
		!(row->activate == PLAN_ON_DEMAND && u->state == UNIT_FAILED);
}

/* It has waited so, and does not any more. */
static bool unit_is_let_go(const struct unit *u, const struct plan_unit *row)
{
	return !u->child.fiber && u->clock && !row_waits(row) && u->state == UNIT_WAITING;
}

static enum plan_action action_for(
	const struct outlook *o, const struct unit *u, uint32_t index, enum plan_action action)
{
	const struct plan_unit *row = plan_unit(o->plan, index);
	bool runs = u && unit_runs(u), will = o->wanted[index];

	if (runs != will)
		return will ? PLAN_DO_START : PLAN_DO_STOP;
	if (will && u && unit_is_let_go(u, row))
		return PLAN_DO_START;
	if (action == PLAN_DO_RESTART && will && unit_rests_on(u, row))
		return PLAN_DO_LIVE;
	return will || action == PLAN_DO_NOTHING ? action : PLAN_DO_LIVE;
}

struct merging {
	struct plan_change *changes; /* with room for one for each row */
	uint32_t n;
	struct plan_change *from, *end; /* the difference, in the order of the rows from here on */
};

/* What vanishes, and what waits for effd's next start, is as the difference says. */
static void merge_head(struct merging *m)
{
	while (m->from < m->end && (m->from->after == PLAN_NONE || m->from->action == PLAN_DO_EFFD))
		m->changes[m->n++] = *m->from++;
}

static int merge_row(struct merging *m, struct outlook *o, uint32_t row)
{
	struct unit *u = unit_of_row(o->t, plan_unit(o->plan, row));
	struct plan_change change = {.unit = plan_unit(o->plan, row)->name,
		.before = u ? unit_index(u) : PLAN_NONE,
		.after = row};
	bool differs = m->from < m->end && m->from->after == row;

	if (differs)
		change = *m->from++;
	change.action = action_for(o, u, row, change.action);
	if (change.action == PLAN_DO_NOTHING)
		return 0;
	if (!differs)
		change.fields = calloc(1, sizeof(*change.fields));
	if (!change.fields)
		return -ENOMEM;
	m->changes[m->n++] = change;
	return 0;
}

/* The difference, with the wishes in it. Takes `changes`. */
static int changes_merge(struct outlook *o, struct plan_change **changes, uint32_t *n_changes)
{
	struct merging m = {.from = *changes, .end = *changes + *n_changes};
	int r = 0;

	m.changes = calloc(*n_changes + plan_n_units(o->plan), sizeof(*m.changes));
	if (!m.changes)
		return -ENOMEM;
	merge_head(&m);
	for (uint32_t i = 0; i < plan_n_units(o->plan) && r == 0; i++)
		r = merge_row(&m, o, i);
	/* What was not reached is still the old array's to free. */
	while (m.from < m.end)
		free(m.from++->fields);
	free(*changes);
	*changes = m.changes;
	*n_changes = m.n;
	return r;
}

int tree_plan(struct tree *t, struct plan *plan, struct plan_change **ret_changes, uint32_t *ret_n)
{
	struct plan_change *changes = NULL;
	struct outlook o;
	uint32_t n = 0;
	int r = outlook_make(&o, t, plan);

	if (r < 0)
		return r;
	r = plan_diff(t->plan, t->lasting, plan, &changes, &n);
	if (r == 0)
		r = changes_merge(&o, &changes, &n);
	outlook_done(&o);
	if (r < 0) {
		plan_changes_free(changes, n);
		return r;
	}
	*ret_changes = changes;
	*ret_n = n;
	return 0;
}

static uint64_t hash_values(uint64_t hash, const struct plan_value *values, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		hash = hash_bytes(hash, &values[i].field, sizeof(values[i].field));
		hash = hash_text(hash, values[i].text);
	}
	return hash;
}

/* All that the plan says: the rows in their order, the values that were given, and what came out of env_files; effd's own too. What
 * changed between two plans may be the same list of fields. */
static uint64_t hash_plan(uint64_t hash, const struct plan *plan)
{
	const struct plan_daemon *daemon = plan_daemon(plan);

	hash = hash_values(hash, daemon->values, daemon->n_values);
	for (uint32_t i = 0; i < plan_n_units(plan); i++) {
		const struct plan_unit *row = plan_unit(plan, i);

		hash = hash_text(hash, row->name);
		hash = hash_values(hash, row->values, row->n_values);
		for (plan_strv v = row->environment; v && *v; v++)
			hash = hash_text(hash, *v);
	}
	return hash;
}

void tree_plan_id(const struct tree *t, const struct plan *plan,
	const struct plan_change *changes, uint32_t n, char ret_id[static 32])
{
	uint64_t hash = HASH_EMPTY;

	hash = hash_bytes(hash, &t->generation, sizeof(t->generation));
	hash = hash_bytes(hash, &t->wishes, sizeof(t->wishes));
	hash = hash_plan(hash, plan);
	for (uint32_t i = 0; i < n; i++) {
		hash = hash_text(hash, changes[i].unit);
		hash = hash_bytes(hash, &changes[i].action, sizeof(changes[i].action));
	}
	(void)snprintf(ret_id, 32, "%016llx", (unsigned long long)hash);
}
