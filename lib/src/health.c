/* SPDX-License-Identifier: MIT */
/* Health checks: the loop around one, and its watch over a child. */
#include <errno.h>

#include <eff/clock.h>
#include <eff/effect.h>
#include <eff/health.h>

#include "supervisor.h"

/* Each time in a scope of its own, with a limit or without: nothing of one attempt is left for the next. */
static eff_exit health_ask(const struct eff_health *health)
{
	return eff_timeout(health->timeout > 0 ? health->timeout : EFF_FOREVER, health->check);
}

static int await_change(struct eff_pulse *changed, eff_ns at)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, at);
	r = eff_pulse_await(changed);
	(void)eff_scope_close(&within);
	return r;
}

/* Until it is to be asked again. 0, or what a wait that is cut short returns. */
static int health_pause(const struct eff_health *health)
{
	eff_ns from = eff_now();
	int r = 0;

	if (!health->changed)
		return eff_sleep(health->every);
	while (r == 0 && eff_now() < eff_ns_add(from, health->every))
		r = await_change(health->changed, eff_ns_add(from, health->every));
	/* Its own time was up, or somebody's around us. */
	return r == -ETIMEDOUT ? eff_check() : r;
}

eff_exit eff_health_watch(const struct eff_health *health)
{
	eff_exit said = eff_ok(NULL);
	uint32_t n = 0;
	int r;

	do {
		eff_exit_drop(said);
		if (health->every <= 0)
			eff__misuse("eff_health_watch", "there is no time between two checks");
		r = health_pause(health);
		said = r < 0 ? eff_exit_of(r) : health_ask(health);
		r = eff_check();
		n = eff_is_ok(said) ? 0 : n + 1;
	} while (r == 0 && (n == 0 || n < health->failures));
	if (r == 0)
		return said;
	eff_exit_drop(said);
	return eff_exit_of(r);
}

eff_exit eff__health_of_child(void *arg)
{
	struct eff_child *c = arg;
	eff_exit said;
	int r = eff_child_await_up(c);

	if (r < 0)
		return eff_exit_of(r);
	said = eff_health_watch(c->health);
	if (eff_check() < 0)
		return said;
	eff__run_of(c)->fault = eff_exit_join(eff_die("its health check failed"), said);
	eff__child_cut(c);
	return eff_ok(NULL);
}
