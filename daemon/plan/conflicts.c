/* SPDX-License-Identifier: MIT */
/* Units that never run beside each other. Each of a pair knows of the other, whoever of them said it. A pair that could
 * only break its word is an error: one that requires the other, or two that both start at boot. */
#include <stdlib.h>

#include "base/alloc.h"
#include "plan/draft.h"

/* Steps that looking for what a unit requires may take in all: beyond that a tree is believed. */
#define STEPS_MOST 2000000

struct pair {
	uint32_t from, to;
	struct node *said; /* NULL: the other way round */
};

struct pairs {
	struct load *load;
	struct pair *items;
	uint32_t n, room;
	uint32_t *reached; /* by unit: the round that came by */
	uint32_t *queue;
	uint32_t round;
	uint64_t steps;
};

static void pair_add(struct pairs *pairs, uint32_t from, uint32_t to, struct node *said)
{
	uint32_t room = pairs->room ? pairs->room * 2 : 32;
	struct pair *items;

	if (pairs->n == pairs->room) {
		items = alloc_grow(pairs->items, room * sizeof(*items));
		if (!items) {
			pairs->load->failed = true;
			return;
		}
		pairs->items = items;
		pairs->room = room;
	}
	pairs->items[pairs->n++] = (struct pair){from, to, said};
}

static void name_read(struct pairs *pairs, uint32_t unit, struct node *node)
{
	struct value value = {.load = pairs->load, .unit = pairs->load->units[unit].name};
	const char *name = value_fill(&value, node);
	struct range others = {PLAN_NONE, 0};

	if (name)
		others = reference_find(pairs->load, unit, node, name, "conflict with");
	if (others.n > 1 && !replicas_charge(pairs->load, node, others.n))
		return;
	for (; others.n > 0; others.n--, others.first++) {
		pair_add(pairs, unit, others.first, node);
		pair_add(pairs, others.first, unit, NULL);
	}
}

static void names_read(struct pairs *pairs, uint32_t unit)
{
	struct node *list = draft_node(pairs->load, unit, FIELD_CONFLICTS), *node;

	if (!list)
		return;
	if (list->kind == NODE_SCALAR)
		name_read(pairs, unit, list);
	for (node = list->first; node && !pairs->load->failed; node = node->next)
		name_read(pairs, unit, node);
}

static int by_units(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return (a->said == NULL) - (b->said == NULL);
}

/* Each unit gets its stretch of one array. */
static void lists_give(struct pairs *pairs)
{
	struct load *load = pairs->load;
	uint32_t *items = keep_alloc(load, pairs->n * sizeof(*items));
	uint32_t n = 0, i;

	if (!items)
		return;
	for (i = 0; i < pairs->n; i++) {
		const struct pair *pair = &pairs->items[i];
		struct plan_unit *unit = &load->units[pair->from];

		if (i > 0 && pair[-1].from == pair->from && pair[-1].to == pair->to)
			continue;
		if (!unit->conflicts)
			unit->conflicts = items + n;
		unit->n_conflicts++;
		items[n++] = pair->to;
	}
}

/* ── what cannot be ── */

static uint32_t reach(struct pairs *pairs, uint32_t unit, uint32_t n)
{
	if (pairs->reached[unit] == pairs->round)
		return n;
	pairs->reached[unit] = pairs->round;
	pairs->queue[n++] = unit;
	return n;
}

/* All that the first `n` of the queue require, with the supervisors around; with `boots` also what these start. */
static void spread(struct pairs *pairs, uint32_t n, bool boots)
{
	const struct plan_unit *units = pairs->load->units;
	uint32_t done, k;

	for (done = 0; done < n && pairs->steps < STEPS_MOST; done++) {
		const struct plan_unit *unit = &units[pairs->queue[done]];

		pairs->steps += 1 + unit->n_needs;
		for (k = boots ? unit->first_child : PLAN_NONE; k != PLAN_NONE;
			k = units[k].next_sibling)
			if (units[k].enabled && units[k].activate == PLAN_BOOT)
				n = reach(pairs, k, n);
		if (unit->parent != PLAN_NONE)
			n = reach(pairs, unit->parent, n);
		for (k = 0; k < unit->n_needs; k++)
			if (unit->needs[k].required)
				n = reach(pairs, unit->needs[k].unit, n);
	}
}

static void fault_pair(struct pairs *pairs, const struct pair *pair, const char *words)
{
	const struct plan_unit *units = pairs->load->units;
	struct diag *diag = fault(pairs->load, pair->said, "E306", "`%s` conflicts with `%s`%s",
		units[pair->from].name, units[pair->to].name, words);

	diag_note(pairs->load->diags, diag, units[pair->to].at, "`%s` is here",
		units[pair->to].name);
}

/* Whoever of the two said it: does one require the other? */
static void requirements_check(struct pairs *pairs)
{
	uint32_t i;

	for (i = 0; i < pairs->n && pairs->steps < STEPS_MOST; i++) {
		const struct pair *pair = &pairs->items[i];
		struct pair back = {pair->to, pair->from, pair->said};

		if (!pair->said)
			continue;
		pairs->round++;
		spread(pairs, reach(pairs, pair->from, 0), false);
		if (pairs->reached[pair->to] == pairs->round)
			fault_pair(pairs, pair, ", which it requires");
		pairs->round++;
		spread(pairs, reach(pairs, pair->to, 0), false);
		if (pairs->reached[pair->from] == pairs->round)
			fault_pair(pairs, &back, ", which it requires");
	}
}

static void boot_check(struct pairs *pairs)
{
	uint32_t i;

	pairs->round++;
	spread(pairs, reach(pairs, 0, 0), true);
	for (i = 0; i < pairs->n; i++) {
		const struct pair *pair = &pairs->items[i];

		if (pair->said && pairs->reached[pair->from] == pairs->round &&
			pairs->reached[pair->to] == pairs->round)
			fault_pair(pairs, pair, ", and both start at boot");
	}
}

void conflicts_resolve(struct load *load)
{
	struct pairs pairs = {.load = load};
	uint32_t i;

	for (i = 1; i < load->n_units && !load->failed; i++)
		names_read(&pairs, i);
	if (pairs.n == 0 || load->failed) {
		free(pairs.items);
		return;
	}
	qsort(pairs.items, pairs.n, sizeof(*pairs.items), by_units);
	lists_give(&pairs);
	pairs.reached = scratch_alloc(load, load->n_units * sizeof(*pairs.reached));
	pairs.queue = scratch_alloc(load, load->n_units * sizeof(*pairs.queue));
	if (pairs.reached && pairs.queue) {
		requirements_check(&pairs);
		boot_check(&pairs);
	}
	free(pairs.items);
}
