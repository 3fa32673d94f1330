/* SPDX-License-Identifier: MIT */
/* From mappings to slots. Sections are walked with a stack of their own; each key is looked up once. */
#include <string.h>

#include "plan/layer.h"
#include "plan/suggest.h"

#define SECTIONS_DEEP 4

struct walk {
	struct load *load;
	struct layer *layer;
	int kinds;
	bool is_defaults;
	const char *unit;
	struct {
		struct node *next;
		const struct field *section;
	} levels[SECTIONS_DEEP];
	uint32_t depth;
};

static void walk_into(struct walk *walk, struct node *map, const struct field *section)
{
	if (walk->depth == SECTIONS_DEEP)
		return;
	walk->levels[walk->depth].next = map->first;
	walk->levels[walk->depth++].section = section;
}

static bool is_the_same_for_all(const struct node *list)
{
	const struct node *item;

	for (item = list->first; item; item = item->next)
		if (strstr(item->text, "${"))
			return false;
	return true;
}

/* `[a, b]` becomes `{a: , b: }`, so that it can be laid over another one; but once for all replicas of a unit, so that
 * nothing is said twice. */
static struct node *needs_map(struct walk *walk, struct node *list)
{
	struct value value = {.load = walk->load, .unit = walk->unit};
	void **made = table_at(&walk->load->keys, list, "");
	struct node *map, **tail, *item, *need;

	if (made && *made)
		return *made;
	map = node_new(walk->load, NODE_MAP, list->at);
	if (!map || !made) {
		walk->load->failed = true;
		return NULL;
	}
	if (is_the_same_for_all(list))
		*made = map;
	map->key = list->key;
	map->key_at = list->key_at;
	map->width = list->width;
	tail = &map->first;
	for (item = list->first; item; item = item->next) {
		if (item->kind != NODE_SCALAR || node_is_null(item)) {
			advise_form(walk->load,
				fault(walk->load, item, "E204",
					"`depends_on` needs names in its list, and this is %s",
					node_kind_text(item)),
				field_row(FIELD_DEPENDS_ON));
			continue;
		}
		need = node_new(walk->load, NODE_SCALAR, item->at);
		if (!need)
			return NULL;
		need->plain = true;
		need->width = need->key_width = item->width;
		need->key_at = item->at;
		need->key = value_fill(&value, item);
		if (need->key)
			node_put(walk->load, map, &tail, need);
	}
	return map;
}

/* A value for both halves of a limit becomes {soft: , hard: }, so that it can be laid over another one. */
static struct node *limit_map(struct walk *walk, struct node *both)
{
	struct load *load = walk->load;
	struct node *map = node_new(load, NODE_MAP, both->at), *half, **tail;

	if (!map)
		return NULL;
	map->key = both->key;
	map->key_at = both->key_at;
	map->width = both->width;
	tail = &map->first;
	for (int i = 0; i < 2; i++) {
		half = node_copy(load, both);
		if (!half)
			return NULL;
		half->key = i ? "hard" : "soft";
		node_put(load, map, &tail, half);
	}
	return map;
}

static bool is_limit(enum field_type type)
{
	return type >= TYPE_RLIMIT_COUNT && type <= TYPE_RLIMIT_TIME;
}

/* May a list be the short form of a mapping? */
static bool is_list_type(enum field_type type)
{
	return type == TYPE_COMMAND || type == TYPE_CALLS;
}

static void take_section(struct walk *walk, const struct field *field, struct node *node)
{
	struct load *load = walk->load;

	if (node->kind == NODE_MAP) {
		walk->layer->slots[field_id(field)] = node;
		walk_into(walk, node, field);
	} else if (field->short_form != FIELD_NONE &&
		(node->kind == NODE_SCALAR || is_list_type(field_row(field->short_form)->type))) {
		walk->layer->slots[field_id(field)] = node;
		walk->layer->slots[field->short_form] = node;
	} else if (node->kind != NODE_SCALAR || !foreign_key(load, node, NULL, NULL)) {
		advise_form(load,
			fault(load, node, "E204", "`%s` needs a mapping, and this is %s",
				field->face.name, node_kind_text(node)),
			field);
	}
}

static void fault_kind(struct walk *walk, const struct field *field, struct node *node)
{
	struct diag *diag;

	diag = fault_key(walk->load, node, "E218", "`%s` is not for %s", field->face.name,
		walk->is_defaults ? "`defaults`" : field_kind_text(walk->kinds));
	if (walk->kinds == ROOT && (field->kinds & ANY_UNIT))
		diag_help(walk->load->diags, diag, "give it to a unit, or to all under `defaults:`");
}

static void take_field(struct walk *walk, const struct field *field, struct node *node)
{
	struct load *load = walk->load;

	/* `null` is a word here. */
	if (node_is_null(node) && !(field->type == TYPE_TARGET && strcmp(node->text, "null") == 0))
		advise_form(load,
			fault_key(load, node, "E204", "`%s` has no value", field->face.name),
			field);
	else if (field->type == TYPE_SECTION)
		take_section(walk, field, node);
	else if (field->type == TYPE_NEEDS && node->kind == NODE_LIST)
		walk->layer->slots[field_id(field)] = needs_map(walk, node);
	else if (is_limit(field->type) && node->kind == NODE_SCALAR)
		walk->layer->slots[field_id(field)] = limit_map(walk, node);
	else
		walk->layer->slots[field_id(field)] = node;
}

static void take_key(struct walk *walk, const struct field *section, struct node *node)
{
	const struct field *field;

	if (strncmp(node->key, "x-", 2) == 0 ||
		(node->told_key && strcmp(node->told_key, "E217") == 0))
		return;
	field = field_find(walk->load, section, node->key);
	if (!field)
		key_unknown(walk->load, node, section, walk->kinds);
	else if (!(field->kinds & walk->kinds))
		fault_kind(walk, field, node);
	else
		take_field(walk, field, node);
}

static void walk_all(struct walk *walk, struct node *map)
{
	walk_into(walk, map, NULL);
	while (walk->depth > 0 && !walk->load->failed) {
		struct node *node = walk->levels[walk->depth - 1].next;
		const struct field *section = walk->levels[walk->depth - 1].section;

		if (!node) {
			walk->depth--;
			continue;
		}
		walk->levels[walk->depth - 1].next = node->next;
		take_key(walk, section, node);
	}
}

void layer_fill(struct load *load, struct layer *layer, struct node *map, int kinds, const char *unit)
{
	struct walk walk = {.load = load, .layer = layer, .kinds = kinds, .unit = unit};

	if (map->kind == NODE_MAP)
		walk_all(&walk, map);
}

void layer_defaults(struct load *load, struct layer *layer, struct node *map, const char *unit)
{
	struct walk walk = {
		.load = load, .layer = layer, .kinds = ANY_UNIT, .unit = unit, .is_defaults = true};

	if (map->kind != NODE_MAP) {
		advise_form(load,
			fault(load, map, "E204", "`defaults` needs a mapping, and this is %s",
				node_kind_text(map)),
			field_row(FIELD_DEFAULTS));
		return;
	}
	walk_all(&walk, map);
	if (layer->slots[FIELD_UNITS])
		(void)fault_key(load, layer->slots[FIELD_UNITS], "E218",
			"`units` is not for `defaults`");
	if (layer->slots[FIELD_DEFAULTS])
		(void)fault_key(load, layer->slots[FIELD_DEFAULTS], "E218",
			"`defaults` is not for `defaults`");
	if (layer->slots[FIELD_TEMPLATE])
		(void)fault_key(load, layer->slots[FIELD_TEMPLATE], "E218",
			"`template` is not for `defaults`");
	layer->slots[FIELD_UNITS] = NULL;
	layer->slots[FIELD_DEFAULTS] = NULL;
	layer->slots[FIELD_TEMPLATE] = NULL;
}

struct merge {
	struct node *result, *base, *over;
	struct merge *next;
};

/* One level of laying `over` upon `base`; pairs of mappings within are left for later. */
static void merge_level(struct load *load, struct merge *merge, struct merge **rest)
{
	struct node **tail = &merge->result->first, *child, *over, *copy;
	struct merge *below;

	for (child = merge->base->first; child; child = child->next) {
		over = node_find(load, merge->over, child->key);
		copy = node_copy(load, over ? over : child);
		if (!copy)
			return;
		if (over && over->kind == NODE_MAP && child->kind == NODE_MAP) {
			below = scratch_alloc(load, sizeof(*below));
			if (!below)
				return;
			copy->first = NULL;
			copy->index = copy;
			copy->n = 0;
			*below = (struct merge){copy, child, over, *rest};
			*rest = below;
			copy->weight = child->weight + over->weight;
		}
		node_put(load, merge->result, &tail, copy);
	}
	for (child = merge->over->first; child; child = child->next) {
		if (node_find(load, merge->base, child->key))
			continue;
		copy = node_copy(load, child);
		if (copy)
			node_put(load, merge->result, &tail, copy);
	}
}

static bool share(struct load *load, struct node *node, uint64_t nodes)
{
	load->shared_nodes += nodes;
	if (load->shared_nodes <= SHARED_MAX_NODES)
		return true;
	(void)fault(load, node, "E105", "`defaults` make this tree too large");
	return false;
}

static struct node *merge_maps(struct load *load, struct node *base, struct node *over)
{
	struct node *result = node_copy(load, over);
	struct merge first = {result, base, over, NULL}, *rest = &first, *merge;

	if (!result || !share(load, base, over->weight))
		return over;
	result->first = NULL;
	result->index = result;
	result->n = 0;
	result->weight = 1;
	while (rest && !load->failed) {
		merge = rest;
		rest = merge->next;
		merge_level(load, merge, &rest);
	}
	return result;
}

static bool is_map_type(enum field_type type)
{
	return type == TYPE_LABELS || type == TYPE_ENVIRONMENT || type == TYPE_NEEDS ||
		type == TYPE_WITH || is_limit(type);
}

/* Some fields are ways of saying one thing: with its own, a unit leaves the others to those above. */
static bool says_it_another_way(const struct layer *own, enum field_id id)
{
	static const enum field_id probes[] = {FIELD_STARTUP, FIELD_READINESS, FIELD_LIVENESS};
	static const enum field_id ways[][2] = {{FIELD_COMMAND, FIELD_SHELL},
		{FIELD_FIBER_BUILTIN, FIELD_FIBER_MODULE}, {FIELD_FIBER_BUILTIN, FIELD_FIBER_ENTRY},
		{FIELD_RELOAD_SIGNAL, FIELD_RELOAD_COMMAND},
		{FIELD_SCHEDULE_EVERY, FIELD_SCHEDULE_CRON}};
	static const int kinds[] = {PROBE_EXEC, PROBE_TCP, PROBE_UNIX, PROBE_HTTP, PROBE_LOG,
		PROBE_FILE, PROBE_KINDS_END};
	size_t i, k;
	int row;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if ((id == ways[i][0] && own->slots[ways[i][1]]) ||
			(id == ways[i][1] && own->slots[ways[i][0]]))
			return true;
	for (i = 0; i < 3; i++) {
		if (id < probes[i] + (enum field_id)PROBE_EXEC ||
			id >= probes[i] + (enum field_id)PROBE_KINDS_END)
			continue;
		row = (int)(id - probes[i]);
		for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]) - 1; k++)
			if (own->slots[(int)probes[i] + kinds[k]] &&
				(row < kinds[k] || row >= kinds[k + 1]))
				return true;
	}
	return false;
}

void layer_inherit(struct load *load, struct layer *own, const struct layer *above, int kinds)
{
	struct layer *given = load->given;
	enum field_id id;

	if (!given)
		given = load->given = scratch_alloc(load, sizeof(*given));
	if (!given)
		return;
	*given = *own;
	for (id = 0; id < N_FIELDS && !load->failed; id++) {
		const struct field *row = field_row(id);
		struct node *base = above->slots[id], *over = own->slots[id];

		if (!base || !(row->kinds & kinds) || !share(load, base, base->weight))
			continue;
		if (!over && !says_it_another_way(given, id))
			own->slots[id] = base;
		else if (over && is_map_type(row->type) && base->kind == NODE_MAP &&
			over->kind == NODE_MAP)
			own->slots[id] = merge_maps(load, base, over);
	}
}
