/* SPDX-License-Identifier: MIT */
/* Scopes: lifetimes, cancellation and limits.
 *
 * A fiber's body is a scope; further ones are opened inside, in the caller's memory, and closed innermost first. While a
 * scope is cancelled or over its limit, every wait inside returns -ECANCELED or -ETIMEDOUT, again and again, until the
 * scope is left; the outermost such scope decides which. A mask hides what happens to scopes opened before it; scopes
 * opened inside act as always. A wait that was fulfilled but has not yet returned returns its result.
 * (Level-triggered cancel scopes after Trio; masks after ZIO.) */
#ifndef EFF_SCOPE_H
#define EFF_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include <eff/exit.h>
#include <eff/list.h>
#include <eff/time.h>
#include <eff/timer.h>

struct eff_env;
struct eff_fiber;

/* Caller's memory, initialised by eff_scope_open(); the fields are private. */
struct eff_scope {
	struct eff_scope *outer;
	struct eff_fiber *fiber;
	struct eff_list fibers;     /* forked in it, and not ended */
	struct eff_list finalizers; /* last deferred first */
	const struct eff_env *env;  /* services, last hung first */
	struct eff_timer limit;
	eff_ns limit_at;
	int reason;     /* 0, -ECANCELED, -ETIMEDOUT */
	uint32_t depth; /* 1 is the fiber's body; 0: closed */
	bool closing;
};

/* Open a scope inside the current one. Does not suspend, cannot fail. */
EFF_API void eff_scope_open(struct eff_scope *scope);
/* Waits inside return -ETIMEDOUT from `at` on (the runtime's clock). A later call replaces the limit, EFF_FOREVER lifts it
 * (a limit that has passed has passed). */
EFF_API void eff_scope_limit(struct eff_scope *scope, eff_ns at);
/* Cancel it, from any fiber of the runtime. Does not suspend. */
EFF_API void eff_scope_cancel(struct eff_scope *scope);
/* 0, -ECANCELED or -ETIMEDOUT: what happened to this scope itself. */
EFF_API int eff_scope_reason(const struct eff_scope *scope);
/* Close the innermost scope: interrupt the fibers forked in it, wait until they have ended, run what was deferred, last
 * first, all of it masked. Suspends when it owns fibers, or what was deferred does. Takes `exit`, shows it to what was
 * deferred, and returns it with their failures behind it; an OK exit gives way to the first failure. */
EFF_API EFF_SUSPENDS eff_exit eff_scope_end(struct eff_scope *scope, eff_exit exit);
/* The same for what has no exit. What was deferred is shown OK, INTERRUPT or FAIL ETIMEDOUT, by the scope's reason; its
 * failures are told to the hook for what nobody awaited. Suspends as eff_scope_end() does. Returns eff_scope_reason(). */
EFF_API EFF_SUSPENDS int eff_scope_close(struct eff_scope *scope);
/* The innermost scope of the current fiber. */
EFF_API struct eff_scope *eff_scope_current(void);

/* What is done at an end. `exit` is how it ended, and stays the caller's. Returns how it went itself: OK or a failure of
 * its own, never `exit` again. */
typedef eff_exit eff_final_fn(void *arg, eff_exit exit);

/* Run fn(arg), or fn(arg, exit), when `scope` closes; both in one order, the last deferred first. The node is the caller's
 * and must live until then. In a fiber's body, whose scope closes when it has returned, that is not the body's frame. */
struct eff_finalizer {
	struct eff_list link;
	void (*fn)(void *arg);
	eff_final_fn *final; /* in place of fn; NULL */
	void *arg;
};
EFF_API void eff_defer(
	struct eff_scope *scope, struct eff_finalizer *node, void (*fn)(void *arg), void *arg);
EFF_API void eff_defer_exit(
	struct eff_scope *scope, struct eff_finalizer *node, eff_final_fn *fn, void *arg);

/* From eff_mask() to eff_unmask() waits do not see what happens to scopes opened before the mask. Masks nest; a token is
 * given back in reverse order. eff_unmask(outer token) inside a mask restores the outer state. */
typedef uint32_t eff_masked;
EFF_API eff_masked eff_mask(void);
EFF_API void eff_unmask(eff_masked before);

#endif
