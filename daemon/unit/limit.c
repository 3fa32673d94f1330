/* SPDX-License-Identifier: MIT */
/* How long a part of a unit's life may take: by a field of its row, counted from when the part began. A reload may give that
 * field another value meanwhile, and EXTEND_TIMEOUT_USEC asks for more; both move the limit that runs. */
#include <errno.h>

#include "unit/internal.h"

eff_ns limit_start(const struct plan_unit *spec)
{
	return spec->ways->start_timeout_ns;
}

eff_ns limit_runtime(const struct plan_unit *spec)
{
	return spec->ways->max_runtime_ns;
}

eff_ns limit_grace(const struct plan_unit *spec)
{
	return spec->ways->stop.timeout_ns;
}

/* A oneshot that has ended clean remains for as long as its row says that it does. */
eff_ns limit_remains(const struct plan_unit *spec)
{
	return spec->ways->remain_after_exit ? EFF_FOREVER : 0;
}

/* Who is allowed nothing any more cannot have asked for more of it. */
static void limit_set(const struct unit *u, struct limit *l)
{
	eff_ns allowed_ns = l->allows(u->spec);
	eff_ns at = eff_ns_add(l->from, allowed_ns);

	if (allowed_ns > 0 && at < l->asked_at)
		at = l->asked_at;
	if (at != l->at)
		eff_scope_limit(&l->within, at);
	l->at = at;
}

void limit_open(struct unit *u, struct limit *l, limit_of *allows)
{
	l->outer = u->limited;
	l->allows = allows;
	l->from = eff_now();
	l->at = EFF_FOREVER;
	l->asked_at = 0;
	eff_scope_open(&l->within);
	limit_set(u, l);
	u->limited = l;
}

bool limit_close(struct unit *u, struct limit *l)
{
	struct limit **at = &u->limited;

	/* One that another fiber opened within it may have yet to be closed. */
	while (*at != l)
		at = &(*at)->outer;
	*at = l->outer;
	return eff_scope_close(&l->within) == -ETIMEDOUT;
}

void limits_follow(struct unit *u)
{
	for (struct limit *l = u->limited; l; l = l->outer)
		limit_set(u, l);
}

void limits_extend(struct unit *u, eff_ns at)
{
	for (struct limit *l = u->limited; l; l = l->outer) {
		if (at > l->asked_at)
			l->asked_at = at;
		limit_set(u, l);
	}
}
