/* SPDX-License-Identifier: MIT */
/* What is done with effects: run here, again, within a time, under a mask, around a resource, left behind. */
#ifndef EFF_EFFECT_H
#define EFF_EFFECT_H

#include <stdbool.h>

#include <eff/fiber.h>
#include <eff/schedule.h>
#include <eff/scope.h>
#include <eff/time.h>

/* Run it in the current fiber. Suspends as the effect does. Returns its exit. */
EFF_API EFF_SUSPENDS eff_exit eff_call(eff e);
/* Run it in a scope that ends after `limit`: what it forked has ended, what it deferred has run when this returns. A mask
 * inside it delays the limit, one around it does not. Suspends. Returns its exit, or FAIL ETIMEDOUT when it did not end in
 * time and did not succeed all the same; what else it failed with is behind that. When it was interrupted from outside, it
 * is that. */
EFF_API EFF_SUSPENDS eff_exit eff_timeout(eff_ns limit, eff e);
/* Run it until it ends with something else than FAIL, by the schedule, which begins with the first run; each time in a scope
 * of its own, and between two times others have their turn. Suspends. Returns the last exit; when a delay was
 * cut short INTERRUPT or FAIL ETIMEDOUT, with the last exit behind it. */
EFF_API EFF_SUSPENDS eff_exit eff_retry(eff e, const struct eff_sched *schedule);
/* Run it until it ends with something else than OK, by the schedule. Suspends. Returns the last exit, or as above. */
EFF_API EFF_SUSPENDS eff_exit eff_repeat(eff e, const struct eff_sched *schedule);
/* Ask a schedule by the runtime's clock and random numbers, as both do. Does not suspend. Returns as eff_sched_next(). */
EFF_API bool eff_sched_ask(const struct eff_sched *schedule, struct eff_sched_state *state,
	const eff_exit *last, eff_ns *ret_delay_ns);

/* Inside a mask, run `e` as if outside of it: `masked` is what eff_mask() returned, so under a mask around that one it stays
 * masked. Suspends. Returns its exit; INTERRUPT or FAIL ETIMEDOUT without running it, when a wait would not get further. */
EFF_API EFF_SUSPENDS eff_exit eff_restore(eff_masked masked, eff e);
/* Acquire masked, use as the caller could be interrupted, release masked and shown the exit; in a scope, so that what was
 * forked has ended before the release. What is to be used, `arg` says. Nothing is released that was not acquired: an
 * `acquire` that does not return OK must leave nothing. Suspends. Returns the exit of `use`, INTERRUPT or FAIL ETIMEDOUT
 * without calling it when a wait would not get further by then, or the exit of an `acquire` that failed; the
 * failure of `release` is behind it, or in place of an OK. */
EFF_API EFF_SUSPENDS eff_exit eff_bracket(
	eff_fn *acquire, eff_fn *use, eff_final_fn *release, void *arg);
/* Run it in a fiber of the runtime, and if the caller is interrupted or out of time meanwhile, interrupt it and return at
 * once: it ends in the background. So neither it nor its `arg` may rely on the caller's frame or scopes: it finds the
 * services of the runtime. Suspends. Returns its exit, INTERRUPT, FAIL ETIMEDOUT or FAIL ENOMEM. */
EFF_API EFF_SUSPENDS eff_exit eff_disconnect(eff e);

/* Run `n` effects side by side, each in a fiber of its own, begun in their order, at most `most_live` at a time (0: all). Ends
 * early with the first that does not end OK: the others are interrupted and awaited. With EFF_COLLECT all run to their ends.
 * One that cannot be forked has ended with FAIL ENOMEM. Suspends, if n is not 0. Returns OK when all ended so, else the first
 * failure with the others behind it, in the order of their ends (those that were interrupted because of the first are no
 * failures); INTERRUPT or FAIL ETIMEDOUT, with the failures so far behind it, when the caller was cut short: then too all
 * have ended. `outs`, if not NULL, takes n exits in the order of the effects, on every path, which the caller drops; of
 * one that never began it is INTERRUPT. */
enum { EFF_COLLECT = 1 };
EFF_API EFF_SUSPENDS eff_exit eff_all(
	const eff *effects, size_t n, size_t most_live, eff_exit *outs, unsigned flags);
/* Run `n` effects side by side until the first ends OK; the others are interrupted and awaited. What they failed with before
 * is dropped, as is an OK that came too late; what they fail with while they unwind goes to the hook for what nobody awaited. Suspends. Returns the
 * winner's exit and its index (ret_winner may be NULL); when none ended OK, the failures in the order of their ends; when
 * the caller was cut short, as eff_all(); of none, FAIL EINVAL. */
EFF_API EFF_SUSPENDS eff_exit eff_race(const eff *effects, size_t n, size_t *ret_winner);
/* The same, but the first end of any kind wins; if it is a failure, others' failures are behind it. Suspends. */
EFF_API EFF_SUSPENDS eff_exit eff_race_first(const eff *effects, size_t n, size_t *ret_winner);

/* New runtime, run, shut down, free; SIGINT and SIGTERM interrupt the root. Returns the exit code of a process: 0, the code
 * of a failure (1 to 125, else 1), 134 for DIE, 130 when interrupted. A failure is told on stderr. */
struct eff_rt_opts;
EFF_API int eff_main(eff e, const struct eff_rt_opts *opts);

#define EFF_TRY(result, expression) \
	eff_exit result = (expression); \
	if (!eff_is_ok(result)) \
	return result

#endif
