/* SPDX-License-Identifier: MIT */
/* A mapping of the tree, laid out by fields: one slot a row of fields.def, so that inheriting is taking the slots that a
 * unit leaves empty. Short forms are long ones here. */
#ifndef EFFD_PLAN_LAYER_H
#define EFFD_PLAN_LAYER_H

#include "plan/value.h"

struct layer {
	struct node *slots[N_FIELDS]; /* NULL: not given */
};

/* Lays out `map` for a unit of `kinds`; says what is unknown there, does not fit or does not work yet. `unit` is what
 * ${UNIT} is. */
void layer_fill(
	struct load *load, struct layer *layer, struct node *map, int kinds, const char *unit);
/* `defaults` of a supervisor: fields of any unit. */
void layer_defaults(struct load *load, struct layer *layer, struct node *map, const char *unit);
/* Fills the empty slots of `own` from `above`, as far as they fit one of `kinds`. */
void layer_inherit(struct load *load, struct layer *own, const struct layer *above, int kinds);

#endif
