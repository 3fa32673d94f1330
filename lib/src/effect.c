/* SPDX-License-Identifier: MIT */
/* Effects run here, again, or within a time. */
#include <eff/effect.h>

#include "internal.h"

eff_exit eff_call(eff e)
{
	return e.fn(e.arg);
}

eff_exit eff_timeout(eff_ns limit, eff e)
{
	struct eff_scope within;
	eff_exit exit;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), limit));
	exit = eff_scope_end(&within, eff_call(e));
	if (eff_scope_reason(&within) != -ETIMEDOUT || eff_is_ok(exit))
		return exit;
	/* Of a cancelled scope around it and the limit the outermost decides, here as in any wait. */
	if (exit.tag == EFF_INTERRUPT && eff_check() == -ECANCELED)
		return exit;
	/* What it said because of the limit is the limit; anything else is a cause behind it. */
	if (exit.tag == EFF_INTERRUPT || (exit.tag == EFF_FAIL && exit.code == ETIMEDOUT))
		return (eff_exit){.tag = EFF_FAIL, .code = ETIMEDOUT, .notes = exit.notes};
	return eff_exit_join(eff_fail(ETIMEDOUT), exit);
}

/* Run it in a scope of its own: what is left of one time is gone before the next. */
static eff_exit call_once(eff e)
{
	struct eff_scope scope;

	eff_scope_open(&scope);
	return eff_scope_end(&scope, eff_call(e));
}

bool eff_sched_ask(const struct eff_sched *schedule, struct eff_sched_state *state,
	const eff_exit *last, eff_ns *ret_delay_ns)
{
	struct eff_sched_in in = {.now = eff_now(), .random = eff_random_unit(), .last = last};

	return eff_sched_next(schedule, state, &in, ret_delay_ns);
}

/* Run it until it ends with another tag than `tag`. */
static eff_exit again(eff e, const struct eff_sched *schedule, enum eff_tag tag)
{
	struct eff_sched_state state;
	eff_ns delay;
	eff_exit exit;
	int r;

	eff_sched_begin(&state, eff_now());
	for (;;) {
		exit = call_once(e);
		if (exit.tag != tag || !eff_sched_ask(schedule, &state, &exit, &delay))
			return exit;
		r = eff_sleep(delay);
		if (r < 0)
			return eff_exit_join(eff_exit_of(r), exit);
		eff_exit_drop(exit);
	}
}

eff_exit eff_retry(eff e, const struct eff_sched *schedule)
{
	return again(e, schedule, EFF_FAIL);
}

eff_exit eff_repeat(eff e, const struct eff_sched *schedule)
{
	return again(e, schedule, EFF_OK);
}
