/* SPDX-License-Identifier: MIT */
/* Cycles of waiting: of each part of the graph in which all wait for each other one cycle is told, the shortest that has the
 * first edge (in the file) in it. */
#include <string.h>

#include "plan/graph.h"

#define NOTES_MAX 20

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
	bool found = false;

	if (!graph_make(&graph))
		return;
	first = scratch_alloc(load, (graph.n_parts + 1) * sizeof(const struct edge *));
	if (!first)
		return;
	for (i = 0; i < load->n_edges; i++) {
		const struct edge *edge = &load->edges[i];

		if (edge->told)
			continue;
		end = edge->until_started ? begins(edge->to) : is_up(edge->to);
		part = graph.vertices[begins(edge->from)].part;
		if (part == graph.vertices[end].part &&
			(!first[part] || place_before(&edge->at, &first[part]->at)))
			first[part] = edge;
	}
	for (part = 1; part <= graph.n_parts && !load->failed; part++) {
		if (!first[part])
			continue;
		found = true;
		end = first[part]->until_started ? begins(first[part]->to) : is_up(first[part]->to);
		if (way_find(&graph, end, begins(first[part]->from)))
			cycle_tell(&graph, first[part], end);
	}
	if (!found)
		stops_check(&graph);
}
