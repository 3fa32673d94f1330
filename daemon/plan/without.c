/* SPDX-License-Identifier: MIT */
/* A plan without some of another's units: the rows that stay, counted anew, with the lists that name rows by their number.
 * All else they share with the plan that they come from, which stays as long. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "plan/draft.h"
#include "plan/sealed.h"

struct shrinking {
	const struct plan *from;
	struct arena *arena;
	const uint32_t *rows; /* by row before: the row now, or PLAN_NONE */
	const uint32_t *ends; /* by row before: how many stay of those before it */
	bool failed;
};

/* The rows of a list that stay. */
static const uint32_t *list_of(struct shrinking *s, const uint32_t *list, uint32_t *n)
{
	uint32_t *stay, n_stay = 0;

	if (*n == 0)
		return NULL;
	stay = arena_alloc(s->arena, *n * sizeof(*stay));
	if (!stay) {
		s->failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < *n; i++)
		if (s->rows[list[i]] != PLAN_NONE)
			stay[n_stay++] = s->rows[list[i]];
	*n = n_stay;
	return n_stay ? stay : NULL;
}

static const struct plan_need *needs_of(
	struct shrinking *s, const struct plan_need *needs, uint32_t *n)
{
	struct plan_need *stay;
	uint32_t n_stay = 0;

	if (*n == 0)
		return NULL;
	stay = arena_alloc(s->arena, *n * sizeof(*stay));
	if (!stay) {
		s->failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < *n; i++) {
		if (s->rows[needs[i].unit] == PLAN_NONE)
			continue;
		stay[n_stay] = needs[i];
		if (needs[i].all_of != PLAN_NONE)
			stay[n_stay].all_of = s->rows[needs[i].all_of];
		stay[n_stay++].unit = s->rows[needs[i].unit];
	}
	*n = n_stay;
	return stay;
}

/* The first of a row and its further siblings that stays. */
static uint32_t first_of(const struct shrinking *s, uint32_t row)
{
	while (row != PLAN_NONE && s->rows[row] == PLAN_NONE)
		row = s->from->units[row].next_sibling;
	return row == PLAN_NONE ? PLAN_NONE : s->rows[row];
}

static void row_shrink(struct shrinking *s, struct plan_unit *unit)
{
	uint32_t child;

	unit->n_children = 0;
	for (child = unit->first_child; child != PLAN_NONE; child = s->from->units[child].next_sibling)
		unit->n_children += s->rows[child] != PLAN_NONE;
	unit->index = s->rows[unit->index];
	if (unit->parent != PLAN_NONE)
		unit->parent = s->rows[unit->parent];
	unit->next_sibling = first_of(s, unit->next_sibling);
	unit->first_child = first_of(s, unit->first_child);
	unit->end = s->ends[unit->end];
	unit->needs = needs_of(s, unit->needs, &unit->n_needs);
	unit->after = list_of(s, unit->after, &unit->n_after);
	unit->needed_by = list_of(s, unit->needed_by, &unit->n_needed_by);
	unit->before = list_of(s, unit->before, &unit->n_before);
	unit->named_by = list_of(s, unit->named_by, &unit->n_named_by);
	unit->conflicts = list_of(s, unit->conflicts, &unit->n_conflicts);
}

static bool rows_shrink(struct shrinking *s, struct plan *plan)
{
	struct plan_unit *units = arena_alloc(plan->arena, plan->n_units * sizeof(*units));

	if (!units)
		return false;
	for (uint32_t i = 0; i < s->from->n_units && !s->failed; i++) {
		if (s->rows[i] == PLAN_NONE)
			continue;
		units[s->rows[i]] = s->from->units[i];
		row_shrink(s, &units[s->rows[i]]);
	}
	plan->units = units;
	return !s->failed;
}

/* What the names of replicas stand for now. What was added goes with the last of it; what stands in the tree is known, be
 * there none of it. */
static bool stems_shrink(const struct shrinking *s, struct plan *plan)
{
	const struct table *stems = &s->from->stems;

	for (uint32_t i = 0; i < stems->room; i++) {
		const struct range *all = stems->slots[i].name ? stems->slots[i].value : NULL;
		struct range *left;
		void **at;

		if (!all || (all->n > 0 && s->ends[all->first + all->n] == s->ends[all->first]))
			continue;
		left = arena_alloc(plan->arena, sizeof(*left));
		at = left ? table_at(&plan->stems, NULL, stems->slots[i].name) : NULL;
		if (!at)
			return false;
		*left = (struct range){s->ends[all->first],
			s->ends[all->first + all->n] - s->ends[all->first]};
		*at = left;
	}
	return true;
}

/* Whoever is below one that goes, goes too. Returns how many stay. */
static uint32_t rows_count(const struct plan *from, const bool *gone, uint32_t *rows, uint32_t *ends)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < from->n_units; i++) {
		uint32_t parent = from->units[i].parent;
		bool goes = gone[i] || (parent != PLAN_NONE && rows[parent] == PLAN_NONE);

		ends[i] = n;
		rows[i] = goes ? PLAN_NONE : n++;
	}
	ends[from->n_units] = n;
	return n;
}

static bool plan_shrink(struct plan *plan, const struct plan *from, const bool *gone)
{
	uint32_t *rows = arena_alloc(plan->arena, from->n_units * sizeof(*rows));
	uint32_t *ends = arena_alloc(plan->arena, (from->n_units + 1) * sizeof(*ends));
	struct shrinking s = {.from = from, .arena = plan->arena, .rows = rows, .ends = ends};

	if (!rows || !ends)
		return false;
	plan->n_units = rows_count(from, gone, rows, ends);
	plan->name = from->name;
	plan->files = from->files;
	plan->absent = from->absent;
	plan->record = from->record;
	plan->read_at = from->read_at;
	*plan->daemon = *from->daemon;
	if (plan->daemon->exit_code_from != PLAN_NONE)
		plan->daemon->exit_code_from = rows[plan->daemon->exit_code_from];
	return rows_shrink(&s, plan) && stems_shrink(&s, plan) && plan_index(plan);
}

int plan_without(struct plan *plan, const bool *gone, struct plan **ret_plan)
{
	struct plan *less = plan_new();

	if (!less)
		return -ENOMEM;
	less->base = plan_ref(plan->base ? plan->base : plan);
	if (!plan_shrink(less, plan, gone)) {
		plan_unref(less);
		return -ENOMEM;
	}
	*ret_plan = less;
	return 0;
}
