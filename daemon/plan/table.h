/* SPDX-License-Identifier: MIT */
/* A hash table of names within scopes: (scope, name) to a pointer. One table serves all mappings of a file, or all units
 * of a tree, so that nothing in loading is quadratic. Names are borrowed. */
#ifndef EFFD_PLAN_TABLE_H
#define EFFD_PLAN_TABLE_H

#include <stdint.h>

struct table_slot {
	const void *scope;
	const char *name; /* NULL: a free slot */
	void *value;
	uint32_t hash;
};

struct table { /* {0} is an empty one */
	struct table_slot *slots;
	uint32_t n, room;
};

void table_done(struct table *table);
/* Where the value for a name stands, NULL in it when it is new. NULL: out of memory. Good until the next call. */
void **table_at(struct table *table, const void *scope, const char *name);
void *table_get(const struct table *table, const void *scope, const char *name); /* NULL: none */

#endif
