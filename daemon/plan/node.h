/* SPDX-License-Identifier: MIT */
/* What a YAML file says, as a tree of nodes with their places. Aliases and merge keys are already resolved. Nodes live in
 * the scratch arena of a load and are gone when the plan is made. */
#ifndef EFFD_PLAN_NODE_H
#define EFFD_PLAN_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/plan.h"

struct load;
struct file;

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool plain;                /* a scalar without quotes, in one line */
	bool quoted;               /* a scalar in quotes, in one line */
	bool verbatim;             /* `${` and `$$` are not special in it */
	bool open;                 /* still being read */
	uint32_t n;                /* children */
	uint32_t weight;           /* nodes of it in all */
	uint32_t width, key_width; /* characters of it in its line */
	const char *text;          /* a scalar's */
	const char *key;           /* what it is in its mapping; NULL: in a list, or the root */
	struct plan_place at, key_at;
	const char *told, *told_key; /* the code of what was said about it last: nothing is said twice */
	uint32_t told_until; /* of its variables: one behind the last that was complained of */
	struct node *first, *next;
	uint32_t unit, n_units; /* of a unit's mapping: the unit; with `replicas`, the first, and how many */
	const struct plan_batch *batch; /* of one that was added at run time */
	const struct node *index; /* the mapping whose keys are in the table of keys for this one */
};

/* Reads one file of YAML. Returns NULL when there is an error in it (which is in the diagnostics then). */
struct node *yaml_read(struct load *load, struct file *file);
/* As YAML 1.2 core has it: nothing, ~ or null without quotes. */
bool node_is_null(const struct node *node);
/* The child of that key; NULL: none. */
struct node *node_find(struct load *load, const struct node *map, const char *key);
/* Adds a child to a mapping that is being built. `tail` is where the last one's `next` is. */
void node_put(struct load *load, struct node *map, struct node ***tail, struct node *child);
struct node *node_new(struct load *load, enum node_kind kind, struct plan_place at);
struct node *node_copy(struct load *load, const struct node *node); /* shares its children */
const char *node_kind_text(const struct node *node);                /* "a mapping" */

#endif
