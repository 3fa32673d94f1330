/* SPDX-License-Identifier: MIT */
/* What the files of the supervisor share: child.c keeps one child, round.c the group, order.c who goes first, intensity.c
 * counts, supervise.c is the supervisor around them. */
#ifndef EFF_SUPERVISOR_H
#define EFF_SUPERVISOR_H

#include <eff/supervise.h>

#include "internal.h"

static inline struct eff_child *eff__child_first(const struct eff_sup *sup)
{
	struct eff_list *first = sup->children.next;

	return first == &sup->children ? NULL : eff_container(first, struct eff_child, link);
}

static inline struct eff_child *eff__child_next(const struct eff_child *c)
{
	struct eff_list *next = c->link.next;

	return next == &c->sup->children ? NULL : eff_container(next, struct eff_child, link);
}

/* A run: in the frame of the fiber that keeps the child, which has room for what only a run needs. */
struct eff__run {
	struct eff_scope life;
	struct eff_child *child;
	struct eff_timer grace; /* armed while it is told to end */
	eff_exit fault;         /* what its health check said; OK: nothing */
};

/* The child has a life. */
static inline struct eff__run *eff__run_of(const struct eff_child *c)
{
	return eff_container(c->life, struct eff__run, life);
}

static inline bool eff__sup_is_sequential(const struct eff_sup *sup)
{
	return sup->opts.order == EFF_SEQUENTIAL && sup->opts.strategy != EFF_SIMPLE_ONE_FOR_ONE;
}

/* It is up, and not told to end: what was up before is no more than a run that ends. */
static inline bool eff__child_is_up(const struct eff_child *c)
{
	return c->up_since >= 0 && !c->stopping && !c->cycling && !c->grouped;
}

/* Nothing begins any more. */
static inline bool eff__sup_is_over(const struct eff_sup *sup)
{
	return sup->end != EFF_SUP_GOES_ON || sup->stopping;
}

/* ── supervise.c ── */

/* The supervisor ends, because of how `child` ended. The first reason counts. */
void eff__sup_fail(
	struct eff_sup *sup, enum eff_sup_end end, struct eff_child *child, eff_exit exit);
/* A child has come to rest: what that is for the supervisor. */
void eff__sup_weigh(struct eff_child *c, eff_exit exit);
/* Take it out for good; frees one that was spawned. */
void eff__sup_forget(struct eff_child *c);

/* ── child.c ── */

/* Begin to keep it. 0 or -ENOMEM. */
int eff__child_fork(struct eff_child *c);
/* The child that this fiber keeps; NULL: none. */
struct eff_child *eff__child_of(const struct eff_fiber *fiber);

/* ── child_verbs.c ── */

/* What is waited for of a child: any change, that it is up, that it rests. Who is woken has its result, and need not look at
 * the child again: it may be gone by then. */
enum eff__moment { EFF__WATCH_MOVE, EFF__WATCH_UP, EFF__WATCH_REST };
/* Suspends. Returns what it was woken with, -ECANCELED or -ETIMEDOUT. */
int eff__child_watch(struct eff_child *c, enum eff__moment what);
void eff__child_wake(struct eff_child *c, enum eff__moment what, int result);
/* Something about it has changed that others may wait for. */
void eff__child_moved(struct eff_child *c);
/* Cut its run short, or, when it is to stop, its fiber. Its grace begins. */
void eff__child_cut(struct eff_child *c);
/* It is not up any more; if it was for long enough it has earned a clean slate. */
void eff__child_settle_pace(struct eff_child *c);
/* Let go of what it holds: it is under no supervisor any more. */
void eff__child_release(struct eff_child *c);

/* ── round.c ── */

/* Its end is one that calls for a restart: what that means for its siblings. */
void eff__round_begin(struct eff_child *c, eff_exit end);
/* Suspends until those that stop with it have. 0, -ECANCELED, -ETIMEDOUT. */
int eff__round_await_ended(struct eff_child *c);
/* Its delay is over, or it is to stop: those that it held start, in order, it in its place. Suspends. */
void eff__round_release(struct eff_child *c);
/* It has another place: who holds, and who is held, may be others now. */
void eff__round_moved(struct eff_child *c);
/* Is it held by the end of another, or until all that stop with that one have? */
bool eff__round_holds(const struct eff_child *c);
/* Whom those that are held wait for: who leads, or, when that one was stopped, one that still is to end. NULL: none. */
struct eff_child *eff__round_awaited(struct eff_sup *sup);
/* One that was to end has: when who led was stopped before, those held wait for another that still is to, or go on. */
void eff__round_ended(const struct eff_child *c);
/* The round is over when all are up. */
void eff__round_look(struct eff_sup *sup);
/* The delay that it is held by ends now. */
void eff__round_hurry(struct eff_child *c);

/* ── order.c ── */

/* Whom it has to wait for before it runs; NULL: nobody. */
struct eff_child *eff__order_first(const struct eff_child *c, enum eff_turn *ret_turn);
/* Put its run among those that are to end. */
void eff__order_add(struct eff_child *c);
/* End those that were put, each when its turn comes; there is none before `from` (NULL: none at all). */
void eff__order_begin(struct eff_sup *sup, struct eff_child *from);
/* The run of one has ended, or is waited for no longer. */
void eff__order_ended(struct eff_child *c);
/* Do some need each other in a circle? */
bool eff__order_has_cycle(struct eff_sup *sup);

/* ── intensity.c ── */

/* Make room for the last `max` restarts, keeping those that are known. 0 or -ENOMEM. */
int eff__intensity_resize(struct eff_sup *sup, uint32_t max);
/* A restart is decided. False: it is one too many. */
bool eff__intensity_count(struct eff_sup *sup);

/* ── health.c ── */

/* Watches the run of a child. An effect, arg: the child. Suspends. */
eff_exit eff__health_of_child(void *arg);

#endif
