/* SPDX-License-Identifier: MIT */
/* Group rounds. There is no object for one: a child whose end calls for a restart leads, from the decision to the end of its
 * delay, and while one leads, or one that is led still ends, those of the group that come after it are held before their next
 * run. The led ones are cut short once, at the beginning.
 *
 * Who leads is either alone, or shares its place with the others that lead: one that is held cannot end, and one that leads
 * from further ahead takes those in that lead behind it. */
#include "supervisor.h"

static bool strategy_is_for_group(enum eff_strategy strategy)
{
	return strategy == EFF_ONE_FOR_ALL || strategy == EFF_REST_FOR_ONE;
}

bool eff__round_holds(const struct eff_child *c)
{
	const struct eff_sup *sup = c->sup;

	return (sup->n_leading > 0 || sup->n_ending > 0) && !c->leading &&
		c->place > sup->leads_after;
}

static struct eff_child *first_ending(const struct eff_sup *sup)
{
	struct eff_child *c = eff__child_first(sup);

	while (c && !c->ending)
		c = eff__child_next(c);
	return c;
}

struct eff_child *eff__round_awaited(struct eff_sup *sup)
{
	if (sup->leader || sup->n_ending == 0)
		return sup->leader;
	if (!sup->awaited)
		sup->awaited = first_ending(sup);
	return sup->awaited;
}

/* Those that are held, from `from` on up to `to` (NULL: to the last), look again whom they wait for, if for anybody: whom they
 * waited for so far may be gone by then. Returns whether there are any. */
static bool held_wake(struct eff_child *from, const struct eff_child *to)
{
	bool any = false;

	for (struct eff_child *s = from; s != to; s = eff__child_next(s)) {
		if (!s->held)
			continue;
		any = true;
		s->other = NULL;
		eff__child_wake(s, EFF__WATCH_MOVE, 0);
	}
	return any;
}

void eff__round_ended(const struct eff_child *c)
{
	struct eff_sup *sup = c->sup;
	bool was_awaited = sup->awaited == c;

	if (was_awaited)
		sup->awaited = NULL;
	/* Else they wait for who leads, and its delay is to come; or for another that is to end. */
	if (sup->n_leading > 0 || (sup->n_ending > 0 && !was_awaited))
		return;
	(void)held_wake(eff__child_first(sup), NULL);
}

static struct eff_child *leader_of(const struct eff_sup *sup)
{
	struct eff_child *c = sup->n_leading > 0 ? eff__child_first(sup) : NULL;

	while (c && !c->leading)
		c = eff__child_next(c);
	return c;
}

static void round_unlead(struct eff_child *c)
{
	struct eff_sup *sup = c->sup;

	c->leading = false;
	sup->n_leading--;
	if (sup->leader == c)
		sup->leader = leader_of(sup);
}

/* A sibling that the round takes in. */
static void round_join(struct eff_child *c, struct eff_child *first, eff_exit end)
{
	if (c->leading)
		round_unlead(c);
	if ((c->life || c->delayed) && c->sup->opts.hooks->on_group)
		c->sup->opts.hooks->on_group(c, first, end);
	if (c->delayed)
		eff_event_set(&c->hurry);
	if (c->life) {
		if (c->policy.restart == EFF_NEVER && !c->waits) {
			c->left_out = c->stopping = true;
		} else if (!c->cycling) {
			c->grouped = true;
			c->restarted |= !c->waits;
		}
		eff__order_add(c);
	}
	eff__child_moved(c);
}

void eff__round_begin(struct eff_child *c, eff_exit end)
{
	struct eff_sup *sup = c->sup;
	struct eff_child *from = c;

	if (!strategy_is_for_group(sup->opts.strategy))
		return;
	c->leading = true;
	sup->n_leading++;
	sup->leader = c;
	sup->leads_after = c->place;
	if (sup->opts.strategy == EFF_ONE_FOR_ALL) {
		sup->leads_after = -1;
		from = eff__child_first(sup);
	}
	sup->rounding = true;
	if (sup->opts.hooks->on_round)
		sup->opts.hooks->on_round(sup, c, end);
	for (struct eff_child *s = from; s; s = eff__child_next(s))
		if (s != c && s->fiber && !s->stopping && s->place > sup->leads_after)
			round_join(s, c, end);
	eff__order_begin(sup, from);
}

int eff__round_await_ended(struct eff_child *c)
{
	int r = 0;

	while (r == 0 && c->leading && c->sup->n_ending > 0)
		r = eff_pulse_await(&c->sup->changed);
	return r;
}

void eff__round_release(struct eff_child *c)
{
	struct eff_sup *sup = c->sup;

	if (!c->leading)
		return;
	round_unlead(c);
	/* Only one for all holds those before it. They are ready then; behind them is its own place. */
	if (held_wake(sup->leads_after < 0 ? eff__child_first(sup) : c, c))
		(void)eff_yield();
	(void)held_wake(c, NULL);
	eff__round_look(sup);
}

void eff__round_moved(struct eff_child *c)
{
	struct eff_sup *sup = c->sup;

	(void)held_wake(c, eff__child_next(c));
	if (!c->leading || sup->leads_after < 0)
		return;
	sup->leads_after = c->place;
	(void)held_wake(eff__child_first(sup), NULL);
}

void eff__round_look(struct eff_sup *sup)
{
	if (!sup->rounding || sup->n_unsettled > 0 || sup->n_leading > 0 || eff__sup_is_over(sup))
		return;
	sup->rounding = false;
	if (sup->opts.hooks->on_round_over)
		sup->opts.hooks->on_round_over(sup);
	eff_pulse_send(&sup->changed);
}

void eff__round_hurry(struct eff_child *c)
{
	for (struct eff_child *s = eff__child_first(c->sup); s; s = eff__child_next(s))
		if (s->leading)
			eff_event_set(&s->hurry);
}
