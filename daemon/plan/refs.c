/* SPDX-License-Identifier: MIT */
/* What units say of each other. All orders are collected as edges in one array; sorting it gives each unit its lists, and
 * sorting it the other way their inverses. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plan/draft.h"
#include "plan/suggest.h"

static struct range others_find(struct load *load, uint32_t from, struct node *node, const char *name)
{
	return reference_find(load, from, node, name, "wait for");
}

static void edge_add(struct load *load, const struct edge *edge)
{
	uint32_t room = load->room_edges ? load->room_edges * 2 : 64;
	struct edge *edges;

	if (load->n_edges == load->room_edges) {
		edges = alloc_grow(load->edges, room * sizeof(*edges));
		if (!edges) {
			load->failed = true;
			return;
		}
		load->edges = edges;
		load->room_edges = room;
	}
	load->edges[load->n_edges++] = *edge;
}

/* One key below the name of a dependency. */
static void need_part(struct load *load, struct plan_need *need, struct node *part, const char *unit)
{
	const struct field *row = field_find(load, field_row(FIELD_DEPENDS_ON), part->key);
	struct value value = {.load = load, .field = row, .node = part, .unit = unit};
	struct diag *diag;

	if (strncmp(part->key, "x-", 2) == 0)
		return;
	if (!row) {
		diag = fault_key(
			load, part, "E201", "unknown key `%s` under `depends_on`", part->key);
		diag_help(load->diags, diag,
			"a dependency has `condition`, `required`, `restart` and `bind`");
		return;
	}
	if (node_is_null(part)) {
		advise_form(load, fault_key(load, part, "E204", "`%s` has no value", part->key),
			row);
		return;
	}
	value.to = (char *)need + row->offset;
	(void)value_read(&value);
	value_done(&value);
}

/* Whether what a dependency waits for can ever be. One that does not start itself need not be able to. */
static void need_check(struct load *load, uint32_t from, const struct plan_need *need,
	struct node *node, struct node *condition)
{
	static const char *const names[] = {
		"started", "ready", "completed", "completed_successfully"};
	const struct plan_unit *other = &load->units[need->unit];
	struct diag *diag = NULL;

	if (need->condition >= PLAN_COMPLETED && other->restart == PLAN_ALWAYS)
		diag = fault(load, condition ? condition : node, "E304",
			"`%s` is restarted always, so it is never `%s`", other->name,
			names[need->condition]);
	else if (need->condition >= PLAN_COMPLETED && other->activate == PLAN_ON_DEMAND)
		diag = fault(load, condition ? condition : node, "E304",
			"`%s` is on demand, and waits again after its end: it is never `%s`",
			other->name, names[need->condition]);
	else if (need->required && !other->enabled && load->units[from].enabled)
		diag = fault(load, node, "E304",
			"`%s` is not enabled, so what requires it never starts", other->name);
	diag_note(load->diags, diag, other->at, "`%s` is here", other->name);
}

/* What a name under depends_on says of all that it stands for. */
static bool need_read(struct load *load, uint32_t from, struct node *node, struct plan_need *need)
{
	struct node name = *node, *part, *condition = node_find(load, node, "condition");
	const struct plan_unit *other;
	struct range found;

	/* A complaint about the name is about the key. */
	name.at = node->key_at;
	name.width = node->key_width;
	if (node->kind == NODE_LIST || (node->kind == NODE_SCALAR && !node_is_null(node))) {
		(void)fault(load, node, "E204",
			"a dependency is a name, or a mapping {condition, required, restart, bind}");
		return false;
	}
	found = others_find(load, from, &name, node->key);
	node->told = name.told;
	if (found.first == PLAN_NONE)
		return false;
	/* Of a unit with no replicas there is nothing to wait for, but what is said of it is read. */
	other = &load->units[found.n ? found.first : from];
	need->unit = found.first;
	need->all_of = other->replica && !strchr(node->key, '@') ? found.first : PLAN_NONE;
	need->required = true;
	need->at = node->key_at;
	need->condition = other->kind != PLAN_SUPERVISOR && other->type == PLAN_ONESHOT &&
			other->activate != PLAN_ON_DEMAND
		? PLAN_COMPLETED_SUCCESSFULLY
		: PLAN_READY;
	for (part = node->first; part; part = part->next)
		need_part(load, need, part, load->units[from].name);
	if (found.n > 0)
		need_check(load, from, need, &name, condition);
	return found.n > 0;
}

static bool is_ignored(const struct node *node)
{
	return strncmp(node->key, "x-", 2) == 0;
}

/* How many units all these names stand for. */
static uint32_t needs_count(struct load *load, uint32_t from, struct node *map)
{
	struct node *node;
	uint32_t n = 0;

	for (node = map->first; node && !load->failed; node = node->next)
		if (!is_ignored(node))
			n += units_find(load, from, node->key).n;
	if (n <= map->n || replicas_charge(load, map, n))
		return n;
	return 0;
}

static void need_add(struct load *load, uint32_t from, struct plan_need *needs, struct plan_need need)
{
	struct plan_unit *unit = &load->units[from];

	needs[unit->n_needs++] = need;
	edge_add(load,
		&(struct edge){.from = from,
			.to = need.unit,
			.kind = EDGE_NEED,
			.until_started = need.condition == PLAN_STARTED,
			.at = need.at});
}

static void needs_resolve(struct load *load, uint32_t from, struct node *map)
{
	struct plan_unit *unit = &load->units[from];
	uint32_t room = needs_count(load, from, map);
	struct plan_need *needs = keep_alloc(load, room * sizeof(*needs)), need;
	struct node *node;

	unit->needs = needs;
	for (node = map->first; node && !load->failed; node = node->next) {
		uint32_t n = is_ignored(node) ? 0 : units_find(load, from, node->key).n;

		need = (struct plan_need){0};
		if (is_ignored(node) || !need_read(load, from, node, &need))
			continue;
		for (; n > 0 && unit->n_needs < room && !load->failed; n--, need.unit++)
			need_add(load, from, needs, need);
	}
}

static void order_one(struct load *load, uint32_t unit, struct node *node, enum edge_kind kind)
{
	struct value value = {.load = load, .unit = load->units[unit].name};
	const char *name = value_fill(&value, node);
	struct range others = name ? others_find(load, unit, node, name)
				   : (struct range){PLAN_NONE, 0};
	struct edge edge = {.from = unit, .to = unit, .kind = kind, .at = node->at};

	if (others.n > 1 && !replicas_charge(load, node, others.n))
		return;
	for (; others.n > 0 && !load->failed; others.n--, others.first++) {
		if (kind == EDGE_BEFORE)
			edge.from = others.first;
		else
			edge.to = others.first;
		edge_add(load, &edge);
	}
}

static void order_resolve(struct load *load, uint32_t unit, struct node *list, enum edge_kind kind)
{
	struct node *node;

	if (!list)
		return;
	if (list->kind == NODE_SCALAR)
		order_one(load, unit, list, kind);
	for (node = list->first; node && !load->failed; node = node->next)
		order_one(load, unit, node, kind);
}

/* Replicas share a place. For cycles it is enough that each of them waits for the first of the place before. */
static void sequence_resolve(struct load *load, const struct plan_unit *supervisor)
{
	struct edge edge = {.kind = EDGE_SEQUENCE, .to = PLAN_NONE};
	uint32_t child = supervisor->first_child, place = PLAN_NONE;

	for (; child != PLAN_NONE && !load->failed; child = load->units[child].next_sibling) {
		if (load->units[child].replica <= 1) {
			edge.to = place;
			place = child;
		}
		edge.from = child;
		edge.at = load->units[child].at;
		if (edge.to != PLAN_NONE)
			edge_add(load, &edge);
	}
}

void unit_unknown(struct load *load, struct node *node, const char *name)
{
	struct diag *diag = fault(load, node, "E316", "there is no unit `%s`", name);
	struct nearest nearest = {.wanted = name};
	uint32_t i;

	for (i = 1; i < load->n_units; i++)
		nearest_offer(&nearest, load->units[i].name);
	if (nearest.best)
		diag_help(load->diags, diag, "did you mean `%s`?", nearest.best);
}

static void exit_code_resolve(struct load *load)
{
	struct node *node = load->exit_code_from;
	struct value value = {.load = load, .unit = "/"};
	const char *name = node && node->kind == NODE_SCALAR ? value_fill(&value, node) : NULL;
	struct range found;

	if (!name)
		return;
	found = units_find(load, 0, name);
	if (found.first == PLAN_NONE)
		unit_unknown(load, node, name);
	else if (found.n != 1)
		diag_help(load->diags,
			fault(load, node, "E316", "`%s` stands for %u replicas", name, found.n),
			"give the name of one of them, as in `%s@1`", name);
	else if (load->units[found.first].kind == PLAN_SUPERVISOR)
		(void)fault(load, node, "E316", "`%s` is a supervisor and has no exit code", name);
	else if (reference_lasts(load, 0, node, found))
		load->daemon->exit_code_from = found.first;
}

void references_resolve(struct load *load)
{
	struct node *needs;
	uint32_t i;

	for (i = 0; i < load->n_units && !load->failed; i++) {
		needs = draft_node(load, i, FIELD_DEPENDS_ON);
		if (needs && needs->kind == NODE_MAP)
			needs_resolve(load, i, needs);
		order_resolve(load, i, draft_node(load, i, FIELD_AFTER), EDGE_AFTER);
		order_resolve(load, i, draft_node(load, i, FIELD_BEFORE), EDGE_BEFORE);
		if (load->units[i].kind == PLAN_SUPERVISOR &&
			load->units[i].ways->start_order == PLAN_SEQUENTIAL)
			sequence_resolve(load, &load->units[i]);
	}
	exit_code_resolve(load);
	signals_resolve(load);
}
