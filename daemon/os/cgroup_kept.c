/* SPDX-License-Identifier: MIT */
/* A control group that stays from one run to the next, for to make one and to remove it costs more than all else that a
 * run has of it. What a new one would be it has to be again: nobody is in it, nothing is below it, and nothing was set in it
 * that another than effd would have to take back. Limits are effd's own, and set anew for each run.
 *
 * The kernel counts the processor time of all runs together. What those before this one had used is read when it has begun, for
 * to read costs more than all else here, and the child is on its way meanwhile: it is denied some microseconds. Of one that
 * ends as soon as it has begun, again and again, what the wait for it told is taken instead. What that leaves out is mended
 * when it is read the next time. */
#include <eff/clock.h>

#include "os/cgroup.h"

#define JUST_NOW EFF_MS(1)
#define SHORT EFF_MS(100)

enum { MOST_TOLD = 64 };

/* A program may have made groups below its own, which are there though nobody is in them. What was found out just now need
 * not be asked again. */
bool os_cgroup_renew(struct cgroup *group)
{
	group->empty &= eff_now() - group->empty_at < JUST_NOW;
	if (group->killed || !os_cgroup_is_empty(group) || group->frozen ||
		os_cgroup_has_below(group->fd))
		return false;
	group->used = true;
	group->empty = false;
	group->unkilled = 0;
	group->n_oom = os_cgroup_oom_kills(group);
	return true;
}

void os_cgroup_renewed(struct cgroup *group)
{
	bool was_short = eff_now() - group->began_at < SHORT;

	if (was_short && group->cpu_told > 0 && group->n_told < MOST_TOLD) {
		group->n_told++;
		group->cpu_before_us += (uint64_t)(group->cpu_told / EFF_US(1));
	} else {
		group->n_told = 0;
		group->cpu_before_us = os_cgroup_cpu_us(group);
	}
	group->began_at = eff_now();
	group->cpu_told = 0;
}
