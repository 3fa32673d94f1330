/* SPDX-License-Identifier: MIT */
/* The graph of waiting, and its parts: Tarjan's algorithm, with a stack of its own. */
#include "plan/graph.h"

static void arc_add(struct graph *graph, uint32_t from, uint32_t to, const struct edge *edge)
{
	struct vertex *vertex = &graph->vertices[from];

	if (!graph->counting)
		graph->arcs[vertex->arcs + vertex->n_arcs] = (struct arc){to, edge};
	vertex->n_arcs++;
}

static void arcs_pass(struct graph *graph)
{
	const struct load *load = graph->load;
	uint32_t i;

	for (i = 0; i < load->n_units; i++) {
		const struct plan_unit *unit = &load->units[i];

		arc_add(graph, is_up(i), begins(i), NULL);
		if (unit->parent == PLAN_NONE)
			continue;
		arc_add(graph, begins(i), begins(unit->parent), NULL);
		/* Nobody waits for a unit that is not meant to start by itself. */
		if (unit->enabled && unit->activate == PLAN_BOOT)
			arc_add(graph, is_up(unit->parent), is_up(i), NULL);
	}
	for (i = 0; i < load->n_edges; i++) {
		const struct edge *edge = &load->edges[i];

		if (!edge->told)
			arc_add(graph, begins(edge->from),
				edge->until_started ? begins(edge->to) : is_up(edge->to), edge);
	}
}

static bool graph_build(struct graph *graph)
{
	struct load *load = graph->load;
	uint32_t i, at = 0;

	graph->n = 2 * load->n_units;
	graph->vertices = scratch_alloc(load, graph->n * sizeof(*graph->vertices));
	graph->stack = scratch_alloc(load, graph->n * sizeof(*graph->stack));
	graph->path = scratch_alloc(load, graph->n * sizeof(*graph->path));
	if (load->failed)
		return false;
	graph->counting = true;
	arcs_pass(graph);
	for (i = 0; i < graph->n; i++) {
		graph->vertices[i].arcs = at;
		at += graph->vertices[i].n_arcs;
		graph->vertices[i].n_arcs = 0;
	}
	graph->n_arcs = at;
	graph->arcs = scratch_alloc(load, at * sizeof(*graph->arcs));
	if (load->failed)
		return false;
	graph->counting = false;
	arcs_pass(graph);
	return true;
}

static void vertex_enter(struct graph *graph, uint32_t v)
{
	graph->vertices[v].order = graph->vertices[v].low = ++graph->n_orders;
	graph->stack[graph->n_stack++] = v;
	graph->path[graph->n_path++] = v;
}

static void low_take(struct vertex *vertex, uint32_t low)
{
	if (low < vertex->low)
		vertex->low = low;
}

/* All that was met since `v` and reaches back to it is one part. */
static void vertex_leave(struct graph *graph, uint32_t v)
{
	struct vertex *vertex = &graph->vertices[v];
	uint32_t w;

	graph->n_path--;
	if (graph->n_path > 0)
		low_take(&graph->vertices[graph->path[graph->n_path - 1]], vertex->low);
	if (vertex->low != vertex->order)
		return;
	graph->n_parts++;
	do {
		w = graph->stack[--graph->n_stack];
		graph->vertices[w].part = graph->n_parts;
	} while (w != v);
}

/* Follows one arc from the end of the path. */
static void vertex_step(struct graph *graph)
{
	uint32_t v = graph->path[graph->n_path - 1], to;
	struct vertex *vertex = &graph->vertices[v];

	if (vertex->next == vertex->n_arcs) {
		vertex_leave(graph, v);
		return;
	}
	to = graph->arcs[vertex->arcs + vertex->next++].to;
	if (!graph->vertices[to].order)
		vertex_enter(graph, to);
	else if (!graph->vertices[to].part)
		low_take(vertex, graph->vertices[to].order);
}

static void parts_find(struct graph *graph)
{
	uint32_t i;

	for (i = 0; i < graph->n; i++) {
		if (!graph->vertices[i].order)
			vertex_enter(graph, i);
		while (graph->n_path > 0)
			vertex_step(graph);
	}
}

bool graph_make(struct graph *graph)
{
	if (!graph_build(graph))
		return false;
	parts_find(graph);
	return true;
}
