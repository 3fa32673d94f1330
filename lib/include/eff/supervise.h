/* SPDX-License-Identifier: MIT */
/* Supervision over effects, after OTP: a supervisor keeps children running by their policies.
 *
 * A child is an effect that says eff_child_up() when it has begun well and ends with an exit. While it is to run, one
 * fiber keeps it: it runs the effect, judges its end, waits out the delay, runs it again. To stop a child is to interrupt
 * that fiber; at rest there is none. A run can be cut short and begun anew without being judged (eff_child_cycle): that is
 * how an operator's restart, a dependency or a reload act. What a child waits for, it waits for inside its effect.
 *
 * The policy table, by the exit's tag: OK is clean, FAIL a failure, DIE abnormal.
 *
 *   end    always  on-success  on-failure  on-abnormal  never
 *   OK     again   again       -           -            -
 *   FAIL   again   -           again       -            -
 *   DIE    again   -           again       again        -
 *
 * An INTERRUPT that nobody asked for counts as FAIL. Delays come from a schedule: its k-th delay before the k-th restart in
 * a row; k is forgotten after `reset_after` of being up without a break. */
#ifndef EFF_SUPERVISE_H
#define EFF_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include <eff/event.h>
#include <eff/fiber.h>
#include <eff/list.h>
#include <eff/schedule.h>
#include <eff/scope.h>

enum eff_restart { EFF_ALWAYS, EFF_ON_SUCCESS, EFF_ON_FAILURE, EFF_ON_ABNORMAL, EFF_NEVER };

struct eff_policy {
	enum eff_restart restart;
	struct eff_sched backoff;
	eff_ns reset_after;
	uint32_t max_restarts; /* restarts in a row; one end more and it has failed; UINT32_MAX: no limit */
	bool critical; /* when it has failed its supervisor fails with it */
};

/* Why a child is at rest. */
enum eff_rest {
	EFF_REST_STOPPED,      /* was told to */
	EFF_REST_DONE,         /* ended clean and is not to run again */
	EFF_REST_FAILED,       /* ended otherwise and is not to run again */
	EFF_REST_MAX_RESTARTS, /* one end too many */
};

enum eff_verdict { EFF_BY_POLICY, EFF_AGAIN, EFF_AT_REST };

struct eff_sup;
struct eff_child;

/* Called in causal order, without suspending, before anyone who waits sees the change. NULL ones are left out. `exit` is
 * borrowed. */
struct eff_sup_hooks {
	/* A child's run has ended by itself. Say so if something outranks the policy. */
	enum eff_verdict (*judge)(struct eff_child *child, eff_exit exit);
	/* It will run again after `delay`. */
	void (*on_backoff)(struct eff_child *child, eff_exit exit, eff_ns delay);
	/* It is at rest. Its fiber is gone; starting it from here is allowed. */
	void (*on_rest)(struct eff_child *child, eff_exit exit, enum eff_rest rest);
};

struct eff_sup {
	struct eff_scope *scope; /* that its children's fibers are forked in */
	const struct eff_sup_hooks *hooks;
	struct eff_list children;
	struct eff_child *failed; /* the critical child that failed; NULL */
	struct eff_pulse changed; /* a child came to rest, went up or left it */
};

/* A child, embedded in what it is part of. Read the fields; write only `policy` and `run`, and only between calls. */
struct eff_child {
	const char *name;
	eff run;
	struct eff_policy policy;
	struct eff_sup *sup;
	struct eff_list link;
	struct eff_fiber *fiber; /* NULL at rest */
	struct eff_scope *life;  /* of the run; NULL between runs */
	struct eff_sched_state pace;
	struct eff_event hurry; /* ends a delay at once */
	eff_ns up_since;        /* of the runtime's clock; -1: not up */
	eff_ns next_at;         /* of its next run, while it waits for it; -1 */
	uint64_t runs;          /* begun */
	bool after_end;         /* this run is one that followed an end by itself */
	bool stopping, cycling, start_again;
	enum eff_rest rest; /* how its last fiber came to rest */
};

/* Open a supervisor in the current scope: when that closes, its children are interrupted and awaited. The caller's memory. */
EFF_API void eff_sup_open(struct eff_sup *sup, const struct eff_sup_hooks *hooks);
/* Put a child under it; it is at rest. The child's memory stays the caller's until eff_sup_remove() or the end of the scope. */
EFF_API void eff_sup_add(struct eff_sup *sup, struct eff_child *child);
/* Take a child at rest out again. */
EFF_API void eff_sup_remove(struct eff_child *child);
/* Suspends until a critical child has failed: returns 0 (sup->failed says which), or -ECANCELED, -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_sup_await(struct eff_sup *sup);
/* Tell all children to stop, the last added first, and wait until all rest. Suspends; masked. In which order they really end
 * is theirs to say. */
EFF_API EFF_SUSPENDS void eff_sup_stop(struct eff_sup *sup);

/* Let it run: from rest it starts at once; out of a delay it runs at once; one that is stopping starts when it has stopped;
 * one that runs is left alone. Does not suspend. Returns 0 or -ENOMEM. */
EFF_API int eff_child_start(struct eff_child *child);
/* Tell it to stop; it is no more to run. Does not suspend. */
EFF_API void eff_child_stop_async(struct eff_child *child);
/* Cut its run short and begin anew, without judging or counting it; out of a delay at once. At rest: nothing. Does not
 * suspend. */
EFF_API void eff_child_cycle(struct eff_child *child);
/* Forget its failures: k is 0. Does not suspend. */
EFF_API void eff_child_reset(struct eff_child *child);
/* Suspends until it rests. Returns 0, -ECANCELED or -ETIMEDOUT. */
EFF_API EFF_SUSPENDS int eff_child_await_rest(struct eff_child *child);

/* For the effect: it is up; it is no longer (its run goes on). */
EFF_API void eff_child_up(struct eff_child *child);
EFF_API void eff_child_not_up(struct eff_child *child);
/* k as it counts now: 0 once it has been up for reset_after. */
EFF_API uint32_t eff_child_failures(const struct eff_child *child);

#endif
