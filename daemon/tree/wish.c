/* SPDX-License-Identifier: MIT */
/* The wish: who is to run, by whose word, and what that sets going. An end of a unit never comes here. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "tree/internal.h"

bool wish_holds(const struct unit *u)
{
	return u->wanted && !u->held && !u->removed && (u->next ? u->next : u->spec)->enabled;
}

bool wish_may_act(const struct unit *u)
{
	const struct tree *t = tree_of(u);

	if (!wish_holds(u) || t->shutting_down || !u->parent || !u->parent->group_open ||
		unit_is_leaving(u->parent))
		return false;
	/* Never two of one name: when the last one's stop is over, this one is told again. */
	return !tree_grave_of(t, u->name);
}

void wish_act(struct unit *u)
{
	const struct plan_unit *spec = u->next ? u->next : u->spec;

	if (!wish_may_act(u))
		return;
	if (row_waits(spec))
		schedule_begin(u);
	else if (eff_child_start(&u->child) < 0)
		log_error("%s: cannot start: out of memory", u->name);
}

struct cause *wish_cause(
	enum cause_kind kind, const struct asker *by, struct cause *because, const char *text)
{
	struct cause *cause = cause_new(kind, eff_wall(), because, "%s", text);

	if (cause && by)
		cause->by = *by;
	return cause;
}

void wish_want(struct unit *u)
{
	u->wanted = true;
	u->gave_way = false;
}

static void wish_pull_one(struct unit_set *pulled, struct unit *need)
{
	if (need->wanted || need->held)
		return;
	wish_want(need);
	wish_act(need);
	set_put(pulled, need);
}

bool wish_rests_on_demand(const struct unit *u)
{
	return (u->next ? u->next : u->spec)->activate == PLAN_ON_DEMAND && !u->child.fiber;
}

/* One that is wanted already has been asked, or is about to be, for what it requires itself. */
static void wish_pull_all(struct tree *t, struct unit *u, bool calls_back)
{
	struct unit_set pulled;

	if (!wish_holds(u) || u->n_needs == 0 || wish_rests_on_demand(u))
		return;
	set_init(&pulled, t);
	set_put(&pulled, u);
	for (uint32_t i = 0; i < pulled.n; i++) {
		struct unit *at = pulled.units[i];

		for (uint32_t k = 0; k < at->n_needs && !wish_rests_on_demand(at); k++)
			if (at->needs[k].need->required &&
				(calls_back || !at->needs[k].unit->gave_way))
				wish_pull_one(&pulled, at->needs[k].unit);
		if (at->parent && at->parent->parent)
			wish_pull_one(&pulled, at->parent);
	}
	set_done(&pulled);
}

void wish_pull(struct tree *t, struct unit *u)
{
	wish_pull_all(t, u, true);
}

void wish_pull_still(struct tree *t, struct unit *u)
{
	wish_pull_all(t, u, false);
}

void wish_end(struct unit *u, struct cause *why)
{
	struct tree *t = tree_of(u);

	u->wanted = u->by_operator = false;
	t->wishes++;
	schedule_end(u);
	if (u->child.fiber) {
		unit_leave(u, why);
		eff_child_stop_async(&u->child);
	} else if (u->state != UNIT_DOWN && !(u->removed && u->forget)) {
		/* What is forgotten with its end ended so, and nobody has stopped it. */
		unit_enter(u, UNIT_DOWN, cause_ref(why));
	}
}

/* Which of these may not run? NULL: all may. */
static struct unit *set_disabled(const struct unit_set *set)
{
	for (uint32_t i = 0; i < set->n; i++)
		if (!set->units[i]->spec->enabled)
			return set->units[i];
	return NULL;
}

static void wish_lift(struct unit *u, const struct tree_told *told)
{
	bool was_held = u->held;

	u->held = false;
	wish_want(u);
	if (was_held && told && told->lifted)
		told->lifted(told->context, u);
}

/* It has ended, and is run again. One on demand goes on resting. */
static bool is_run_again(const struct unit *u)
{
	return (u->state == UNIT_DONE || u->state == UNIT_FAILED) &&
		u->spec->activate != PLAN_ON_DEMAND;
}

static void wish_begin(struct unit *u, const struct tree_told *told)
{
	tree_of(u)->wishes++;
	if (told && told->again && is_run_again(u))
		told->again(told->context, u);
	if (u->state != UNIT_UP)
		eff_child_reset(&u->child);
	wish_lift(u, told);
}

static void tell_stopped(const struct tree_told *told, struct unit *u)
{
	if (told && told->stopped)
		told->stopped(told->context, u);
}

/* One that requires what is being stopped: it goes first, stays wanted, and waits. One in backoff stays where it is, and one
 * that is ending by itself is judged by that end. */
static void dependant_leave(struct unit *d, const struct unit *u, struct cause *stop)
{
	struct cause *why;

	if (!unit_is_active(d) || d->child.stopping || d->ending)
		return;
	why = cause_new(CAUSE_DEPENDENCY, eff_wall(), stop,
		"requires %s, which is being stopped", u->name);
	unit_leave(d, why);
	eff_child_cycle(&d->child);
	cause_unref(why);
}

static void kill_within(struct tree *t, struct unit *u)
{
	uint32_t first = unit_index(u);

	if (first == PLAN_NONE)
		return;
	for (uint32_t i = first; i < plan_unit(t->plan, first)->end; i++)
		unit_kill_now(t->units[i]);
}

/* The furthest first. With `now` they get no more time than the unit itself. */
static void dependants_leave(struct tree *t, struct unit *u, struct cause *stop,
	const struct tree_told *told, bool now)
{
	struct unit_set set;

	set_init(&set, t);
	set_of_dependants(&set, u);
	for (uint32_t i = set.n; i-- > 0;) {
		struct unit *d = set.units[i];

		if (unit_is_active(d) && !d->ending)
			tell_stopped(told, d);
		dependant_leave(d, u, stop);
		if (now && (d->leaving || d->ending))
			kill_within(t, d);
	}
	set_done(&set);
}

/* What may not run beside a unit that is started by hand makes way, and is not wanted any more; it is not held. A verb that
 * wanted it is over. */
static void wish_yield(struct tree *t, const struct unit *u, const struct asker *by,
	const struct tree_told *told)
{
	for (uint32_t i = 0; i < u->n_conflicts; i++) {
		struct unit *other = u->conflicts[i];
		struct cause *stop;
		char words[300];

		if (!other->wanted && !unit_is_active(other))
			continue;
		(void)snprintf(
			words, sizeof(words), "conflicts with %s, which was started", u->name);
		stop = wish_cause(CAUSE_STOP_REQUESTED, by, NULL, words);
		dependants_leave(t, other, stop, told, false);
		other->verbs += other->wanted;
		other->gave_way |= other->wanted;
		wish_end(other, stop);
		tell_stopped(told, other);
		wish_tell(other);
		wish_release(t, other);
		cause_unref(stop);
	}
}

/* It is nobody's child: it is started by hand only after it was stopped by hand, be the stop still under way. */
static int root_begin(struct tree *t, const struct tree_told *told)
{
	if (t->units[0]->child.fiber && !t->units[0]->child.stopping)
		return 0;
	wish_lift(t->units[0], told);
	return t->has_begun ? eff_child_start(&t->units[0]->child) : 0;
}

int tree_start(struct tree *t, struct unit *u, const struct asker *by, struct tree_told *told)
{
	struct unit *blocker;
	struct unit_set set;
	int r = 0;

	if (t->shutting_down)
		return -ESHUTDOWN;
	u->verbs++;
	set_init(&set, t);
	set_of_required(&set, u);
	blocker = set_disabled(&set);
	if (told)
		told->blocker = blocker;
	if (set.failed)
		r = -ENOMEM;
	else if (blocker)
		r = -EPERM;
	for (uint32_t i = 0; r == 0 && i < set.n; i++)
		wish_yield(t, set.units[i], by, told);
	for (uint32_t i = set.n; r == 0 && i-- > 0;)
		wish_begin(set.units[i], told);
	if (r == 0)
		u->by_operator = true;
	if (r == 0)
		r = root_begin(t, told);
	for (uint32_t i = set.n; r == 0 && i-- > 0;) {
		wish_act(set.units[i]);
		/* Started by hand it runs now, too; of one on demand it is enough for others that it is there. */
		if (set.units[i]->clock && !set.units[i]->child.fiber &&
			wish_may_act(set.units[i]) &&
			(set.units[i] == u || set.units[i]->spec->activate != PLAN_ON_DEMAND))
			schedule_run_now(set.units[i]);
	}
	set_done(&set);
	return r;
}

void wish_tell(struct unit *group)
{
	struct tree *t = tree_of(group);
	uint32_t first = unit_index(group);

	if (first == PLAN_NONE)
		return;
	for (uint32_t i = first; i < plan_unit(t->plan, first)->end; i++)
		eff_pulse_send(&t->units[i]->changed);
}

int tree_stop(struct tree *t, struct unit *u, const struct asker *by, bool now,
	const struct tree_told *told)
{
	struct cause *stop = wish_cause(CAUSE_STOP_REQUESTED, by, NULL, "");

	dependants_leave(t, u, stop, told, now);
	u->verbs++;
	u->held = true;
	wish_end(u, stop);
	wish_tell(u);
	if (now)
		kill_within(t, u);
	wish_release(t, u);
	cause_unref(stop);
	return 0;
}

int tree_restart(struct tree *t, struct unit *u, const struct asker *by, bool now,
	struct tree_told *told)
{
	if (t->shutting_down)
		return -ESHUTDOWN;
	eff_child_reset(&u->child);
	if (u->child.life && unit_is_active(u) && !u->child.stopping) {
		struct cause *why = wish_cause(CAUSE_STOP_REQUESTED, by, NULL, "to be restarted");

		unit_leave(u, why);
		eff_child_cycle(&u->child);
		cause_unref(why);
		if (now)
			kill_within(t, u);
	}
	return tree_start(t, u, by, told);
}

int tree_reset(struct tree *t, struct unit *u, const struct asker *by)
{
	(void)by;
	if (t->shutting_down)
		return -ESHUTDOWN;
	u->verbs++;
	eff_child_reset(&u->child);
	if (!state_has_failed(u->state))
		return 0;
	/* A clock that a stop has told to end may still be there. */
	if (!wish_holds(u))
		unit_enter(u, UNIT_DOWN, NULL);
	else if (u->clock && !u->child.fiber)
		unit_enter(u, UNIT_WAITING, NULL);
	else if (u->clock)
		schedule_run_now(u);
	else if (u == t->units[0])
		return eff_child_start(&u->child);
	else
		wish_act(u);
	return 0;
}

void wish_end_all(struct tree *t, struct cause *why)
{
	struct unit *root = t->units[0];

	if (t->shutting_down)
		return;
	t->shutting_down = true;
	t->wishes++;
	root->held = true;
	wish_end(root, why);
	eff_pulse_send(&root->changed);
	eff_pulse_send(&t->top.changed);
	eff_pulse_send(&t->changed);
}

void tree_shutdown(struct tree *t, const struct asker *by, bool now)
{
	struct cause *why = wish_cause(CAUSE_STOP_REQUESTED, by, NULL, "shutdown");

	wish_end_all(t, why);
	cause_unref(why);
	if (!now)
		return;
	kill_within(t, t->units[0]);
	eff_pulse_send(&t->units[0]->changed);
	eff_pulse_send(&t->top.changed);
	eff_pulse_send(&t->changed);
}
