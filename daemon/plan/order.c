/* SPDX-License-Identifier: MIT */
/* The lists of units that each unit has: whom it starts after, who starts after it, who needs it. Each is one array of the
 * whole tree, counted out by unit, in which every unit has its stretch. */
#include "plan/draft.h"

enum order { ORDER_AFTER, ORDER_BEFORE, ORDER_NEEDED_BY };

/* Whether an edge belongs to a list, whose it is, and what it adds to it. */
static bool edge_in(
	const struct edge *edge, enum order order, uint32_t *ret_owner, uint32_t *ret_other)
{
	/* A sequence is its supervisor's to keep. */
	if (edge->kind == EDGE_SEQUENCE || (edge->kind == EDGE_NEED) != (order == ORDER_NEEDED_BY))
		return false;
	*ret_owner = order == ORDER_AFTER ? edge->from : edge->to;
	*ret_other = order == ORDER_AFTER ? edge->to : edge->from;
	return true;
}

static void list_give(struct plan_unit *unit, enum order order, const uint32_t *items, uint32_t n)
{
	if (order == ORDER_AFTER) {
		unit->after = items;
		unit->n_after = n;
	} else if (order == ORDER_BEFORE) {
		unit->before = items;
		unit->n_before = n;
	} else {
		unit->needed_by = items;
		unit->n_needed_by = n;
	}
}

static void order_make(struct load *load, enum order order)
{
	uint32_t *ends = scratch_alloc(load, (load->n_units + 1) * sizeof(*ends));
	uint32_t *last = scratch_alloc(load, load->n_units * sizeof(*last));
	uint32_t *items = keep_alloc(load, load->n_edges * sizeof(*items));
	uint32_t i, owner, other, at = 0;

	if (!ends || !last || !items)
		return;
	for (i = 0; i < load->n_edges; i++)
		if (edge_in(&load->edges[i], order, &owner, &other))
			ends[owner + 1]++;
	for (i = 0; i < load->n_units; i++)
		ends[i + 1] += ends[i];
	/* From here on ends[u] is how far the stretch of u is filled. */
	for (i = 0; i < load->n_edges; i++)
		if (edge_in(&load->edges[i], order, &owner, &other))
			items[ends[owner]++] = other;
	for (i = 0; i < load->n_units; i++) {
		uint32_t begin = at, n = 0;

		/* `after: [a]` here and `before: [b]` there may say the same thing: `last` knows who has it. */
		for (; at < ends[i]; at++)
			if (last[items[at]] != i + 1) {
				last[items[at]] = i + 1;
				items[begin + n++] = items[at];
			}
		list_give(&load->units[i], order, n ? items + begin : NULL, n);
	}
}

void orders_make(struct load *load)
{
	order_make(load, ORDER_AFTER);
	order_make(load, ORDER_BEFORE);
	order_make(load, ORDER_NEEDED_BY);
}
