/* SPDX-License-Identifier: MIT */
/* The watchdog: a unit that promised signs of life has to give one within its time, again and again, from when it is up.
 * One whose signs stay away is stopped as by any stop, its end is the watchdog's. */
#include <errno.h>

#include "base/text.h"
#include "unit/internal.h"

/* Suspends until a sign has come, or the time is up, which one that has said 0 has not. 0, -ETIMEDOUT, -ECANCELED. */
static int await_sign(struct child *c)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(
		&within, c->watchdog_ns ? eff_ns_add(eff_now(), c->watchdog_ns) : EFF_FOREVER);
	r = c->watchdog_bites ? -ETIMEDOUT : eff_pulse_await(&c->alive);
	(void)eff_scope_close(&within);
	return r;
}

eff_exit watchdog_watch(void *arg)
{
	struct child *c = arg;
	char buf[32];
	int r;

	do
		r = await_sign(c);
	while (r == 0);
	if (r != -ETIMEDOUT || eff_check() < 0)
		return eff_interrupted();
	if (c->watchdog_bites)
		unit_fault(c->unit, unit_cause(c->unit, CAUSE_WATCHDOG, NULL, "it asked for it"));
	else
		unit_fault(c->unit,
			unit_cause(c->unit, CAUSE_WATCHDOG, NULL, "no sign of life within %s",
				duration_text(c->watchdog_ns, buf)));
	return eff_ok(NULL);
}
