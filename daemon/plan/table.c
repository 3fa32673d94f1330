/* SPDX-License-Identifier: MIT */
/* Open addressing with linear probing, at most three quarters full. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "plan/table.h"

static uint32_t hash_of(const void *scope, const char *name)
{
	uint64_t hash = hash_text(HASH_EMPTY ^ ((uintptr_t)scope >> 4), name);

	return (uint32_t)(hash ^ (hash >> 32));
}

void table_done(struct table *table)
{
	free(table->slots);
	*table = (struct table){0};
}

/* The slot of a name, or the free one where it belongs. The table has room. */
static struct table_slot *slot_of(
	const struct table *table, const void *scope, const char *name, uint32_t hash)
{
	struct table_slot *slot;
	uint32_t i;

	for (i = hash & (table->room - 1);; i = (i + 1) & (table->room - 1)) {
		slot = &table->slots[i];
		if (!slot->name ||
			(slot->hash == hash && slot->scope == scope && strcmp(slot->name, name) == 0))
			return slot;
	}
}

static int table_grow(struct table *table)
{
	struct table bigger = {.n = table->n, .room = table->room ? table->room * 2 : 64};
	uint32_t i;

	bigger.slots = alloc_new(bigger.room * sizeof(*bigger.slots));
	if (!bigger.slots)
		return -1;
	for (i = 0; i < table->room; i++) {
		const struct table_slot *from = &table->slots[i];

		if (from->name)
			*slot_of(&bigger, from->scope, from->name, from->hash) = *from;
	}
	free(table->slots);
	*table = bigger;
	return 0;
}

void **table_at(struct table *table, const void *scope, const char *name)
{
	uint32_t hash = hash_of(scope, name);
	struct table_slot *slot;

	if (table->n + 1 > table->room / 4 * 3 && table_grow(table) < 0)
		return NULL;
	slot = slot_of(table, scope, name, hash);
	if (!slot->name) {
		*slot = (struct table_slot){scope, name, NULL, hash};
		table->n++;
	}
	return &slot->value;
}

void *table_get(const struct table *table, const void *scope, const char *name)
{
	if (table->n == 0)
		return NULL;
	return slot_of(table, scope, name, hash_of(scope, name))->value;
}
