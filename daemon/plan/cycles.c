/* SPDX-License-Identifier: MIT */
/* Cycles of waiting. A unit is two nodes: its beginning and its being up. It is up after it began; it begins after its
 * supervisor did and after all that it waits for is up; a supervisor is up after its units are. Tarjan's algorithm finds
 * the parts of that graph in which all wait for each other, with a stack of its own; of each one cycle is told, the
 * shortest that has the first edge (in the file) in it. */
#include <string.h>

#include "plan/draft.h"

#define NOTES_MAX 20

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

static uint32_t begins(uint32_t unit)
{
	return 2 * unit;
}

static uint32_t is_up(uint32_t unit)
{
	return 2 * unit + 1;
}

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

		arc_add(graph, begins(edge->from),
			edge->until_started ? begins(edge->to) : is_up(edge->to), edge);
	}
}

static bool graph_make(struct graph *graph)
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

/* The shortest way from `from` to `to` within their part; each vertex on it then knows the one before. */
static bool way_find(struct graph *graph, uint32_t from, uint32_t to)
{
	uint32_t part = graph->vertices[from].part, head = 0, n = 0, v, i;

	graph->stack[n++] = from;
	graph->vertices[from].search = part;
	while (head < n && graph->vertices[to].search != part) {
		v = graph->stack[head++];
		for (i = 0; i < graph->vertices[v].n_arcs; i++) {
			const struct arc *arc = &graph->arcs[graph->vertices[v].arcs + i];
			struct vertex *next = &graph->vertices[arc->to];

			if (next->part != part || next->search == part)
				continue;
			next->search = part;
			next->from = v;
			next->by = arc;
			graph->stack[n++] = arc->to;
		}
	}
	return graph->vertices[to].search == part;
}

static void name_add(const struct load *load, struct text *text, uint32_t unit, uint32_t *last)
{
	if (*last == unit)
		return;
	text_printf(text, "%s%s", text->len ? " -> " : "", load->units[unit].name);
	*last = unit;
}

static void arc_note(struct load *load, struct diag *diag, uint32_t from, const struct arc *arc)
{
	const char *a = load->units[from / 2].name, *b = load->units[arc->to / 2].name;
	const struct edge *edge = arc->edge;

	if (from / 2 == arc->to / 2 || !diag || diag->n_notes >= NOTES_MAX)
		return;
	if (!edge && load->units[arc->to / 2].parent == from / 2)
		diag_note(load->diags, diag, load->units[arc->to / 2].at, "%s is up when %s is",
			a, b);
	else if (!edge)
		diag_note(load->diags, diag, load->units[from / 2].at,
			"%s begins after %s, its supervisor", a, b);
	else if (edge->kind == EDGE_SEQUENCE)
		diag_note(load->diags, diag, edge->at,
			"%s starts after %s by `start_order: sequential`", a, b);
	else if (edge->kind == EDGE_NEED)
		diag_note(load->diags, diag, edge->at, "%s depends on %s", a, b);
	else
		diag_note(load->diags, diag, edge->at, "%s starts after %s", a, b);
}

/* Tells the cycle that `edge` closes. The way back was found from its end, so it is put in order first. */
static void cycle_tell(struct graph *graph, const struct edge *edge, uint32_t end)
{
	struct load *load = graph->load;
	uint32_t n = 0, v, begin = begins(edge->from), last = PLAN_NONE, i;
	bool all_needs = edge->kind == EDGE_NEED;
	struct text names = {0};
	struct diag *diag;

	for (v = begin; v != end; v = graph->vertices[v].from)
		graph->path[n++] = v;
	name_add(load, &names, edge->from, &last);
	name_add(load, &names, edge->to, &last);
	for (i = n; i-- > 0;) {
		const struct edge *by = graph->vertices[graph->path[i]].by->edge;

		name_add(load, &names, graph->path[i] / 2, &last);
		all_needs &= !by || by->kind == EDGE_NEED;
	}
	if (names.failed)
		load->failed = true;
	diag = fault_at(load, edge->at, all_needs ? "E302" : "E305", "%s: %s",
		all_needs ? "dependency cycle" : "these can never start",
		names.bytes ? names.bytes : "");
	text_done(&names);
	for (i = n; i-- > 0;)
		arc_note(load, diag, graph->vertices[graph->path[i]].from,
			graph->vertices[graph->path[i]].by);
}

static bool place_before(const struct plan_place *a, const struct plan_place *b)
{
	int r = a->file && b->file ? strcmp(a->file, b->file) : 0;

	if (r)
		return r < 0;
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void cycles_check(struct load *load)
{
	struct graph graph = {.load = load};
	const struct edge **first;
	uint32_t i, part, end;

	if (!graph_make(&graph))
		return;
	parts_find(&graph);
	first = scratch_alloc(load, (graph.n_parts + 1) * sizeof(const struct edge *));
	if (!first)
		return;
	for (i = 0; i < load->n_edges; i++) {
		const struct edge *edge = &load->edges[i];

		end = edge->until_started ? begins(edge->to) : is_up(edge->to);
		part = graph.vertices[begins(edge->from)].part;
		if (part == graph.vertices[end].part &&
			(!first[part] || place_before(&edge->at, &first[part]->at)))
			first[part] = edge;
	}
	for (part = 1; part <= graph.n_parts && !load->failed; part++) {
		if (!first[part])
			continue;
		end = first[part]->until_started ? begins(first[part]->to) : is_up(first[part]->to);
		if (way_find(&graph, end, begins(first[part]->from)))
			cycle_tell(&graph, first[part], end);
	}
}
