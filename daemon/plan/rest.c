/* SPDX-License-Identifier: MIT */
/* rest_for_one: a failure restarts what was declared after the one that failed, for that is what may build upon it. A unit
 * that depends on a later one turns this around: it would be left alone where it had to follow. */
#include <string.h>

#include "plan/draft.h"

/* The nearest supervisor of both, and the children of it that they are, or are below. */
struct meeting {
	uint32_t supervisor, from, to;
};

static struct meeting meet(const struct plan_unit *units, uint32_t from, uint32_t to)
{
	struct meeting at = {units[to].parent, from, to};

	while (from < at.supervisor || from >= units[at.supervisor].end) {
		at.to = at.supervisor;
		at.supervisor = units[at.supervisor].parent;
	}
	while (units[at.from].parent != at.supervisor)
		at.from = units[at.from].parent;
	return at;
}

static bool is_backwards(const struct load *load, const struct edge *edge, struct meeting *ret_at)
{
	const struct plan_unit *units = load->units;

	if (edge->kind != EDGE_NEED || edge->from == 0)
		return false;
	*ret_at = meet(units, edge->from, edge->to);
	/* Replicas share one place. */
	return units[ret_at->supervisor].ways->strategy == PLAN_REST_FOR_ONE &&
		ret_at->from < ret_at->to &&
		load->drafts[ret_at->from].map != load->drafts[ret_at->to].map;
}

/* Where a walk along the edges is in what their units say: edges and names come in one order. */
struct cursor {
	uint32_t from;
	struct node *node;
};

static bool is_of(const struct node *node, const struct edge *edge)
{
	return node->key_at.line == edge->at.line && node->key_at.column == edge->at.column;
}

static struct node *need_node(const struct load *load, const struct edge *edge, struct cursor *cursor)
{
	struct node *map = draft_node(load, edge->from, FIELD_DEPENDS_ON);

	if (cursor->from != edge->from || !cursor->node)
		*cursor = (struct cursor){edge->from, map ? map->first : NULL};
	while (cursor->node && !is_of(cursor->node, edge))
		cursor->node = cursor->node->next;
	return cursor->node;
}

static void edge_tell(struct load *load, const struct edge *edge, const struct meeting *at,
	struct cursor *cursor)
{
	const struct plan_unit *from = &load->units[at->from], *to = &load->units[at->to];
	const struct plan_unit *supervisor = &load->units[at->supervisor];
	struct node *strategy = draft_node(load, at->supervisor, FIELD_STRATEGY);
	struct node *node = need_node(load, edge, cursor), name;
	struct diag *diag;

	if (!node)
		return;
	name = *node;
	name.at = node->key_at;
	name.width = node->key_width;
	diag = fault(load, &name, "E309",
		"`%s` depends on `%s`, which `%s` starts, and restarts, after it",
		load->units[edge->from].name, load->units[edge->to].name, supervisor->name);
	node->told = name.told;
	diag_note(load->diags, diag, to->at, "`%s` is declared here", to->key);
	if (strategy)
		diag_note(load->diags, diag, strategy->at, "`strategy` is here");
	diag_help(load->diags, diag,
		"move `%s` above `%s`, or say `strategy: one_for_all` if all are to go together",
		load->drafts[to->index].map->key, load->drafts[from->index].map->key);
}

void rest_check(struct load *load)
{
	struct cursor cursor = {PLAN_NONE, NULL};
	struct meeting at;
	uint32_t i;

	for (i = 0; i < load->n_edges && !load->failed; i++) {
		if (!is_backwards(load, &load->edges[i], &at))
			continue;
		load->edges[i].told = true;
		edge_tell(load, &load->edges[i], &at, &cursor);
	}
}
