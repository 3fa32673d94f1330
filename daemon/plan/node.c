/* SPDX-License-Identifier: MIT */
/* Nodes: making and finding them. A mapping's keys are in one table for the whole load; a copy is found by the keys of
 * the node that it is a copy of. */
#include <string.h>

#include "plan/load.h"

struct node *node_new(struct load *load, enum node_kind kind, struct plan_place at)
{
	struct node *node = scratch_alloc(load, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->at = at;
	node->width = 1;
	node->weight = 1;
	node->text = "";
	node->index = node;
	return node;
}

struct node *node_copy(struct load *load, const struct node *node)
{
	struct node *copy = scratch_alloc(load, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *node;
	copy->next = NULL;
	return copy;
}

bool node_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
		(node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
			strcmp(node->text, "null") == 0);
}

struct node *node_find(struct load *load, const struct node *map, const char *key)
{
	return map->kind == NODE_MAP ? table_get(&load->keys, map->index, key) : NULL;
}

const char *node_kind_text(const struct node *node)
{
	if (node_is_null(node))
		return "nothing";
	return node->kind == NODE_MAP     ? "a mapping"
		: node->kind == NODE_LIST ? "a list"
					  : "a text";
}
