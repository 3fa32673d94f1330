/* SPDX-License-Identifier: MIT */
/* Fiber locals: one table, shared by reference between a fiber and those that it forked, and copied by whoever sets
 * something while others see it too. So a fork costs a count, and a value is found among few. */
#include <stdlib.h>
#include <string.h>

#include <eff/local.h>

#include "internal.h"

struct slot {
	const struct eff_local *local;
	void *value;
};

struct eff__locals {
	size_t n_refs; /* fibers */
	size_t n;
	struct slot slots[];
};

struct eff__locals *eff__locals_ref(struct eff__locals *locals)
{
	locals->n_refs++;
	return locals;
}

void eff__locals_unref(struct eff__locals *locals)
{
	if (!--locals->n_refs)
		free(locals);
}

static struct slot *find(struct eff__locals *locals, const struct eff_local *local)
{
	for (size_t i = 0; locals && i < locals->n; i++)
		if (locals->slots[i].local == local)
			return &locals->slots[i];
	return NULL;
}

void *eff_local_get(const struct eff_local *local)
{
	const struct eff_fiber *self = eff_self();
	const struct slot *slot = self ? find(self->locals, local) : NULL;

	return slot ? slot->value : local->initial;
}

/* A table for `fiber` alone, with one slot more; NULL: out of memory. */
static struct eff__locals *locals_own(struct eff_fiber *fiber)
{
	const struct eff__locals *old = fiber->locals;
	size_t n = old ? old->n : 0;
	struct eff__locals *own = malloc(sizeof(*own) + (n + 1) * sizeof(own->slots[0]));

	if (!own)
		return NULL;
	own->n_refs = 1;
	own->n = n;
	if (n)
		memcpy(own->slots, old->slots, n * sizeof(old->slots[0]));
	if (old)
		eff__locals_unref(fiber->locals);
	fiber->locals = own;
	return own;
}

int eff_local_set(const struct eff_local *local, void *value)
{
	struct eff_fiber *self = eff__in_fiber("eff_local_set");
	struct slot *slot = find(self->locals, local);

	if (!slot || self->locals->n_refs > 1) {
		struct eff__locals *own = locals_own(self);

		if (!own)
			return -ENOMEM;
		slot = find(own, local);
		if (!slot)
			slot = &own->slots[own->n++];
	}
	*slot = (struct slot){local, value};
	return 0;
}
