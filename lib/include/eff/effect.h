/* SPDX-License-Identifier: MIT */
/* What is done with effects: run here, retry, bound in time. */
#ifndef EFF_EFFECT_H
#define EFF_EFFECT_H

#include <eff/fiber.h>
#include <eff/schedule.h>
#include <eff/time.h>

/* Run it in the current fiber. Suspends as the effect does. Returns its exit. */
EFF_API EFF_SUSPENDS eff_exit eff_call(eff e);
/* Run it in a scope that ends after `limit`. Suspends. Returns its exit, or FAIL ETIMEDOUT when it did not end in time and
 * did not succeed all the same. */
EFF_API EFF_SUSPENDS eff_exit eff_timeout(eff_ns limit, eff e);
/* Run it until it ends with something else than FAIL, by the schedule. Suspends. Returns the last exit; when a delay was
 * cut short INTERRUPT or FAIL ETIMEDOUT, with the last exit behind it. */
EFF_API EFF_SUSPENDS eff_exit eff_retry(eff e, const struct eff_sched *schedule);
/* Run it until it ends with something else than OK, by the schedule. Suspends. Returns the last exit, or as above. */
EFF_API EFF_SUSPENDS eff_exit eff_repeat(eff e, const struct eff_sched *schedule);
/* New runtime, run, shut down, free; SIGINT and SIGTERM interrupt the root. Returns the exit code of a process: 0, the code
 * of a failure (1 to 125, else 1), 134 for DIE, 130 when interrupted. A failure is told on stderr. */
struct eff_rt_opts;
EFF_API int eff_main(eff e, const struct eff_rt_opts *opts);

#define EFF_TRY(result, expression) \
	eff_exit result = (expression); \
	if (!eff_is_ok(result)) \
	return result

#endif
