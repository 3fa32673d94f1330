/* SPDX-License-Identifier: MIT */
/* What the library's files share and nobody else sees: the fiber, the runtime, and the one way to wait. */
#ifndef EFF_INTERNAL_H
#define EFF_INTERNAL_H

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff/clock.h>
#include <eff/context.h>
#include <eff/event.h>
#include <eff/exit.h>
#include <eff/fiber.h>
#include <eff/io.h>
#include <eff/list.h>
#include <eff/runtime.h>
#include <eff/scope.h>
#include <eff/timer.h>

#include "sanitize.h"
#include "switch.h"

/* ── A: timers ── */

struct eff__timer_group; /* timers.c: those of a span of time */
struct eff__timers {
	struct eff_timer *root;          /* what is due first */
	struct eff__timer_group *groups; /* NULL until there are many */
	uint64_t order;
	size_t count;
};
void eff__timer_arm(struct eff__timers *timers, struct eff_timer *timer,
	eff_ns at); /* re-arms an armed one */
void eff__timer_disarm(struct eff__timers *timers, struct eff_timer *timer);
/* Take out the first if it is due at `now`; NULL when none is. */
struct eff_timer *eff__timers_due(struct eff__timers *timers, eff_ns now);
bool eff__timers_are_many(const struct eff__timers *timers);
void eff__timers_done(struct eff__timers *timers);

/* ── B: fibers ── */

enum eff__fiber_state { EFF__NEW, EFF__BEGUN, EFF__ENDED };

/* What `number` of a wait is. */
enum eff__on { EFF__ON_NOTHING, EFF__ON_NUMBER, EFF__ON_FIBER, EFF__ON_INSTANT };

/* What a fiber waits with: in its frame. `link` is in the list of what it waits for (or in none), `abort` takes it out
 * when the wait is cut short; NULL: eff_list_remove(&link). */
struct eff__wait {
	struct eff_list link;
	struct eff_fiber *fiber;
	void (*abort)(struct eff__wait *wait);
	const char *what; /* "sleep", "event", "fd" … */
	int64_t number;   /* a descriptor or a pid, a fiber's id, when it wakes: to be shown */
	enum eff__on on;
	int result;
	bool done;
};

struct eff_fiber {
	/* What a switch touches, together; then what a beginning does. In a crowd each line of them is waited for. */
	struct eff_fiber *next;  /* in the ready queue, or among the spare */
	struct eff__wait *wait;  /* what it waits with; NULL */
	struct eff_scope *scope; /* the innermost */
	uint32_t mask;           /* scopes of this depth and less are hidden */
	unsigned n_reasons; /* scopes that are open and have one: mostly 0, and no wait need look for it */
	enum eff__fiber_state state;
	unsigned awaited; /* somebody has seen its exit; as wide as its neighbours, to be cleared with them */
	unsigned n_refs;
	unsigned n_locked; /* mutexes that it holds */
	struct eff__context context;
	struct eff_rt *rt;
	eff e;
	struct eff__stack stack;
	struct eff_scope body;   /* depth 1; cancelled by interrupt */
	struct eff_scope *owner; /* outlives it */
	struct eff_list owned;   /* in its owner's `fibers` */
	struct eff_list all;     /* in the runtime's registry */
	eff_exit exit;
	struct eff__locals *locals; /* local.c; NULL: none was set */
	struct eff_list awaiting;   /* waits for its end */
	/* Called when it ends, never started ones too, before who awaits; does not suspend. */
	void (*on_end)(struct eff_fiber *fiber, void *context);
	void *on_end_context;
	uint64_t id, parent_id;
	eff_ns born_at;
};

/* Nobody holds it any more. */
void eff__fiber_forget(struct eff_fiber *fiber);
static inline void eff__fiber_unref(struct eff_fiber *fiber)
{
	if (!--fiber->n_refs)
		eff__fiber_forget(fiber);
}

struct eff__locals *eff__locals_ref(struct eff__locals *locals);
void eff__locals_unref(struct eff__locals *locals);

struct eff__backend_state; /* loop_*.c */
struct eff__host;          /* host.c: what a loop around ours watches */
struct eff__watch;         /* watchdog.c: who looks for fibers that hold the loop */
struct eff__fds;           /* io.c: who waits for which descriptor */
struct eff__procs;         /* proc.c: the children that live */
struct eff__threads;       /* blocking.c: the pool */

/* On cache lines of its own, so that the first has all that a switch needs. */
struct __attribute__((aligned(64))) eff_rt {
	struct eff_fiber *current;    /* NULL: on the main stack; set by set_current() */
	struct eff_fiber *ready;      /* the first; NULL */
	struct eff_fiber *ready_last; /* if there is a first */
	size_t budget;                /* fibers that may still run in this turn */
	size_t turn_budget;           /* what it began with */
	struct eff_fiber *carcass;    /* ended: its stack is given back by who runs next */
	struct eff_fiber *spare;      /* control blocks */
	size_t n_blocks;              /* control blocks that exist */
	struct eff_list all;
	struct eff_fiber *root;
	struct eff__context main_context;
	struct eff__context *came_from; /* what was left by the last switch */
	struct eff_scope daemons;       /* owns daemon fibers; belongs to no fiber */
	struct eff__timers timers;
	struct eff_testclock *clock; /* NULL: real */
	struct eff__stacks *stacks;
	struct eff__stack_class *stack_class; /* of the default size */
	const struct eff_backend *backend;
	struct eff__backend_state *loop;
	struct eff__fds *fds;
	struct eff__procs *procs;
	struct eff__threads *threads;
	_Atomic(struct eff_post *) posted;
	struct eff_hooks hooks;
	uint64_t random[4];
	uint64_t next_id;
	size_t stack_bytes;
	eff_ns turn_at;        /* the real clock when it was last read */
	const eff_ns *born_at; /* that, or the virtual one */
	unsigned turns_heard;  /* in a row, with late deadlines put off */
	void *signal_stack;
	struct eff_rt_stats stats;
	unsigned io_burst; /* reads, writes and accepts since a fiber waited for a descriptor */
	unsigned external; /* descriptors, threads and processes awaited: not a deadlock while > 0 */
	bool asleep;       /* the host waits: what happens now must wake it */
	struct eff__host *host;     /* NULL: nobody's loop but ours */
	struct eff__watch *watch;   /* NULL: nobody watches */
	void (*on_turn)(void *arg); /* called at the end of each; NULL */
	void *on_turn_arg;
	void (*main_call)(void *arg); /* to be run on the main stack for the current fiber */
	void *main_arg;
	struct eff_fiber *main_caller; /* while it is run */
};

extern _Thread_local struct eff_rt *eff__rt __attribute__((tls_model("initial-exec")));

/* A bug of the caller in `where`: say so and abort. */
_Noreturn __attribute__((cold)) void eff__misuse(const char *where, const char *what);
/* The fiber that runs, for what only a fiber can do. */
static inline struct eff_fiber *eff__in_fiber(const char *where)
{
	struct eff_rt *rt = eff__rt;

	if (__builtin_expect(!rt || !rt->current, 0))
		eff__misuse(where, "called outside of a fiber");
	return rt->current;
}
/* For what needs a runtime, in a fiber or not. */
static inline struct eff_rt *eff__in_runtime(const char *where)
{
	struct eff_rt *rt = eff__rt;

	if (__builtin_expect(!rt, 0))
		eff__misuse(where, "there is no runtime on this thread");
	return rt;
}
/* For what drives a runtime or ends it. */
static inline void eff__not_in_fiber(const struct eff_rt *rt, const char *where)
{
	if (!rt || rt != eff__rt)
		eff__misuse(where, "this is not the runtime of this thread");
	if (rt->current || rt->main_caller)
		eff__misuse(where, "called by a fiber");
}

/* Outside of a turn something has happened that the next one is for: tell the host. */
__attribute__((cold)) void eff__rouse(struct eff_rt *rt);
static inline void eff__stir(struct eff_rt *rt)
{
	if (__builtin_expect(rt->asleep, false))
		eff__rouse(rt);
}

/* Put it behind all that are ready. */
static inline void eff__enqueue(struct eff_rt *rt, struct eff_fiber *fiber)
{
	fiber->next = NULL;
	if (rt->ready)
		rt->ready_last->next = fiber;
	else
		rt->ready = fiber;
	rt->ready_last = fiber;
}

/* Word by word, as it was written: a wider copy would wait until the processor has gathered it. */
static inline void eff__exit_copy(eff_exit *to, const eff_exit *from)
{
	const volatile eff_exit *seen = from;

	to->tag = seen->tag;
	to->code = seen->code;
	to->value.pointer = seen->value.pointer;
	to->notes = seen->notes;
}

/* `first` with `second` behind it; an OK gives way to what is not. Takes both. */
static inline eff_exit eff__exit_then(eff_exit first, eff_exit second)
{
	if (!eff_is_ok(first) || eff_is_ok(second))
		return eff_exit_join(first, second);
	eff_exit_drop(first);
	return second;
}

/* Closing it would do nothing. */
static inline bool eff__scope_is_bare(const struct eff_scope *scope)
{
	return eff_list_empty(&scope->fibers) && eff_list_empty(&scope->finalizers) &&
		!scope->limit.armed;
}

/* Suspend the current fiber with `wait` (its link already where it belongs) until eff__wake() or until a scope that it can
 * see is cancelled or over its limit; looks for that first. Returns the wait's result. Outside of a fiber it is misuse. */
int eff__park(struct eff__wait *wait);
/* Fulfil a wait: takes its link out of its list and makes its fiber ready. Once. */
void eff__wake(struct eff__wait *wait, int result);
/* What the fiber's visible scopes say: 0, -ECANCELED or -ETIMEDOUT. */
int eff__reason_found(const struct eff_fiber *fiber);
static inline int eff__reason(const struct eff_fiber *fiber)
{
	return __builtin_expect(!fiber->n_reasons, 1) ? 0 : eff__reason_found(fiber);
}
/* The same of the fiber that runs: for a wait that would be fulfilled at once. Outside of a fiber it is misuse. */
static inline int eff__check_wait(const char *where)
{
	return eff__reason(eff__in_fiber(where));
}
/* A scope of `fiber` has changed: cut its wait short if it can see it. */
void eff__poke(struct eff_fiber *fiber);
void eff__ready(struct eff_fiber *fiber);
/* Leave the innermost scope as eff_scope_end() does, but return only what was deferred failed with. `exit` is borrowed. */
eff_exit eff__scope_leave(struct eff_scope *scope, eff_exit exit);
int eff__fork(
	struct eff_rt *rt, struct eff_scope *scope, const eff *e, struct eff_fiber **ret_fiber);
/* Run what is ready, at most `budget` switches, on the main stack. */
void eff__run_ready(struct eff_rt *rt, size_t budget);
static inline void eff__scope_init(
	struct eff_scope *scope, struct eff_fiber *fiber, struct eff_scope *outer)
{
	scope->outer = outer;
	scope->fiber = fiber;
	eff_list_init(&scope->fibers);
	eff_list_init(&scope->finalizers);
	scope->env = NULL;
	scope->limit.armed = 0;
	scope->limit_at = EFF_FOREVER;
	scope->reason = 0;
	scope->depth = outer ? outer->depth + 1 : 1;
	scope->closing = false;
}
/* The next scope outwards, across fibers; NULL around the runtime's. */
static inline struct eff_scope *eff__scope_around(const struct eff_scope *scope)
{
	if (scope->outer || !scope->fiber)
		return scope->outer;
	return scope->fiber->owner;
}
/* The first link with this key, from `scope` outwards; NULL. */
const struct eff_env *eff__env_find(const struct eff_scope *scope, const struct eff_key *key);
/* Take a link out again. It must hang there. */
void eff__env_without(struct eff_scope *scope, const struct eff_env *node);
/* The backend is opened at the first need of it: with a real clock at once, with a virtual one when something real is waited
 * for. To be called before rt->loop is used. 0 or -errno. */
int eff__rt_loop(struct eff_rt *rt);
/* Spread a seed over the state of eff_random(). */
void eff__random_seed(struct eff_rt *rt, uint64_t seed);

/* Tell a hook, or stderr. */
void eff__tell_deadlock(struct eff_rt *rt);
void eff__tell_late(struct eff_rt *rt);
void eff__tell_unhandled(struct eff_rt *rt, const char *name, eff_exit exit);

/* ── clock ── */

eff_ns eff__now(const struct eff_rt *rt);
eff_ns eff__monotonic(void);
struct eff_testclock {
	struct eff_rt *rt; /* of the runtime that uses it; NULL */
	eff_ns now, start;
	bool autojump;
	bool advancing;
	struct eff_list waiters; /* fibers inside eff_testclock_advance() */
};
/* Move a virtual clock on to what is due next, at most to `until`, and wake that one thing. False: nothing is due by then. */
bool eff__clock_step(struct eff_testclock *clock, eff_ns until);
/* The first fiber inside eff_testclock_advance() waits for this; INT64_MIN: there is none. */
eff_ns eff__clock_wanted(const struct eff_testclock *clock);
/* Run until nothing is ready (at the virtual clock's present). Main stack only. */
void eff__rt_settle(struct eff_rt *rt);

/* ── D: what the loop's turn calls ── */

/* Called by a backend's wait(): `events` are there on `fd`; 0: it cannot be watched (any more). */
void eff__fd_ready(struct eff_rt *rt, int fd, int events);
/* Tell a new host what is watched so far. 0 or -errno. */
int eff__fds_host(struct eff_rt *rt);
void eff__fds_free(struct eff_rt *rt);
void eff__procs_free(struct eff_rt *rt);
void eff__threads_free(struct eff_rt *rt);
/* With a virtual clock: see whether jobs hang. Returns when that is to be done again, in real time. */
eff_ns eff__threads_look(struct eff_rt *rt);

/* A callback in place of waiting fibers, one a descriptor: called in the loop's turn for as long as it is installed. It
 * does not suspend; it may take itself and others away. eff__fd_forget() ends it and all waits for the descriptor. */
struct eff__hook {
	void (*fn)(struct eff__hook *hook, int events);
};
int eff__fd_hook(struct eff_rt *rt, int fd, int events, struct eff__hook *hook);
void eff__fd_forget(struct eff_rt *rt, int fd);
/* The same, and close it: *fd is -1 then, and may be before. */
void eff__fd_drop(struct eff_rt *rt, int *fd);

/* Where ends are noticed by SIGCHLD: look at every child. */
void eff__procs_sweep(struct eff_rt *rt);
/* A set of eff_signals that has SIGCHLD in it is open (+1) or closed (-1): then that one sweeps. */
void eff__procs_share_sigchld(struct eff_rt *rt, int change);

#endif
