/* SPDX-License-Identifier: MIT */
/* Names become units. A name is looked up among siblings, then upwards, then from the root; a path goes down from where
 * its first part is found. All orders are collected as edges in one array; sorting it gives each unit its lists, and
 * sorting it the other way their inverses. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plan/draft.h"

static uint32_t unit_of(const struct node *node)
{
	return node ? node->unit : PLAN_NONE;
}

static uint32_t child_find(const struct load *load, uint32_t above, const char *name, size_t len)
{
	char key[64];

	if (len >= sizeof(key))
		return PLAN_NONE;
	memcpy(key, name, len);
	key[len] = '\0';
	return unit_of(table_get(&load->names, load->drafts[above].map, key));
}

static uint32_t path_find(const struct load *load, uint32_t above, const char *path)
{
	size_t len;

	do {
		len = strcspn(path, "/");
		above = child_find(load, above, path, len);
		path += len;
	} while (above != PLAN_NONE && *path++ == '/');
	return above;
}

static uint32_t unit_find(const struct load *load, uint32_t from, const char *name)
{
	uint32_t above = load->units[from].parent, found;

	if (strcmp(name, "/") == 0)
		return 0;
	if (name[0] == '/')
		return path_find(load, 0, name + 1);
	for (; above != PLAN_NONE; above = load->units[above].parent) {
		found = path_find(load, above, name);
		if (found != PLAN_NONE)
			return found;
	}
	return PLAN_NONE;
}

static void fault_unknown(struct load *load, uint32_t from, struct node *node, const char *name)
{
	const struct plan_unit *unit = &load->units[from];
	struct nearest nearest = {.wanted = name};
	const char *last = strrchr(name, '/');
	uint32_t i, other;
	struct diag *diag;

	diag = fault(load, node, "E301", "there is no unit `%s`", name);
	if (!diag || !load_may_suggest(load))
		return;
	other = unit_of(table_get(&load->names, NULL, last ? last + 1 : name));
	if (other != PLAN_NONE) {
		diag_help(load->diags, diag, "did you mean `%s`?", load->units[other].name);
		return;
	}
	for (i = unit->parent == PLAN_NONE ? PLAN_NONE : load->units[unit->parent].first_child;
		i != PLAN_NONE; i = load->units[i].next_sibling)
		if (i != from)
			nearest_offer(&nearest, load->units[i].key);
	if (nearest.best)
		diag_help(load->diags, diag, "did you mean `%s`?", nearest.best);
}

uint32_t reference_find(
	struct load *load, uint32_t from, struct node *node, const char *name, const char *verb)
{
	const struct plan_unit *unit = &load->units[from], *other;
	uint32_t index = unit_find(load, from, name);
	const char *what = NULL;

	if (index == PLAN_NONE) {
		fault_unknown(load, from, node, name);
		return PLAN_NONE;
	}
	other = &load->units[index];
	if (index == from)
		what = "itself";
	else if (index < from && from < other->end)
		what = "a supervisor above it";
	else if (from < index && index < unit->end)
		what = "a unit below it";
	if (!what)
		return index;
	(void)fault(load, node, "E303", "`%s` cannot %s %s: `%s`", unit->name, verb, what,
		other->name);
	return PLAN_NONE;
}

static uint32_t other_find(struct load *load, uint32_t from, struct node *node, const char *name)
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
		(void)fault_key(load, part, "E204", "`%s` has no value", part->key);
		return;
	}
	value.to = (char *)need + row->offset;
	(void)value_read(&value);
	value_done(&value);
}

/* Whether what a dependency waits for can ever be. */
static void need_check(struct load *load, const struct plan_need *need, struct node *node,
	struct node *condition)
{
	static const char *const names[] = {
		"started", "ready", "completed", "completed_successfully"};
	const struct plan_unit *other = &load->units[need->unit];
	struct diag *diag = NULL;

	if (need->condition >= PLAN_COMPLETED && other->restart == PLAN_ALWAYS)
		diag = fault(load, condition ? condition : node, "E304",
			"`%s` is restarted always, so it is never `%s`", other->name,
			names[need->condition]);
	else if (need->required && !other->enabled)
		diag = fault(load, node, "E304",
			"`%s` is not enabled, so what requires it never starts", other->name);
	diag_note(load->diags, diag, other->at, "`%s` is here", other->name);
}

static bool need_read(struct load *load, uint32_t from, struct node *node, struct plan_need *need)
{
	struct node name = *node, *part, *condition = node_find(load, node, "condition");
	const struct plan_unit *other;

	/* A complaint about the name is about the key. */
	name.at = node->key_at;
	name.width = node->key_width;
	if (node->kind == NODE_LIST || (node->kind == NODE_SCALAR && !node_is_null(node))) {
		(void)fault(load, node, "E204",
			"a dependency is a name, or a mapping {condition, required, restart, bind}");
		return false;
	}
	need->unit = other_find(load, from, &name, node->key);
	node->told = name.told;
	if (need->unit == PLAN_NONE)
		return false;
	other = &load->units[need->unit];
	need->required = true;
	need->at = node->key_at;
	need->condition = other->kind != PLAN_SUPERVISOR && other->type == PLAN_ONESHOT
		? PLAN_COMPLETED_SUCCESSFULLY
		: PLAN_READY;
	for (part = node->first; part; part = part->next)
		need_part(load, need, part, load->units[from].name);
	need_check(load, need, &name, condition);
	return true;
}

static void needs_resolve(struct load *load, uint32_t from, struct node *map)
{
	struct plan_unit *unit = &load->units[from];
	struct plan_need *needs = keep_alloc(load, map->n * sizeof(*needs));
	struct edge edge = {.from = from, .kind = EDGE_NEED};
	struct node *node;

	unit->needs = needs;
	for (node = map->first; node && !load->failed; node = node->next) {
		struct plan_need *need = &needs[unit->n_needs];

		if (strncmp(node->key, "x-", 2) == 0 || !need_read(load, from, node, need))
			continue;
		unit->n_needs++;
		edge.to = need->unit;
		edge.at = need->at;
		edge.until_started = need->condition == PLAN_STARTED;
		edge_add(load, &edge);
	}
}

static void order_one(struct load *load, uint32_t unit, struct node *node, enum edge_kind kind)
{
	struct value value = {.load = load, .unit = load->units[unit].name};
	const char *name = value_fill(&value, node);
	uint32_t other = name ? other_find(load, unit, node, name) : PLAN_NONE;
	struct edge edge = {.from = unit, .to = other, .kind = kind, .at = node->at};

	if (other == PLAN_NONE)
		return;
	if (kind == EDGE_BEFORE) {
		edge.from = other;
		edge.to = unit;
	}
	edge_add(load, &edge);
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

static void sequence_resolve(struct load *load, const struct plan_unit *supervisor)
{
	struct edge edge = {.kind = EDGE_SEQUENCE};
	uint32_t child = supervisor->first_child;

	for (; child != PLAN_NONE && !load->failed; child = edge.from) {
		edge.from = load->units[child].next_sibling;
		edge.to = child;
		if (edge.from == PLAN_NONE)
			return;
		edge.at = load->units[edge.from].at;
		edge_add(load, &edge);
	}
}

static void exit_code_resolve(struct load *load)
{
	struct node *node = load->exit_code_from;
	struct value value = {.load = load, .unit = "/"};
	const char *name = node && node->kind == NODE_SCALAR ? value_fill(&value, node) : NULL;
	struct nearest nearest = {.wanted = name};
	struct diag *diag;
	uint32_t index;

	if (!name)
		return;
	index = path_find(load, 0, name[0] == '/' ? name + 1 : name);
	if (index != PLAN_NONE && load->units[index].kind != PLAN_SUPERVISOR) {
		load->daemon->exit_code_from = index;
		return;
	}
	diag = fault(load, node, "E316",
		index == PLAN_NONE ? "there is no unit `%s`"
				   : "`%s` is a supervisor and has no exit code",
		name);
	for (index = index == PLAN_NONE ? 1 : load->n_units; index < load->n_units; index++)
		nearest_offer(&nearest, load->units[index].name);
	if (nearest.best)
		diag_help(load->diags, diag, "did you mean `%s`?", nearest.best);
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
			load->units[i].start_order == PLAN_SEQUENTIAL)
			sequence_resolve(load, &load->units[i]);
	}
	exit_code_resolve(load);
}
