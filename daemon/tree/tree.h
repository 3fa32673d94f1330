/* SPDX-License-Identifier: MIT */
/* The tree: all units by name, what is wanted of them, and change.
 *
 * The units stand in the order of the plan: units[i] runs from plan_unit(plan, i). The tree owns the wish (rule 1 of how
 * effd decides) and calls start, stop and cycle of single children; libeff's supervisors do the rest. Verbs return at once;
 * who wants to know what becomes of them waits for the unit's `changed` and looks. */
#ifndef EFFD_TREE_H
#define EFFD_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff.h>

#include "base/cause.h"
#include "plan/changes.h"
#include "plan/diag.h"
#include "plan/plan.h"
#include "unit/unit.h"

#define TREE_EVENTS 1000

/* Something that happened. Texts are its own. */
struct tree_event {
	uint64_t seq; /* counts up by 1, from 1 */
	eff_ns wall_at;
	char *unit;
	char *labels; /* of one that may be gone when this is read: "key=value", each with its NUL, then an empty one; NULL */
	const char *kind; /* "state", or a kind of its own; static */
	bool is_state;
	bool is_said;             /* in the log */
	enum unit_state from, to; /* of a state event */
	pid_t pid;
	struct cause *cause; /* NULL */
	char *text;          /* of other kinds; NULL */
};

struct tree {
	struct unit_world world;
	struct plan *plan;
	struct plan_lasting *lasting; /* of the plan that it was made from */
	struct unit **units;          /* in the plan's order; [0] is the root */
	uint32_t n_units;
	struct eff_sup top;        /* has one child: the root */
	struct eff_event ended;    /* the root rests, or the tree was told to end and has */
	struct eff_pulse changed;  /* after every event, and after a reload */
	struct tree_event *events; /* ring of TREE_EVENTS: seq % TREE_EVENTS */
	uint64_t last_seq;
	uint64_t said_seq;          /* the log has all up to this one */
	void (*on_turn)(void *arg); /* NULL */
	void *on_turn_arg;
	uint32_t n_settled_seen; /* a cursor: units before it have settled */
	bool is_settled;
	bool has_begun; /* tree_run() is under way */
	bool shutting_down;
	bool reloading;
	uint32_t n_give_ups;       /* on_give_up hooks under way */
	struct eff_pulse reloaded; /* a reload has ended: the next may begin */
	bool plan_claimed;         /* somebody makes a plan from the present one */
	struct eff_pulse plan_free;
	bool forgetting;     /* a fiber is about to take out what has ended for good */
	uint64_t generation; /* counts plans taken over */
	uint64_t wishes;     /* counts changes of wishes, for a plan's id */
	uint64_t last_set;   /* (private) counts sets of units */
	struct eff_list graveyard; /* (private) units that a reload removed and that do not rest yet */
};

/* Make the tree of a plan (takes a reference), all units at rest. Inside a runtime. 0 or -ENOMEM. */
int tree_new(struct os *os, struct plan *plan, const char *log_dir, struct tree **ret_tree);
/* When all rests. NULL is fine. */
void tree_free(struct tree *t);

/* Run it: boot units start; until the root rests. An effect, arg: the tree. OK when it was stopped or is done, FAIL 1 when the
 * root failed and on_give_up is exit (with idle it waits until it is told to shut down). Suspends. */
EFF_SUSPENDS eff_exit tree_run(void *arg);
/* A number that no unit has in `in_set`: for who goes from unit to unit, and does not wait meanwhile. */
uint64_t tree_mark(struct tree *t);
/* Has it settled? Then READY may be told. */
bool tree_is_settled(struct tree *t);
/* Suspends until it has. 0, -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int tree_await_settled(struct tree *t);
/* "7 of 8 up; web: exit 1, next try in 4 s": for STATUS. Returns `buf`. */
const char *tree_summary(struct tree *t, char *buf, size_t size);
/* The exit code that effd ends with: 0, 1, or what exit_code_from says. */
int tree_exit_code(const struct tree *t, eff_exit end);

/* Is the standing wish that it runs? One that its group will want, when that opens, is wanted as soon as the group is. */
bool tree_wants(const struct unit *u);
/* Is it not as it should be: wanted, and neither up, done, left out nor at rest until its schedule? Then its group's health is
 * failing. */
bool tree_ails(const struct unit *u);

static inline struct tree *tree_of(const struct unit *u)
{
	return eff_container(u->world, struct tree, world);
}
/* By full name ("/" is the root); NULL. */
struct unit *tree_find(struct tree *t, const char *name);
/* Is it in the tree still? (After a wait, look again.) */
bool tree_has(const struct tree *t, const struct unit *u);

/* Who is told, one by one, before the verb returns, of units that it acts on besides its own; and what it tells besides. */
struct tree_told {
	void (*lifted)(void *context, struct unit *u); /* its stop was lifted; NULL: nobody is told */
	void (*again)(void *context, struct unit *u); /* it had ended, and is run again; NULL */
	void (*stopped)(void *context,
		struct unit *u); /* it stops: a dependant, or one in conflict, which is wanted no more */
	void *context;
	struct unit *blocker; /* of a start that is refused: who is not enabled */
};

/* ── verbs: none suspends; 0, or -errno ── */

/* An operator's start: of it and of all that it requires; lifts their stops, and stops what conflicts with them, and the
 * dependants of that first (`told` may be NULL). -EPERM when it is disabled, or one that it requires; -ESHUTDOWN. */
int tree_start(struct tree *t, struct unit *u, const struct asker *by, struct tree_told *told);
/* An operator's stop: sticky; those that require it stop first and wait for it (`told` may be NULL). */
int tree_stop(struct tree *t, struct unit *u, const struct asker *by, bool now,
	const struct tree_told *told);
/* Ends its run, if there is one, and is an operator's start then. */
int tree_restart(struct tree *t, struct unit *u, const struct asker *by, bool now,
	struct tree_told *told);
/* Forget failures; leave `failed` and `backoff` at once. */
int tree_reset(struct tree *t, struct unit *u, const struct asker *by);
/* To the main process. -ESRCH when there is none. */
int tree_signal(struct tree *t, struct unit *u, int sig);
/* Stop the whole tree, for good: `now` cuts every grace. Asked again it changes nothing but for `now`. */
void tree_shutdown(struct tree *t, const struct asker *by, bool now);

/* ── reload ── */

/* What tree_reload() to `plan` would do, as plan_diff() says, with what wishes make of it: a unit that an operator stopped,
 * or that is not wanted, is not restarted. */
int tree_plan(struct tree *t, struct plan *plan, struct plan_change **ret_changes, uint32_t *ret_n);
/* An id of the present tree, the wishes and `plan`: it differs when anything changed in between. */
void tree_plan_id(const struct tree *t, const struct plan *plan,
	const struct plan_change *changes, uint32_t n, char ret_id[static 32]);
/* How the unit of a change was before it, for who asks what became of it; of a new one all is 0. */
struct tree_was {
	uint64_t verbs, starts, ends;
};
/* What a reload did. The texts of the changes are the plans'. */
struct tree_reloaded {
	struct plan *old; /* a reference; NULL: nothing was done yet */
	struct plan_change *changes;
	struct tree_was *was; /* by change */
	uint32_t n;
};
/* Take a checked plan over (a reference is taken); only what changed is touched. Waits for a reload under way first, and
 * until what it stops has stopped and what it starts has started, but for what does not end, and what has no time to be
 * ready in: the next reload need not wait for that. Suspends. What it did is there as soon as it is done, while it still waits
 * for what comes of it; the caller gives it back with tree_reloaded_done(), whatever is returned: 0; -ECANCELED, -ENOMEM,
 * -ESHUTDOWN. */
EFF_SUSPENDS int tree_reload(struct tree *t, struct plan *plan, const struct asker *by,
	struct tree_reloaded *ret_reloaded);
void tree_reloaded_done(struct tree_reloaded *reloaded);

/* One of this name that was removed and that does not rest yet; NULL. */
struct unit *tree_grave_of(const struct tree *t, const char *name);

/* ── what is added at run time: children of a supervisor that is simple_one_for_one ── */

/* Is it such a child? Then it lasts until it is removed, or its supervisor ends. */
bool unit_was_added(const struct unit *u);
/* Only one at a time makes a plan out of the present one, for the next has to begin with what comes of that. Suspends until
 * it is the caller's turn. 0; -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int tree_claim_plan(struct tree *t);
void tree_release_plan(struct tree *t);
/* What was added may go while a plan is made with it: take that out of the plan. 0 or -ENOMEM. */
int tree_catch_up(struct tree *t, struct plan **plan);
/* Take over a plan that plan_add() has made of the present one for this supervisor: what is new begins, nothing else is
 * touched. Does not suspend. 0; -ESRCH when the supervisor does not run, or is about to end; -ESHUTDOWN, -ENOMEM. */
int tree_add(struct tree *t, struct plan *plan, const char *supervisor);
struct tree_removal {
	const struct asker *by;
	bool now;             /* those that run are killed; else they may not go */
	struct unit *blocker; /* out: the one that cannot go */
	struct unit *because; /* out: of -ENOTEMPTY, who names it; NULL */
};
/* Take units out of the tree, all or none; they are gone when they rest. Does not suspend. 0; -EPERM: one was not added;
 * -EBUSY: one does not rest; -ENOTEMPTY: one that stays names it; -ENOMEM. */
int tree_remove(struct tree *t, struct unit *const *units, uint32_t n, struct tree_removal *removal);

/* ── events ── */

/* Have fn(arg) called at each turn's end, for what is written once for all that has happened in it. Outside of fibers: it does
 * not wait. One; NULL: none. */
void tree_on_turn(struct tree *t, void (*fn)(void *arg), void *arg);
/* The event of this number; NULL when it is too old or to come. */
const struct tree_event *tree_event(const struct tree *t, uint64_t seq);
/* The number of the oldest that is kept; of none, one that is still to come. */
uint64_t tree_oldest_seq(const struct tree *t);

#endif
