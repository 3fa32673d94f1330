/* SPDX-License-Identifier: MIT */
/* Effects under masks: a resource around a use of it, the mask put off for a while, and one that is left behind. */
#include <eff/effect.h>
#include <eff/scope.h>

#include "internal.h"

eff_exit eff_restore(eff_masked masked, eff e)
{
	struct eff_fiber *self = eff__in_fiber("eff_restore");
	eff_masked inner = self->mask;
	eff_exit exit;
	int r;

	self->mask = masked;
	r = eff_check();
	exit = r < 0 ? eff_exit_of(r) : eff_call(e);
	self->mask = inner;
	return exit;
}

eff_exit eff_bracket(eff_fn *acquire, eff_fn *use, eff_final_fn *release, void *arg)
{
	struct eff_finalizer finalizer;
	struct eff_scope held;
	eff_masked masked;
	eff_exit exit;
	int r = eff_check();

	if (r < 0)
		return eff_exit_of(r);
	eff_scope_open(&held);
	masked = eff_mask();
	exit = eff_call(EFF(acquire, arg));
	if (eff_is_ok(exit)) {
		eff_exit_drop(exit);
		eff_defer_exit(&held, &finalizer, release, arg);
		exit = eff_restore(masked, EFF(use, arg));
	}
	exit = eff_scope_end(&held, exit);
	eff_unmask(masked);
	return exit;
}

eff_exit eff_disconnect(eff e)
{
	struct eff_fiber *fiber;
	eff_exit exit;
	int r = eff_fork_daemon(e, &fiber);

	if (r < 0)
		return eff_exit_of(r);
	r = eff_await(fiber, &exit);
	if (r < 0) {
		eff_interrupt_async(fiber);
		exit = eff_exit_of(r);
	}
	eff_fiber_unref(fiber);
	return exit;
}
