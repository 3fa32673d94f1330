/* SPDX-License-Identifier: MIT */
/* Fibers: cooperative threads with stacks of their own and owners.
 *
 * A fiber belongs to the scope that it was forked in: eff_fork() takes the innermost scope of the current fiber. When
 * that scope closes, the fiber is interrupted and awaited before the close returns. A fiber runs until it suspends; it
 * starts at the next turn of the loop, in the order of forks. A fiber that is interrupted before its first step never
 * starts: its exit is INTERRUPT. */
#ifndef EFF_FIBER_H
#define EFF_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff/exit.h>
#include <eff/time.h>

struct eff_fiber;
struct eff_scope;

typedef eff_exit eff_fn(void *arg);

/* An effect: what to do, as a plain value. `name` must live as long as the effect or its fiber. */
typedef struct eff {
	eff_fn *fn;
	void *arg;
	const char *name;
	size_t stack_bytes; /* a page of it is the guard; 0: the runtime's default */
} eff;

#define EFF(f, a) ((eff){.fn = (f), .arg = (a), .name = #f})
#define EFF_NAMED(n, f, a) ((eff){.fn = (f), .arg = (a), .name = (n)})

/* Fork a child of the current scope, of `scope`, or of the runtime. Does not suspend. With `ret_fiber` NULL nobody holds
 * it; else the caller owns a reference and gives it back with eff_fiber_unref(). Returns 0, -ENOMEM, or -ECANCELED when
 * `scope` is closing. */
static inline int eff_fork(eff e, struct eff_fiber **ret_fiber);
static inline int eff_fork_in(struct eff_scope *scope, eff e, struct eff_fiber **ret_fiber);
static inline int eff_fork_daemon(eff e, struct eff_fiber **ret_fiber);

/* The same, by pointer: an effect by value would be copied on its way, which takes a fifth of a fork's time. */
EFF_API int eff_fork_from(const eff *e, struct eff_fiber **ret_fiber);
EFF_API int eff_fork_in_from(struct eff_scope *scope, const eff *e, struct eff_fiber **ret_fiber);
EFF_API int eff_fork_daemon_from(const eff *e, struct eff_fiber **ret_fiber);

static inline int eff_fork(eff e, struct eff_fiber **ret_fiber)
{
	return eff_fork_from(&e, ret_fiber);
}

static inline int eff_fork_in(struct eff_scope *scope, eff e, struct eff_fiber **ret_fiber)
{
	return eff_fork_in_from(scope, &e, ret_fiber);
}

static inline int eff_fork_daemon(eff e, struct eff_fiber **ret_fiber)
{
	return eff_fork_daemon_from(&e, ret_fiber);
}

EFF_API struct eff_fiber *eff_fiber_ref(struct eff_fiber *fiber);
EFF_API void eff_fiber_unref(struct eff_fiber *fiber); /* NULL is fine */

/* Wait for a fiber's end. Suspends. Any number may await, awaiting never kills. Returns 0 and a reference to its exit
 * (the caller drops it; ret_exit may be NULL), -ECANCELED or -ETIMEDOUT, or -EDEADLK when it awaits itself. */
EFF_API EFF_SUSPENDS int eff_await(struct eff_fiber *fiber, eff_exit *ret_exit);
/* Ask it to end: its body's scope is cancelled. Does not suspend. Asking twice is asking once. */
EFF_API void eff_interrupt_async(struct eff_fiber *fiber);
/* Ask, and wait until it has ended, finalizers and all. Suspends. Returns as eff_await() does. */
EFF_API EFF_SUSPENDS int eff_interrupt(struct eff_fiber *fiber, eff_exit *ret_exit);
/* Ask all of them before waiting for any, so that they unwind side by side; NULL ones are left out. Suspends. Returns 0
 * when all have ended; -ECANCELED or -ETIMEDOUT when the caller was cut short, -EDEADLK when it is one of them: then too all
 * have been asked. */
EFF_API EFF_SUSPENDS int eff_interrupt_all(struct eff_fiber *const *fibers, size_t n);
/* Has it ended? Its exit is borrowed from the fiber. */
EFF_API bool eff_poll(const struct eff_fiber *fiber, eff_exit *ret_exit);

/* The fiber that runs now; NULL outside of any. */
EFF_API struct eff_fiber *eff_self(void);
EFF_API const char *eff_fiber_name(const struct eff_fiber *fiber);
EFF_API uint64_t eff_fiber_id(const struct eff_fiber *fiber);
/* Let every other fiber that is ready run once. Suspends. Returns 0, -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_yield(void);
/* Let the loop look at descriptors and clocks once, too: for who does much, to do it a part a turn. Suspends. Returns as
 * eff_yield() does. */
EFF_API EFF_SUSPENDS int eff_await_turn(void);
/* Run fn(arg) on the stack that the runtime was entered with; fn does not suspend. A fiber keeps every page of its stack that
 * it has ever touched, so one that waits for most of its life goes deep elsewhere. Outside of fibers it just calls. Does
 * not suspend: no other fiber runs meanwhile, and eff_self() is NULL. */
EFF_API void eff_deep(void (*fn)(void *arg), void *arg);
/* Would a wait return at once? Does not suspend, and does not look at the clock: a limit that passes while a fiber runs is
 * seen once it has suspended, so who computes for long yields now and then. Returns 0, -ECANCELED or -ETIMEDOUT. */
EFF_API int eff_check(void);

struct eff_fiber_info {
	uint64_t id;
	uint64_t parent_id; /* the fiber that forked it; 0: none did */
	uint64_t owner_id; /* the fiber that has the scope it belongs to; 0: the runtime, or it has ended */
	const char *name;
	const char *state;     /* "new", "ready", "running", "waiting", "ended" */
	const char *waits_for; /* "sleep", "event", "fd" …; NULL */
	int64_t waits_on;      /* which one: a descriptor, a fiber's id, a pid; -1: not known */
	eff_ns wakes_at;       /* of a sleep; else EFF_FOREVER */
	eff_ns limit_at;       /* the nearest limit that it can see; EFF_FOREVER: none */
	eff_ns born_at;
	size_t stack_bytes; /* as it was asked for */
	size_t stack_used;  /* now; 0 before its first step and after its end */
};
/* The name is the fiber's, the words are for ever. Does not suspend. */
EFF_API void eff_fiber_info(const struct eff_fiber *fiber, struct eff_fiber_info *ret_info);
/* The most of its stack that was ever in use, in whole pages that are resident: of this fiber or of one that had the same
 * stack before, for stacks are used again as they are. Asks the kernel. 0: it has no stack now, or that is not known. */
EFF_API size_t eff_fiber_stack_peak(const struct eff_fiber *fiber);

#endif
