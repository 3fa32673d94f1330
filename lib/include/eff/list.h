/* SPDX-License-Identifier: MIT */
/* A circular doubly linked list whose nodes live in what they link. A node that is in no list points to itself. */
#ifndef EFF_LIST_H
#define EFF_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct eff_list {
	struct eff_list *next, *prev;
};

#define eff_container(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void eff_list_init(struct eff_list *l)
{
	l->next = l->prev = l;
}

static inline bool eff_list_empty(const struct eff_list *l)
{
	return l->next == l;
}

static inline void eff_list_append(struct eff_list *l, struct eff_list *node)
{
	node->prev = l->prev;
	node->next = l;
	l->prev->next = node;
	l->prev = node;
}

static inline void eff_list_prepend(struct eff_list *l, struct eff_list *node)
{
	eff_list_append(l->next, node);
}

/* Taking out a node that is in no list does nothing. */
static inline void eff_list_remove(struct eff_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	eff_list_init(node);
}

/* The first node, taken out; NULL when there is none. */
static inline struct eff_list *eff_list_pop(struct eff_list *l)
{
	struct eff_list *node = l->next;

	if (node == l)
		return NULL;
	eff_list_remove(node);
	return node;
}

#endif
