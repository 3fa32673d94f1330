/* SPDX-License-Identifier: MIT */
/* Who goes first: at a start the one before, or the one that is needed; at a stop the other way round.
 *
 * A stop of many is a set of runs that are to end. In sequence the last one is told, and when it has ended the one before
 * it. Else each run counts those that need it and are to end too; it is told when that count is 0, which costs no more than
 * there are children and needs. One that does not end in its grace counts as ended here: it holds up nobody. */
#include "supervisor.h"

/* ── starts ── */

static bool rests_by_itself(const struct eff_child *c)
{
	return c->rest != EFF_REST_STOPPED && c->rest != EFF_REST_GROUP;
}

/* The nearest one before it that is to run, and is not up. Those that share a place start together. What is at rest without
 * having been told to was reached in its turn, so those before its place do not matter; what is not to run hands its place
 * on. */
static struct eff_child *order_before(const struct eff_child *c)
{
	const struct eff_list *link = &c->link;
	uint32_t reached = 0;

	while ((link = link->prev) != &c->sup->children) {
		struct eff_child *other = eff_container(link, struct eff_child, link);

		if (other->place == c->place)
			continue;
		if (reached && other->place != reached)
			break;
		if (other->unsettled)
			return other;
		if (other->fiber ? !other->stopping : rests_by_itself(other))
			reached = other->place;
	}
	return NULL;
}

static bool need_holds(const struct eff_child *other)
{
	if (other->fiber)
		return eff__child_is_up(other);
	return other->rest == EFF_REST_DONE;
}

struct eff_child *eff__order_first(const struct eff_child *c, enum eff_turn *ret_turn)
{
	struct eff_child *other = eff__sup_is_sequential(c->sup) ? order_before(c) : NULL;

	*ret_turn = EFF_TURN_ORDER;
	if (other || !c->needs)
		return other;
	*ret_turn = EFF_TURN_NEED;
	for (struct eff_child *const *need = c->needs; *need; need++) {
		if ((*need)->sup != c->sup)
			eff__misuse("eff_child",
				"what it needs is under another supervisor, or none");
		if (!need_holds(*need))
			return *need;
	}
	return NULL;
}

/* ── stops ── */

static void order_tell(struct eff_child *c)
{
	if (c->told)
		return;
	c->told = true;
	c->sup->n_told++;
	eff__child_cut(c);
}

/* One place at a time, backwards. */
static void order_tell_last(struct eff_sup *sup)
{
	uint32_t place = 0;

	for (; sup->ending_at != &sup->children; sup->ending_at = sup->ending_at->prev) {
		struct eff_child *c = eff_container(sup->ending_at, struct eff_child, link);

		if (!c->ending)
			continue;
		if (place ? c->place != place : sup->n_told > 0)
			return;
		place = c->place;
		order_tell(c);
	}
}

/* Needs in a circle, or an order that was changed meanwhile: nobody would ever be told. */
static void order_tell_rest(struct eff_sup *sup)
{
	if (sup->n_ending == 0 || sup->n_told > 0)
		return;
	for (struct eff_child *c = eff__child_first(sup); c; c = eff__child_next(c))
		if (c->ending)
			order_tell(c);
}

static void order_count_users(struct eff_child *from)
{
	for (struct eff_child *c = from; c; c = eff__child_next(c))
		c->n_users = 0;
	for (struct eff_child *c = from; c; c = eff__child_next(c))
		for (struct eff_child *const *need = c->needs; c->ending && need && *need; need++)
			(*need)->n_users++;
}

void eff__order_add(struct eff_child *c)
{
	if (c->ending)
		return;
	c->ending = true;
	c->told = false;
	c->sup->n_ending++;
}

void eff__order_begin(struct eff_sup *sup, struct eff_child *from)
{
	bool sequential = eff__sup_is_sequential(sup);

	sup->ending_at = sup->children.prev;
	order_count_users(from);
	for (struct eff_child *c = from; c; c = eff__child_next(c)) {
		/* What is under way already may now have more to end for. */
		if (c->ending && c->told)
			eff__child_cut(c);
		else if (c->ending && c->n_users == 0 && !sequential)
			order_tell(c);
	}
	if (sequential)
		order_tell_last(sup);
	order_tell_rest(sup);
}

static void order_go_on(struct eff_child *ended)
{
	struct eff_sup *sup = ended->sup;

	if (eff__sup_is_sequential(sup))
		order_tell_last(sup);
	else
		for (struct eff_child *const *need = ended->needs; need && *need; need++)
			if ((*need)->n_users > 0 && --(*need)->n_users == 0 && (*need)->ending)
				order_tell(*need);
	order_tell_rest(sup);
}

void eff__order_ended(struct eff_child *c)
{
	struct eff_sup *sup = c->sup;

	if (!c->ending)
		return;
	sup->n_ending--;
	sup->n_told -= c->told;
	c->ending = c->told = false;
	if (sup->n_ending > 0)
		order_go_on(c);
	eff__round_ended(c);
}

/* ── circles ── */

static bool is_to_be_started(const struct eff_child *c, const struct eff_sup *sup)
{
	return c->sup == sup && !c->fiber;
}

/* Take away those that nobody needs, as long as there are any: what stays is a circle. What rests waits for nobody, so the
 * pointer for that may link those that are to be taken away. */
bool eff__order_has_cycle(struct eff_sup *sup)
{
	struct eff_child *free = NULL;
	uint32_t n_left = 0;

	for (struct eff_child *c = eff__child_first(sup); c; c = eff__child_next(c))
		if (!c->fiber) {
			c->n_users = 0;
			n_left++;
		}
	for (struct eff_child *c = eff__child_first(sup); c; c = eff__child_next(c))
		for (struct eff_child *const *need = c->needs; !c->fiber && need && *need; need++)
			(*need)->n_users += is_to_be_started(*need, sup);
	for (struct eff_child *c = eff__child_first(sup); c; c = eff__child_next(c))
		if (!c->fiber && c->n_users == 0) {
			c->other = free;
			free = c;
		}
	while (free) {
		struct eff_child *c = free;

		free = c->other;
		c->other = NULL;
		n_left--;
		for (struct eff_child *const *need = c->needs; need && *need; need++)
			if (is_to_be_started(*need, sup) && --(*need)->n_users == 0) {
				(*need)->other = free;
				free = *need;
			}
	}
	return n_left > 0;
}
