/* SPDX-License-Identifier: MIT */
/* Supervision over effects, after OTP: a supervisor keeps children running by their policies.
 *
 * A child is an effect that says eff_child_up() when it has begun well and ends with an exit. While it is to run, one
 * fiber keeps it: it waits for its turn, runs the effect, judges its end, waits out the delay, runs it again. To stop a
 * child is to interrupt that fiber; at rest there is none. A run can be cut short and begun anew without being judged
 * (eff_child_cycle): that is how an operator's restart, a dependency or a reload act. What a run defers is shown its exit, and
 * its failures are behind that, or in place of an OK, before it is judged.
 *
 * The policy table, by the exit's tag: OK is clean, FAIL a failure, DIE abnormal.
 *
 *     end    always  on-success  on-failure  on-abnormal  never
 *     OK     again   again       -           -            -
 *     FAIL   again   -           again       -            -
 *     DIE    again   -           again       again        -
 *
 * An INTERRUPT that nobody asked for counts as FAIL. Delays come from a schedule: its k-th delay before the k-th restart in
 * a row; k is forgotten after `reset_after` of being up without a break.
 *
 * What an end that calls for a restart means for the siblings is the strategy's to say. A group round (one_for_all,
 * rest_for_one): the siblings stop at once; then the delay of the one that ended runs; then all start in order. Ends while
 * the group is being stopped belong to the round: they are neither judged nor counted. An end while it starts opens a new
 * round. A sibling in its delay drops it and starts with the group, its k stays; a running one whose policy is never is
 * stopped and stays at rest; what rests, or was told to stop, is left alone.
 *
 * Each restart that is decided counts for the supervisor's intensity, before its delay, a round once. When more than
 * `max_restarts` fall within `period` the supervisor has failed; so too when a critical child has. It is done when enough
 * significant children have ended clean and by themselves. Then no child starts any more, eff_sup_await() returns, and
 * eff_sup_exit() is the end that a supervisor above judges by: a supervisor is an effect like any other. */
#ifndef EFF_SUPERVISE_H
#define EFF_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include <eff/event.h>
#include <eff/fiber.h>
#include <eff/health.h>
#include <eff/list.h>
#include <eff/schedule.h>
#include <eff/scope.h>
#include <eff/timer.h>

enum eff_restart { EFF_ALWAYS, EFF_ON_SUCCESS, EFF_ON_FAILURE, EFF_ON_ABNORMAL, EFF_NEVER };

struct eff_policy {
	enum eff_restart restart;
	struct eff_sched backoff;
	eff_ns reset_after;
	uint32_t max_restarts; /* restarts in a row; one end more and it has failed; UINT32_MAX: no limit */
	bool critical;    /* when it has failed its supervisor fails with it */
	bool significant; /* counts for auto_shutdown */
};
/* One with the usual values: 500 ms, doubling up to 30 s, a tenth of jitter; forgotten after a minute; without a limit. */
EFF_API struct eff_policy eff_policy_of(enum eff_restart restart);

enum eff_strategy {
	EFF_ONE_FOR_ONE,        /* a restart is its own business */
	EFF_ONE_FOR_ALL,        /* the others are stopped and started with it */
	EFF_REST_FOR_ONE,       /* those after it are */
	EFF_SIMPLE_ONE_FOR_ONE, /* one_for_one without an order: children made from a template */
};
/* In which order children start, and backwards, stop. One that goes before another by `needs` does so in both. */
enum eff_order {
	EFF_PARALLEL,   /* at once */
	EFF_SEQUENTIAL, /* the next when the one before is up, done, failed, or not to run */
};
/* When the supervisor is done because its significant children are. */
enum eff_auto_shutdown { EFF_AUTO_NEVER, EFF_AUTO_ANY, EFF_AUTO_ALL };

/* Why a child is at rest. */
enum eff_rest {
	EFF_REST_STOPPED,      /* was told to */
	EFF_REST_DONE,         /* ended clean and is not to run again */
	EFF_REST_FAILED,       /* ended otherwise and is not to run again */
	EFF_REST_MAX_RESTARTS, /* one end too many */
	EFF_REST_GROUP,        /* was stopped by a group round, and its policy is never */
};

enum eff_verdict { EFF_BY_POLICY, EFF_AGAIN, EFF_AT_REST };

/* What a child waits for before its run. */
enum eff_turn {
	EFF_TURN_GROUP, /* its group is held by the end of that one */
	EFF_TURN_ORDER, /* that one goes before it */
	EFF_TURN_NEED,  /* that one is to be up first */
};

/* Why a supervisor has ended. */
enum eff_sup_end { EFF_SUP_GOES_ON, EFF_SUP_DONE, EFF_SUP_CRITICAL, EFF_SUP_INTENSITY };

struct eff_sup;
struct eff_child;

/* Called in causal order, without suspending, before anyone who waits sees the change. NULL ones are left out. An `exit` is
 * borrowed. */
struct eff_sup_hooks {
	/* It waits for `other`; child->turn says why. Called again when that one has moved and it still waits. */
	void (*on_wait)(struct eff_child *child, struct eff_child *other);
	/* A run begins. */
	void (*on_start)(struct eff_child *child);
	/* A child's run has ended by itself. Say so if something outranks the policy. */
	enum eff_verdict (*judge)(struct eff_child *child, eff_exit exit);
	/* It will run again `delay` after those have stopped that stop with it. */
	void (*on_backoff)(struct eff_child *child, eff_exit exit, eff_ns delay);
	/* A round begins, by the end of `first`; all of the group that is to run is up again. */
	void (*on_round)(struct eff_sup *sup, struct eff_child *first, eff_exit exit);
	void (*on_round_over)(struct eff_sup *sup);
	/* It stops, or drops its delay, because of the end of `first`. */
	void (*on_group)(struct eff_child *child, struct eff_child *first, eff_exit exit);
	/* It was told to stop and has not, for longer than its grace; the others no longer wait for it. So too when it is a
	 * supervisor that stops, and all that is left of its own children is stuck. */
	void (*on_stuck)(struct eff_child *child);
	/* It is at rest. Its fiber is gone; starting it from here is allowed. */
	void (*on_rest)(struct eff_child *child, eff_exit exit, enum eff_rest rest);
	/* A temporary one that rests has been taken out: its memory may be freed from here. */
	void (*on_forget)(struct eff_child *child);
	/* The supervisor has ended: by its `end`, because of `child`. */
	void (*on_give_up)(struct eff_sup *sup, struct eff_child *child, eff_exit exit);
};

struct eff_sup_opts {
	enum eff_strategy strategy;
	enum eff_order order;
	enum eff_auto_shutdown auto_shutdown;
	uint32_t max_restarts; /* within `period`; an end just so long ago counts still; UINT32_MAX: any number */
	eff_ns period;                     /* 0 or less: any number */
	const struct eff_child *template;  /* of eff_sup_spawn(); NULL: none */
	const struct eff_sup_hooks *hooks; /* NULL: none */
};

/* The caller's memory, until its scope has closed. Read the fields above the line. */
struct eff_sup {
	struct eff_sup_opts opts;
	struct eff_scope *scope;  /* that its children's fibers are forked in */
	struct eff_list children; /* in their order */
	enum eff_sup_end end;
	struct eff_child *culprit; /* whose end was the supervisor's; NULL */
	eff_exit because;          /* how that one ended */
	bool stopping;
	struct eff_pulse changed; /* a child has moved: waits, runs, is up, rests … */
	/* ── private ── */
	struct eff_finalizer at_close;
	eff_ns *restarts; /* a ring: the last restarts, at most opts.max_restarts */
	uint32_t n_restarts, oldest_restart;
	uint32_t n_fibers;        /* children that do not rest */
	uint32_t n_stuck;         /* of those, which cannot be stopped */
	uint32_t n_unsettled;     /* of those, which are to run and are not up */
	uint32_t n_leading;       /* whose ends hold the group */
	int64_t leads_after;      /* they hold those of a greater place */
	struct eff_child *leader; /* one of them; NULL */
	struct eff_child *awaited; /* when none leads: one that still ends, whom those that are held wait for; NULL */
	bool rounding;             /* since a round began not all have been up */
	uint32_t n_ending, n_told; /* runs that are to end; and were told to */
	struct eff_list *ending_at, *significant_at; /* looked at last */
	struct eff_list *placed_at;                  /* put in, or moved, last */
};

/* A child, embedded in what it is part of; zero is a good beginning. What it is may be changed between calls and holds from
 * the next decision on. */
struct eff_child {
	const char *name;
	eff run;
	struct eff_policy policy;
	const struct eff_health *health; /* while it is up: failing, it ends its run, and dies; NULL */
	struct eff_child *const *needs; /* NULL, or siblings that must be up, or done, before each run: a list that ends with NULL */
	uint32_t place; /* in the order; those that share one go together; 0: behind the last */
	bool up_at_once; /* it is up when it begins */
	bool temporary;  /* it is taken out when it comes to rest */
	bool due; /* at rest it is to run yet: auto_shutdown waits until it has ended clean */
	eff_ns stop_grace; /* after so long a stop that is not heeded is told; 0: never */
	/* ── how it is: to be read ── */
	struct eff_sup *sup; /* NULL: under none */
	struct eff_list link;
	struct eff_fiber *fiber; /* NULL at rest */
	struct eff_scope *life;  /* of the run; NULL between runs */
	eff_ns up_since;         /* of the runtime's clock; -1: not up */
	eff_ns next_at;          /* of its next run, while a delay runs; -1 */
	uint64_t runs;           /* begun */
	uint64_t restarts;       /* of them, after an end by itself or with the group */
	eff_exit last;           /* how its last run ended, a reference of the child's */
	enum eff_rest rest;      /* how its last fiber came to rest */
	enum eff_turn turn;      /* what it waits for, before its run */
	struct eff_child *other; /* and for whom; NULL */
	bool restarted; /* its run, or the one to come, is a restart: it follows an end by itself, or the group's */
	bool stopping, cycling, start_again;
	bool stuck;
	/* ── private ── */
	struct eff_sched_state pace;
	struct eff_event hurry; /* ends a delay at once */
	struct eff_list watchers;
	uint32_t n_users; /* that have to end first */
	bool idle, waits, unsettled, delayed, leading, held, grouped, left_out, ending, told, owned;
};

/* ── supervisors ── */

/* Open a supervisor in the current scope: when that closes, its children are interrupted and awaited. Does not suspend.
 * Returns 0 or -ENOMEM. */
EFF_API int eff_sup_open(struct eff_sup *sup, const struct eff_sup_opts *opts);
/* Go on with other options. Does not suspend. Returns 0, or -ENOMEM and nothing is changed. */
EFF_API int eff_sup_change(struct eff_sup *sup, const struct eff_sup_opts *opts);
/* Put a child under it, at any time; it is at rest, and what it went through before is forgotten, but for `runs` and
 * `restarts`. The child's memory stays the caller's until it is removed or the scope has closed. */
EFF_API void eff_sup_add(struct eff_sup *sup, struct eff_child *child);
/* Make a child from the template, with a name (copied; NULL: the template's) and an argument for its effect, and start it.
 * It is the supervisor's. Does not suspend. Returns 0 and the child, valid until it is removed or forgotten; -ENOMEM,
 * -EINVAL without a template, -ECANCELED when the supervisor is stopping. */
EFF_API int eff_sup_spawn(
	struct eff_sup *sup, const char *name, void *arg, struct eff_child **ret_child);
/* Take a child at rest out again; one that was spawned is freed. No sibling may need it. */
EFF_API void eff_sup_remove(struct eff_child *child);
/* Give it another place in the order. */
EFF_API void eff_sup_move(struct eff_child *child, uint32_t place);
/* The first of this name; NULL. */
EFF_API struct eff_child *eff_sup_find(const struct eff_sup *sup, const char *name);
/* Start all children, in their order. Does not suspend. Returns 0, -ENOMEM, -ECANCELED, or -ELOOP when some wait for each
 * other by their needs: then none is started. */
EFF_API int eff_sup_start(struct eff_sup *sup);
/* Suspends until each child that is to run is up, done or failed, and no round is under way. Returns 0; 1 when the supervisor
 * has ended; -ECANCELED, -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_sup_await_up(struct eff_sup *sup);
/* Suspends until the supervisor has ended: `end`, `culprit` and `because` say how. Returns 0, -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_sup_await(struct eff_sup *sup);
/* Stop for good: tell all children to stop, in the order that opts say, and wait until all rest. Not from a child of it.
 * Suspends; masked. */
EFF_API EFF_SUSPENDS void eff_sup_stop(struct eff_sup *sup);
/* How many of the restarts that count lie within `period` now. */
EFF_API uint32_t eff_sup_restarts(const struct eff_sup *sup);
/* The supervisor's end as an exit, `awaited` being what eff_sup_await() returned: OK when it is done; when it gave up FAIL,
 * with the culprit's code and its exit as the cause behind it. The caller's. */
EFF_API eff_exit eff_sup_exit(const struct eff_sup *sup, int awaited);

/* ── children ── */

/* Let it run: from rest it starts as soon as its turn has come; out of a delay it runs at once, and with it the group that
 * waits for that; one that is stopping starts when it has stopped, or rests as failed with ENOMEM if there is no memory for
 * that then; one that runs is left alone. Does not suspend. Returns 0, -ENOMEM, or -ECANCELED when the supervisor is
 * stopping. */
EFF_API int eff_child_start(struct eff_child *child);
/* Tell it to stop; it is no more to run. Does not suspend. */
EFF_API void eff_child_stop_async(struct eff_child *child);
/* The same, and wait until it rests. Suspends. Returns as eff_child_await_rest() does. */
EFF_API EFF_SUSPENDS int eff_child_stop(struct eff_child *child);
/* Cut its run short and begin anew, without judging or counting it; out of a delay at once. At rest: nothing. Does not
 * suspend. */
EFF_API void eff_child_cycle(struct eff_child *child);
/* Its policy has another backoff now: one that waits out a delay waits no longer, from now on, than that would have it wait
 * at most after the same end. Does not suspend. */
EFF_API void eff_child_hasten(struct eff_child *child);
/* Forget its failures: k is 0. Does not suspend. */
EFF_API void eff_child_reset(struct eff_child *child);
/* Suspends until it comes to rest. Returns 0, and by then it may have been started again, or forgotten and be gone;
 * -ECANCELED or -ETIMEDOUT; -EDEADLK when it is the caller's own. */
EFF_API EFF_SUSPENDS int eff_child_await_rest(struct eff_child *child);
/* Suspends until it is up; one whose run is being stopped or cut short is not, until the next. Returns 0; -ECHILD when it rests, or came to rest before; -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_child_await_up(struct eff_child *child);

/* The child whose fiber this is: for an effect that does not know. NULL: none's. */
EFF_API struct eff_child *eff_child_self(void);
/* For the effect: it is up; it is no longer (its run goes on). */
EFF_API void eff_child_up(struct eff_child *child);
EFF_API void eff_child_not_up(struct eff_child *child);
/* What it waits for itself is not there yet, and nothing of it runs; from then on it does. It is idle no more, either way. A
 * round starts one that waits anew, whatever its policy, and that is no restart of it. */
EFF_API void eff_child_waits(struct eff_child *child, bool waits);
/* It rests in itself, until something calls for it that may never come: nobody has to wait for it to be up. */
EFF_API void eff_child_idle(struct eff_child *child);
/* It was told to stop and cannot: the others no longer wait for it. Its next run waits until this one has ended. */
EFF_API void eff_child_stuck(struct eff_child *child);
/* k as it counts now: 0 once it has been up for reset_after. */
EFF_API uint32_t eff_child_failures(const struct eff_child *child);

enum eff_child_state {
	EFF_CHILD_RESTS,
	EFF_CHILD_WAITS, /* for its turn */
	EFF_CHILD_STARTS,
	EFF_CHILD_UP,
	EFF_CHILD_STOPS,
	EFF_CHILD_BACKOFF,
};
EFF_API enum eff_child_state eff_child_state(const struct eff_child *child);

#endif
