/* SPDX-License-Identifier: MIT */
/* How long a stop of the whole tree may take: each unit stops when all that wait for it are gone, so the times along the
 * longest way through the graph of waiting add up. When that is more than `shutdown_timeout`, those at its end are killed
 * though each of them has the time it needs. */
#include <string.h>

#include "plan/graph.h"

#define NOTES_MAX 20

/* The longest way that begins at a vertex. */
struct way {
	eff_ns total_ns;
	uint32_t next; /* the vertex after it; PLAN_NONE */
};

/* One without an end is told by itself, and is no part of a sum. */
static eff_ns own_ns(const struct load *load, uint32_t vertex)
{
	const struct plan_unit *unit = &load->units[vertex / 2];

	if (vertex != begins(unit->index) || unit->kind == PLAN_SUPERVISOR || !unit->enabled ||
		unit->ways->stop.timeout_ns == PLAN_FOREVER)
		return 0;
	return unit->ways->stop.timeout_ns;
}

static bool has_ended(const struct load *load, uint32_t vertex)
{
	const struct plan_unit *unit = &load->units[vertex / 2];

	return vertex == is_up(unit->index) && unit->kind != PLAN_SUPERVISOR &&
		unit->type == PLAN_ONESHOT;
}

static void way_make(const struct graph *graph, struct way *ways, uint32_t v)
{
	const struct vertex *vertex = &graph->vertices[v];
	struct way way = {0, PLAN_NONE};
	uint32_t i;

	for (i = 0; i < vertex->n_arcs; i++) {
		uint32_t to = graph->arcs[vertex->arcs + i].to;

		if (ways[to].total_ns > way.total_ns)
			way = (struct way){ways[to].total_ns, to};
	}
	/* Who waited for a oneshot runs when there is nothing of it to stop any more. */
	if (has_ended(graph->load, v)) {
		way = ways[v - 1];
		way.total_ns -= own_ns(graph->load, v - 1);
	}
	way.total_ns = eff_ns_add(way.total_ns, own_ns(graph->load, v));
	ways[v] = way;
}

/* Of the timeouts that somebody wrote the longest; NULL: nobody wrote any. */
static struct node *longest_written(const struct load *load, const struct way *ways, uint32_t v)
{
	struct node *longest = NULL, *node;
	eff_ns most = -1;

	for (; v != PLAN_NONE; v = ways[v].next) {
		node = own_ns(load, v) ? draft_node(load, v / 2, FIELD_STOP_TIMEOUT) : NULL;
		if (!node || own_ns(load, v) <= most)
			continue;
		most = own_ns(load, v);
		longest = node;
	}
	return longest;
}

static void way_note(struct load *load, struct diag *diag, const struct way *ways, uint32_t v)
{
	uint32_t n = 0;
	char buf[32];

	for (; v != PLAN_NONE && n < NOTES_MAX; v = ways[v].next) {
		const struct plan_unit *unit = &load->units[v / 2];
		struct node *node = draft_node(load, unit->index, FIELD_STOP_TIMEOUT);

		if (!own_ns(load, v))
			continue;
		n++;
		diag_note(load->diags, diag, node ? node->at : unit->at, "%s`%s` has %s%s",
			n > 1 ? "then " : "", unit->name, duration_text(own_ns(load, v), buf),
			node ? "" : ", as nothing else was said");
	}
}

static void way_tell(struct load *load, const struct way *ways, uint32_t v)
{
	struct node *bound = daemon_node(load, FIELD_DAEMON_SHUTDOWN_TIMEOUT);
	struct node *at = bound ? bound : longest_written(load, ways, v);
	char sum[32], limit[32];
	struct diag *diag;

	/* Where all is as by default, nobody has thought of these times, and most stops take none. */
	if (!at)
		return;
	(void)duration_text(ways[v].total_ns, sum);
	(void)duration_text(load->daemon->shutdown_timeout_ns, limit);
	diag = fault(load, at, "W402",
		"these stop one after the other, which may take %s: `shutdown_timeout` is %s",
		sum, limit);
	diag_help(load->diags, diag,
		"give `daemon.shutdown_timeout` %s, or some of them a shorter `stop.timeout`", sum);
	way_note(load, diag, ways, v);
}

void stops_check(const struct graph *graph)
{
	struct load *load = graph->load;
	struct way *ways = scratch_alloc(load, graph->n * sizeof(*ways));
	uint32_t *order = scratch_alloc(load, (graph->n + 1) * sizeof(*order));
	uint32_t i, longest = 0;

	if (!ways || !order)
		return;
	/* Each part is one vertex, and what that waits for has a lower number. */
	for (i = 0; i < graph->n; i++)
		order[graph->vertices[i].part] = i;
	for (i = 1; i <= graph->n_parts; i++) {
		way_make(graph, ways, order[i]);
		if (ways[order[i]].total_ns > ways[longest].total_ns)
			longest = order[i];
	}
	if (ways[longest].total_ns > load->daemon->shutdown_timeout_ns)
		way_tell(load, ways, longest);
}
