/* SPDX-License-Identifier: MIT */
/* Health: asking again and again whether something is well. */
#ifndef EFF_HEALTH_H
#define EFF_HEALTH_H

#include <stdint.h>

#include <eff/event.h>
#include <eff/fiber.h>

/* Looked at anew before each use: who owns it may change it meanwhile. */
struct eff_health {
	eff check;         /* OK: it is well */
	eff_ns every;      /* between the end of one attempt and the next one; more than 0 */
	eff_ns timeout;    /* of one attempt; 0: none */
	uint32_t failures; /* so many in a row are too many; 0 is 1 */
	/* Sent by who has changed `every`: that holds then for the wait that runs, too, from when it began; NULL: for the next. */
	struct eff_pulse *changed;
};

/* Wait `every`, ask, and so on until it has failed too often in a row. An attempt never overlaps another: what it forked has
 * ended, what it deferred has run before the next. Suspends. Returns
 * what the last attempt said, which is the caller's; INTERRUPT or FAIL ETIMEDOUT when it was cut short itself. */
EFF_API EFF_SUSPENDS eff_exit eff_health_watch(const struct eff_health *health);

#endif
