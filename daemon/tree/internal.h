/* SPDX-License-Identifier: MIT */
/* What the files of this folder share. */
#ifndef EFFD_TREE_INTERNAL_H
#define EFFD_TREE_INTERNAL_H

#include "tree/tree.h"

/* ── group.c ── */

/* One run of a group. An effect, arg: the unit. Suspends. */
EFF_SUSPENDS eff_exit group_run(void *arg);
/* Put it under its parent's open supervisor, in its place. */
void group_add(struct unit *parent, struct unit *u);
/* The children of all open groups take the places that the tree's order gives them, new ones too. */
void groups_place(struct tree *t);
/* Its own row has changed: an open one goes on by the new one. */
void group_change(struct unit *group);
/* Why its children stop with it: a stop by whoever stopped the group, or the consequence of its failure. A reference; NULL: out
 * of memory. */
struct cause *group_word(struct unit *group);

/* ── supervised.c ── */

/* How libeff's supervisors tell the units what becomes of them. */
extern const struct eff_sup_hooks group_hooks;

/* ── wish.c ── */

/* May it run now, and is it to? */
bool wish_holds(const struct unit *u);
/* Does its wish hold, and is its group open? */
bool wish_may_act(const struct unit *u);
/* Then start it, or keep its schedule. */
void wish_act(struct unit *u);
/* What a wanted unit requires is wanted too, but for what an operator stopped. */
void wish_pull(struct tree *t, struct unit *u);
/* The same, when nothing was asked for: those that gave way to another are left alone. */
void wish_pull_still(struct tree *t, struct unit *u);
/* It is wanted from now on. */
void wish_want(struct unit *u);
/* Stop the whole tree for good, for `why`; when it is told so already, nothing. */
void wish_end_all(struct tree *t, struct cause *why);
/* Stop it for good, for `why`; at rest it is `down`. */
void wish_end(struct unit *u, struct cause *why);
/* What is to come of the units in a group has changed with it: who waits for one of them looks again. */
void wish_tell(struct unit *group);
struct cause *wish_cause(
	enum cause_kind kind, const struct asker *by, struct cause *because, const char *text);

/* ── lend.c ── */

/* Does one require it that runs, or would? */
bool wish_is_pulled(const struct unit *u);
/* Is it on demand, and does not run? What it requires is wanted when it does. */
bool wish_rests_on_demand(const struct unit *u);
/* Stop manual units that nobody wants any more. */
void wish_release(struct tree *t, struct unit *u);
/* Is it a manual unit that runs only because another requires it? */
bool wish_is_lent(const struct unit *u);
/* Stop those of these that were lent and are required no more; some may have been removed since. */
void wish_take_back(struct tree *t, struct unit *const *lent, uint32_t n, struct cause *why);

/* ── schedule.c ── */

/* Does it wait for a moment, or for somebody, before it runs? */
bool row_waits(const struct plan_unit *row);
/* Keep the schedule of a unit whose wish holds, or have its sockets watched. Asking again is fine. */
void schedule_begin(struct unit *u);
/* It is no more to run. */
void schedule_end(struct unit *u);
/* Its group ends: until nobody keeps it any more. Suspends; the caller masks. */
EFF_SUSPENDS void schedule_stop(struct unit *u);
/* Start a run, with a clean slate. */
void schedule_run_now(struct unit *u);

/* ── demand.c ── */

/* Keep a unit on demand: start it when somebody comes to one of its sockets, until `clock_off` or its row says otherwise.
 * Suspends. */
EFF_SUSPENDS void demand_run(struct unit *u);

/* ── changes.c ── */

/* Is it one unit that has these two rows, the one before a reload and the other after it? Either may be NULL: no. */
bool row_lives_on(const struct plan_unit *a, const struct plan_unit *b);
/* Is that row, which is to take the place of the one there is, stopped by an operator? The stop is of the name, whatever that
 * is now. */
bool row_is_held(const struct tree *t, const struct plan_unit *row);

/* ── grave.c ── */

/* The dead of one reload, by their rows in the plan that it replaced, and those that run only because another requires
 * them. */
struct grave {
	struct eff_list link;
	struct tree *tree;
	struct plan *plan;  /* the one that was replaced */
	struct unit **dead; /* a row each; NULL: it lives on */
	struct unit **lent;
	uint32_t n, n_lent; /* rows */
};
/* Those of the present tree that `plan` does not have. NULL: out of memory. */
struct grave *grave_make(struct tree *t, struct plan *plan);
/* It is kept: the groups that its dead are in, and that live on, stay in memory for as long as these. */
void grave_hold_groups(const struct grave *g);
/* With the dead in it. NULL is fine. */
void grave_free(struct grave *g);
/* Wait until the dead rest, take them out of their groups, and start who waited for their names. An effect, arg: the grave,
 * which it frees. Suspends. */
EFF_SUSPENDS eff_exit grave_keep(void *arg);
/* Until those that `replaced` had and its successor has not are buried, or all that is left of them does not end. Suspends. 0,
 * -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int tree_await_burial(struct tree *t, const struct plan *replaced);
/* What reloads removed and nobody buried: the tree ended first. */
void graves_free(struct tree *t);

/* ── link.c ── */

/* Make the edges of all units anew, after the rows of `plan`; units[i] is row i. 0 or -ENOMEM, then nothing is changed. */
int link_units(struct unit **units, const struct plan *plan);
/* Those of this set are about to be freed: no edge of `u` has one of them at its other end any more. */
void unlink_unit(struct unit *u, uint64_t set);
/* A set of units, in the order in which they were put in. */
struct unit_set {
	struct unit **units;
	uint32_t n, room;
	uint64_t id; /* what a unit of it has in `in_set`, until it is put into another */
	struct tree *tree;
	bool failed;
};
void set_init(struct unit_set *set, struct tree *t);
void set_done(struct unit_set *set);
void set_put(struct unit_set *set, struct unit *u);
/* It, and all that is in it. */
void set_put_within(struct unit_set *set, struct unit *u);
/* All that `u` requires, with the groups around, `u` itself first. */
void set_of_required(struct unit_set *set, struct unit *u);
/* All outside of `u` that require it or something in it, the nearest first. */
void set_of_dependants(struct unit_set *set, struct unit *u);
/* Its place among the units of the tree; PLAN_NONE: it was removed. */
uint32_t unit_index(const struct unit *u);
/* Is it the group, or in it? */
bool unit_is_within(const struct unit *u, const struct unit *group);

/* ── events.c ── */

void event_state(struct unit *u, enum unit_state from, enum unit_state to);
void event_words(struct unit *u, const char *kind, const char *text);
/* Those of these units (by index in the plan; NULL: it stays) that are in the ring know their labels from here on. */
void events_keep_labels(struct tree *t, const struct plan *plan, struct unit *const *dead);
int events_init(struct tree *t); /* 0 or -ENOMEM */
void events_done(struct tree *t);

/* ── added.c ── */

/* Its supervisor has ended: none of its children stays. */
void added_forget_all(struct unit *group, struct cause *why);
/* A unit rests: is it one that does not outlive its end? */
void added_rests(struct unit *u);

/* ── reload.c ── */

/* The one step in which the new plan takes the old one's place. Without `changes` only what is new, and what vanishes, is
 * touched. 0, or -ENOMEM and nothing is changed. */
int tree_take(struct tree *t, struct plan *plan, const struct plan_change *changes, uint32_t n,
	struct cause *why);

/* ── tree.c ── */

extern const struct unit_hooks tree_hooks;
struct unit *tree_unit_new(
	struct tree *t, struct plan *plan, const struct plan_unit *spec, struct unit *parent);

#endif
