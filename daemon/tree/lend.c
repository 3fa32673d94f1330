/* SPDX-License-Identifier: MIT */
/* Who runs only because another requires it: a manual unit that no operator started. It stops after the last that requires it,
 * or what is in it. */
#include "tree/internal.h"

/* Does its wish hold, and those of the groups around it? */
static bool wish_stands(const struct unit *u)
{
	while (u->parent && wish_holds(u))
		u = u->parent;
	return wish_holds(u);
}

static bool is_required_outside(const struct unit *inner, const struct unit *u)
{
	for (uint32_t i = 0; i < inner->n_needed_by; i++)
		if (inner->needed_by[i].need->required && wish_stands(inner->needed_by[i].unit) &&
			!unit_is_within(inner->needed_by[i].unit, u))
			return true;
	return false;
}

static uint32_t end_within(const struct tree *t, const struct unit *u)
{
	uint32_t first = unit_index(u);

	return first == PLAN_NONE ? 0 : plan_unit(t->plan, first)->end;
}

/* Whoever requires what is in a group requires the group around it. */
static bool wish_is_for_another(const struct unit *u)
{
	const struct tree *t = tree_of(u);
	uint32_t end = end_within(t, u);

	for (uint32_t i = unit_index(u); i < end; i++)
		if (is_required_outside(t->units[i], u))
			return true;
	return false;
}

/* It, or for a group something in it, was started by hand, and is wanted still. */
static bool wish_is_by_hand(const struct unit *u)
{
	const struct tree *t = tree_of(u);
	uint32_t end = end_within(t, u);

	if (u->by_operator)
		return true;
	for (uint32_t i = unit_index(u); i < end; i++)
		if (t->units[i]->by_operator && wish_holds(t->units[i]))
			return true;
	return false;
}

bool wish_is_pulled(const struct unit *u)
{
	for (uint32_t i = 0; i < u->n_needed_by; i++)
		if (u->needed_by[i].need->required && wish_may_act(u->needed_by[i].unit) &&
			!wish_rests_on_demand(u->needed_by[i].unit))
			return true;
	return false;
}

/* Nobody's hand has started it. */
static bool may_be_lent(const struct unit *u)
{
	return u->wanted && u->spec->activate == PLAN_MANUAL && !wish_is_by_hand(u);
}

bool wish_is_lent(const struct unit *u)
{
	return may_be_lent(u) && wish_is_for_another(u);
}

/* End it if it was there only for others, and none of them wants it any more. Returns whether that is so. */
static bool end_for_nobody(struct unit *u, struct cause *because)
{
	struct cause *why;

	if (!may_be_lent(u) || wish_is_for_another(u))
		return false;
	why = wish_cause(
		CAUSE_DEPENDENCY, NULL, because, "nothing that is wanted requires it any more");
	wish_end(u, why);
	cause_unref(why);
	return true;
}

/* Why it was told to end, or the group around it. Borrowed. */
static struct cause *told_why(const struct unit *u)
{
	while (!u->why && u->parent)
		u = u->parent;
	return u->why;
}

void wish_release(struct tree *t, struct unit *u)
{
	struct unit_set set;

	set_init(&set, t);
	set_put_within(&set, u);
	for (uint32_t i = 0; i < set.n; i++) {
		struct unit *at = set.units[i];

		if (wish_stands(at))
			continue;
		for (uint32_t k = 0; k < at->n_needs; k++) {
			struct unit *need = at->needs[k].unit;

			/* It, and the groups that had to run for it. */
			for (; need->parent && !unit_is_within(at, need); need = need->parent)
				if (end_for_nobody(need, told_why(at)))
					set_put_within(&set, need);
		}
	}
	set_done(&set);
}

void wish_take_back(struct tree *t, struct unit *const *lent, uint32_t n, struct cause *why)
{
	for (uint32_t i = 0; i < n; i++)
		if (!lent[i]->removed && end_for_nobody(lent[i], why))
			wish_release(t, lent[i]);
}
