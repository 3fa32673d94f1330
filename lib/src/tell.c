/* SPDX-License-Identifier: MIT */
/* What must not be silent: a failure that nobody saw, a deadlock, fibers that outlive a shutdown. A hook is told, or stderr
 * when there is no hook. */
#include <stdio.h>
#include <unistd.h>

#include "internal.h"

static void tell_each(
	struct eff_rt *rt, void (*hook)(void *context, const struct eff_fiber_info *fiber))
{
	if (hook)
		eff_rt_each(rt, hook, rt->hooks.context);
	else
		eff_rt_dump(rt, EFF_DUMP_TREE, eff_dump_stderr, NULL);
}

void eff__tell_deadlock(struct eff_rt *rt)
{
	if (!rt->hooks.on_deadlock)
		eff_dump_stderr(NULL, "libeff: deadlock: all fibers wait and nothing can wake any");
	tell_each(rt, rt->hooks.on_deadlock);
}

void eff__tell_late(struct eff_rt *rt)
{
	if (!rt->hooks.on_late)
		eff_dump_stderr(
			NULL, "libeff: the grace of a shutdown is over, and some still live");
	tell_each(rt, rt->hooks.on_late);
}

void eff__tell_unhandled(struct eff_rt *rt, const char *name, eff_exit exit)
{
	char text[512];

	if (rt->hooks.on_unhandled)
		rt->hooks.on_unhandled(rt->hooks.context, name, exit);
	else
		(void)dprintf(STDERR_FILENO, "libeff: nobody has seen how fiber \"%s\" ended: %s\n",
			name, eff_exit_text(exit, text, sizeof(text)));
}
