/* SPDX-License-Identifier: MIT */
/* Who waits in vain? One unit waits for several at a time, a group for what waits in it, and each of those for others: if one of
 * all these does not come, none does. They are gone through side by side, each once in a look, so that a look at many units costs no
 * more than there are units and edges. */
#include <stdlib.h>

#include "base/alloc.h"
#include "control/methods.h"

void hope_begin(struct hope *hope, struct tree *t)
{
	*hope = (struct hope){.tree = t, .mark = tree_mark(t)};
}

void hope_end(struct hope *hope)
{
	free(hope->todo);
	hope->todo = NULL;
}

static struct unit *hopeless_need(const struct unit *u)
{
	for (uint32_t i = 0; i < u->n_needs; i++) {
		const struct unit_need *edge = &u->needs[i];

		if (edge->need->required && !need_can_hold(edge->need, edge->unit) &&
			unit_rests(edge->unit))
			return edge->unit;
	}
	return NULL;
}

/* A group is up when nothing has to happen with its children any more: does it wait for this one? */
static bool group_waits_for(const struct unit *u)
{
	return u->wanted && !u->held && u->spec->enabled && u->state == UNIT_WAITING;
}

/* What is in a group that does not run yet comes with that; the outermost of these groups. */
static struct unit *with_group(struct unit *u)
{
	while (state_rests(u->state) && u->parent && !u->parent->group_open)
		u = u->parent;
	return u;
}

static bool is_starting_group(const struct unit *u)
{
	return u->state == UNIT_STARTING && u->spec->kind == PLAN_SUPERVISOR;
}

/* It is to be gone through, unless it was in this hope. */
static void hope_add(struct hope *hope, struct unit *u)
{
	u = with_group(u);
	if (u->in_set == hope->mark || hope->n == hope->room)
		return;
	u->in_set = hope->mark;
	hope->todo[hope->n++] = u;
}

static void hope_add_within(struct hope *hope, const struct unit *group)
{
	const struct tree *t = hope->tree;
	uint32_t first = tree_index(t, group->name);

	for (uint32_t i = first; first != UINT32_MAX && i < plan_unit(t->plan, first)->end; i++)
		if (group_waits_for(t->units[i]))
			hope_add(hope, t->units[i]);
}

/* All that it waits for, now and when its turn has come. */
static void hope_add_awaited(struct hope *hope, const struct unit *u)
{
	uint32_t at = 0;

	for (struct unit *other = unit_first_awaited(u); other; other = unit_unmet_from(u, &at))
		hope_add(hope, other);
}

/* What holds this one back by itself; NULL: nothing, and all that it waits for is to be gone through. */
static struct unit *hope_at(struct hope *hope, const struct unit *u)
{
	struct unit *other = NULL;

	if (unit_is_leaving(u))
		return NULL;
	if (is_starting_group(u)) {
		hope_add_within(hope, u);
	} else if (u->state == UNIT_WAITING) {
		other = hopeless_need(u);
		hope_add_awaited(hope, u);
	}
	return other;
}

static bool hope_make_room(struct hope *hope)
{
	if (hope->todo)
		return true;
	hope->room = hope->tree->n_units;
	hope->todo = alloc_new(hope->room * sizeof(struct unit *));
	return hope->todo;
}

struct unit *unit_hopeless_for(struct hope *hope, struct unit *u)
{
	struct unit *first = with_group(u), *hopeless = NULL;

	if ((first->state != UNIT_WAITING && !is_starting_group(first)) || !hope_make_room(hope))
		return NULL;
	hope->n = 0;
	hope_add(hope, first);
	for (uint32_t i = 0; i < hope->n && !hopeless; i++)
		hopeless = hope_at(hope, hope->todo[i]);
	hope->n_seen += hope->n;
	/* Of those that it went by it is not known that they can come. */
	if (hopeless)
		hope->mark = tree_mark(hope->tree);
	return hopeless;
}
