/* SPDX-License-Identifier: MIT */
/* Who waits for whom, as a graph. A unit is two vertices: its beginning and its being up. It is up after it began; it begins
 * after its supervisor did and after all that it waits for is up; a supervisor is up after its units are. Stops are the
 * mirror image. */
#ifndef EFFD_PLAN_GRAPH_H
#define EFFD_PLAN_GRAPH_H

#include "plan/draft.h"

struct arc {
	uint32_t to;
	const struct edge *edge; /* NULL: by the build of the tree */
};

struct vertex {
	uint32_t arcs, n_arcs; /* its stretch of the arcs */
	uint32_t next;         /* how many of them were followed */
	uint32_t order, low;   /* Tarjan's; 0: not met */
	uint32_t part;         /* the part it belongs to; 0: none yet */
	uint32_t from;         /* searching: the vertex before, and by which arc */
	const struct arc *by;
	uint32_t search; /* the search it was met in */
};

struct graph {
	struct load *load;
	struct vertex *vertices;
	uint32_t n;
	struct arc *arcs;
	uint32_t n_arcs;
	uint32_t *stack, *path;
	uint32_t n_stack, n_path, n_orders, n_parts;
	bool counting; /* the first of two passes over all arcs */
};

static inline uint32_t begins(uint32_t unit)
{
	return 2 * unit;
}

static inline uint32_t is_up(uint32_t unit)
{
	return 2 * unit + 1;
}

/* All of a tree, its vertices in their parts: in a part of more than one all wait for each other, and what a part waits for
 * is in parts of lower numbers. An edge that was complained of is left out. False: out of memory, noted. The memory is the
 * load's. */
bool graph_make(struct graph *graph);

/* Whether a stop of the whole tree may take longer than it has; of a graph without cycles. */
void stops_check(const struct graph *graph);

#endif
