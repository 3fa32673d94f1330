/* SPDX-License-Identifier: MIT */
/* Lists and mappings as canonical text, and mappings as flat pairs. Both walk the nodes with a stack of their own, which
 * cannot overflow: a tree is at most TREE_MAX_DEPTH deep. */
#include <string.h>

#include "plan/value.h"

struct level {
	struct node *next;
	bool is_map, begun;
};

void canonical_add(struct text *text, const char *item)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./@%+*?=-";

	if (item[0] && strspn(item, plain) == strlen(item)) {
		text_add(text, item);
		return;
	}
	text_add(text, "\"");
	for (; *item; item++) {
		if (*item == '"' || *item == '\\')
			text_add(text, "\\");
		if (*item == '\n')
			text_add(text, "\\n");
		else
			text_add_bytes(text, item, 1);
	}
	text_add(text, "\"");
}

static const char *scalar_text(struct value *value, struct node *node)
{
	const char *filled = value->as_written ? node->text : value_fill(value, node);

	return filled && value->builtin ? builtin_text(value, node, filled) : filled;
}

static bool scalar_add(struct value *value, struct node *node)
{
	const char *filled = node_is_null(node) ? "null" : scalar_text(value, node);

	if (!filled)
		return false;
	canonical_add(&value->text, filled);
	return true;
}

static void level_open(struct value *value, struct level *level, struct node *node)
{
	*level = (struct level){.next = node->first, .is_map = node->kind == NODE_MAP};
	text_add(&value->text, level->is_map ? "{" : "[");
}

bool canonical_node(struct value *value, struct node *node)
{
	struct level levels[TREE_MAX_DEPTH + 1];
	uint32_t depth = 0;
	bool good = true;

	if (node->kind == NODE_SCALAR)
		return scalar_add(value, node);
	level_open(value, &levels[depth++], node);
	while (depth > 0) {
		struct level *level = &levels[depth - 1];
		struct node *child = level->next;

		if (!child) {
			text_add(&value->text, level->is_map ? "}" : "]");
			depth--;
			continue;
		}
		text_add(&value->text, level->begun ? ", " : "");
		level->begun = true;
		level->next = child->next;
		if (level->is_map) {
			canonical_add(&value->text, child->key);
			text_add(&value->text, ": ");
		}
		if (child->kind == NODE_SCALAR)
			good &= scalar_add(value, child);
		else if (depth <= TREE_MAX_DEPTH)
			level_open(value, &levels[depth++], child);
	}
	return good;
}

struct prefix {
	struct node *next;
	bool is_map;
	const char *text; /* "a.b." */
	uint32_t index;   /* within a list */
};

struct pairs {
	struct value *value;
	struct plan_pair *items;
	uint32_t n;
	struct prefix levels[TREE_MAX_DEPTH + 1];
	uint32_t depth;
};

/* Mappings and lists give their prefix to what is in them; an empty one leaves nothing. */
static bool pair_take(struct pairs *pairs, struct node *node)
{
	struct load *load = pairs->value->load;
	struct prefix *level = &pairs->levels[pairs->depth - 1];
	char *name;

	if (level->is_map)
		name = arena_printf(load->arena, "%s%s", level->text, node->key);
	else
		name = arena_printf(load->arena, "%s%u", level->text, level->index++);
	if (!name) {
		load->failed = true;
		return false;
	}
	if (node->kind == NODE_SCALAR) {
		pairs->items[pairs->n].name = name;
		pairs->items[pairs->n].value = scalar_text(pairs->value, node);
		return pairs->items[pairs->n++].value;
	}
	name = arena_printf(load->arena, "%s.", name);
	if (!name)
		load->failed = true;
	if (name && pairs->depth <= TREE_MAX_DEPTH)
		pairs->levels[pairs->depth++] = (struct prefix){
			.next = node->first, .text = name, .is_map = node->kind == NODE_MAP};
	return name;
}

const struct plan_pair *pairs_of(struct value *value, struct node *map, uint32_t *ret_n)
{
	struct pairs *pairs = scratch_alloc(value->load, sizeof(*pairs));
	bool good = true;

	if (!pairs)
		return NULL;
	pairs->value = value;
	pairs->items = keep_alloc(value->load, map->weight * sizeof(*pairs->items));
	if (!pairs->items)
		return NULL;
	pairs->levels[pairs->depth++] = (struct prefix){
		.next = map->first, .is_map = true, .text = ""};
	while (pairs->depth > 0) {
		struct prefix *level = &pairs->levels[pairs->depth - 1];
		struct node *child = level->next;

		if (!child) {
			pairs->depth--;
			continue;
		}
		level->next = child->next;
		good &= pair_take(pairs, child);
	}
	*ret_n = pairs->n;
	return good ? pairs->items : NULL;
}
