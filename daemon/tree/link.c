/* SPDX-License-Identifier: MIT */
/* Edges between units, and the sets that verbs act on: all that one requires, all that require one. Sets are found by
 * walking a list that grows, never by recursion: a tree may be as long as it likes. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree/internal.h"

struct edges {
	struct unit_need *needs, *needed_by;
	struct unit **after, **before, **conflicts;
	uint32_t n_needed_by;
};

/* Most units have none of most kinds. False: out of memory. */
static bool edges_of(struct unit **units, const uint32_t *rows, uint32_t n, struct unit ***ret_others)
{
	if (n == 0)
		return true;
	*ret_others = malloc(n * sizeof(**ret_others));
	for (uint32_t i = 0; *ret_others && i < n; i++)
		(*ret_others)[i] = units[rows[i]];
	return *ret_others;
}

static bool needs_room(struct unit_need **ret_needs, uint32_t n)
{
	*ret_needs = n ? malloc(n * sizeof(**ret_needs)) : NULL;
	return !n || *ret_needs;
}

static bool edges_make(struct edges *e, struct unit **units, const struct plan_unit *row)
{
	if (!edges_of(units, row->after, row->n_after, &e->after) ||
		!edges_of(units, row->before, row->n_before, &e->before) ||
		!edges_of(units, row->conflicts, row->n_conflicts, &e->conflicts) ||
		!needs_room(&e->needs, row->n_needs))
		return false;
	for (uint32_t i = 0; i < row->n_needs; i++)
		e->needs[i] = (struct unit_need){
			.need = &row->needs[i], .unit = units[row->needs[i].unit]};
	return true;
}

/* The needs of all, from their other ends: an end knows its need, and nobody has to look for it. */
static bool edges_turn(struct edges *all, struct unit **units, const struct plan *plan)
{
	uint32_t n = plan_n_units(plan);

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < plan_unit(plan, i)->n_needs; k++)
			all[plan_unit(plan, i)->needs[k].unit].n_needed_by++;
	for (uint32_t i = 0; i < n; i++) {
		if (!needs_room(&all[i].needed_by, all[i].n_needed_by))
			return false;
		all[i].n_needed_by = 0;
	}
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < plan_unit(plan, i)->n_needs; k++) {
			const struct plan_need *need = &plan_unit(plan, i)->needs[k];
			struct edges *e = &all[need->unit];

			assert(e->needed_by);
			e->needed_by[e->n_needed_by++] = (struct unit_need){
				.need = need, .unit = units[i]};
		}
	return true;
}

static void edges_free(struct edges *e)
{
	free(e->needs);
	free(e->after);
	free(e->needed_by);
	free(e->before);
	free(e->conflicts);
}

static void edges_put(struct unit *u, const struct edges *e, const struct plan_unit *row)
{
	struct edges old = {u->needs, u->needed_by, u->after, u->before, u->conflicts, 0};

	u->needs = e->needs;
	u->after = e->after;
	u->needed_by = e->needed_by;
	u->before = e->before;
	u->conflicts = e->conflicts;
	u->n_needs = row->n_needs;
	u->n_after = row->n_after;
	u->n_needed_by = e->n_needed_by;
	u->n_before = row->n_before;
	u->n_conflicts = row->n_conflicts;
	edges_free(&old);
}

int link_units(struct unit **units, const struct plan *plan)
{
	uint32_t n = plan_n_units(plan);
	struct edges *all = calloc(n, sizeof(*all));
	bool made = all;

	for (uint32_t i = 0; made && i < n; i++)
		made = edges_make(&all[i], units, plan_unit(plan, i));
	made = made && edges_turn(all, units, plan);
	for (uint32_t i = 0; all && i < n; i++) {
		if (made)
			edges_put(units[i], &all[i], plan_unit(plan, i));
		else
			edges_free(&all[i]);
	}
	free(all);
	return made ? 0 : -ENOMEM;
}

static uint32_t needs_without(struct unit_need *needs, uint32_t n, uint64_t set)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++)
		if (needs[i].unit->in_set != set)
			needs[left++] = needs[i];
	return left;
}

static uint32_t units_without(struct unit **units, uint32_t n, uint64_t set)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++)
		if (units[i]->in_set != set)
			units[left++] = units[i];
	return left;
}

void unlink_unit(struct unit *u, uint64_t set)
{
	u->n_needs = needs_without(u->needs, u->n_needs, set);
	u->n_needed_by = needs_without(u->needed_by, u->n_needed_by, set);
	u->n_after = units_without(u->after, u->n_after, set);
	u->n_before = units_without(u->before, u->n_before, set);
	u->n_conflicts = units_without(u->conflicts, u->n_conflicts, set);
	if (u->awaits && u->awaits->in_set == set)
		u->awaits = NULL;
}

uint32_t unit_index(const struct unit *u)
{
	const struct plan_unit *row = u->next ? u->next : u->spec;

	return u->removed ? PLAN_NONE : row->index;
}

uint64_t tree_mark(struct tree *t)
{
	return ++t->last_set;
}

void set_init(struct unit_set *set, struct tree *t)
{
	*set = (struct unit_set){.tree = t, .id = tree_mark(t)};
}

void set_done(struct unit_set *set)
{
	free(set->units);
}

void set_put(struct unit_set *set, struct unit *u)
{
	if (set->failed || u->removed || u->in_set == set->id)
		return;
	if (set->n == set->room) {
		uint32_t room = set->room ? set->room * 2 : 16;
		struct unit **units = realloc(set->units, room * sizeof(struct unit *));

		if (!units) {
			set->failed = true;
			return;
		}
		set->units = units;
		set->room = room;
	}
	u->in_set = set->id;
	set->units[set->n++] = u;
}

void set_put_within(struct unit_set *set, struct unit *u)
{
	const struct tree *t = set->tree;
	uint32_t first = unit_index(u);

	for (uint32_t i = first; i != PLAN_NONE && i < plan_unit(t->plan, first)->end; i++)
		set_put(set, t->units[i]);
}

void set_of_required(struct unit_set *set, struct unit *u)
{
	set_put(set, u);
	for (uint32_t i = 0; i < set->n; i++) {
		struct unit *at = set->units[i];

		for (uint32_t k = at->n_needs; k-- > 0;)
			if (at->needs[k].need->required)
				set_put(set, at->needs[k].unit);
		if (at->parent && at->parent->parent)
			set_put(set, at->parent);
	}
}

bool unit_is_within(const struct unit *u, const struct unit *group)
{
	for (; u; u = u->parent)
		if (u == group)
			return true;
	return false;
}

/* All that require `at`, or a group that it makes up, but for what is within `u`. */
static void set_put_dependants(struct unit_set *set, const struct unit *at, const struct unit *u)
{
	for (uint32_t i = 0; i < at->n_needed_by; i++) {
		struct unit *d = at->needed_by[i].unit;

		if (at->needed_by[i].need->required && !unit_is_within(d, u) &&
			!unit_is_within(u, d))
			set_put(set, d);
	}
}

/* What is in a group of the set goes with it, and is no member of its own. */
static void set_fold(struct unit_set *set)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < set->n; i++) {
		const struct unit *group = set->units[i]->parent;

		while (group && group->in_set != set->id)
			group = group->parent;
		if (!group)
			set->units[n++] = set->units[i];
	}
	set->n = n;
}

void set_of_dependants(struct unit_set *set, struct unit *u)
{
	const struct tree *t = set->tree;
	uint32_t done = 0;

	for (uint32_t i = unit_index(u);
		i != PLAN_NONE && i < plan_unit(t->plan, unit_index(u))->end; i++)
		set_put_dependants(set, t->units[i], u);
	for (; done < set->n; done++) {
		uint32_t from = unit_index(set->units[done]);

		for (uint32_t i = from; i < plan_unit(t->plan, from)->end; i++)
			set_put_dependants(set, t->units[i], u);
	}
	if (!set->failed)
		set_fold(set);
}
