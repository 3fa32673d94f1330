/* SPDX-License-Identifier: MIT */
/* The fibers that effd brings along. They see no more of effd than a module does. */
#include <string.h>

#include <effd/fiber.h>

#include "unit/unit.h"

/* Does nothing: for `for` long, then ends as `exit` says (success, fail, die). */
static eff_exit builtin_idle(struct effd_fiber *self)
{
	const char *exit = effd_fiber_text(self, "exit", "success");
	int r = eff_sleep(effd_fiber_duration(self, "for", EFF_FOREVER));

	if (r < 0)
		return eff_interrupted();
	if (strcmp(exit, "fail") == 0)
		return eff_failf(1, "as it was told to");
	if (strcmp(exit, "die") == 0)
		return eff_die("as it was told to");
	return eff_ok(NULL);
}

/* Says `text` every `every`. */
static eff_exit builtin_heartbeat(struct effd_fiber *self)
{
	const char *text = effd_fiber_text(self, "text", "alive");
	eff_ns every = effd_fiber_duration(self, "every", EFF_S(5));

	if (every <= 0)
		return eff_failf(1, "every: must be more than 0");
	while (eff_sleep(every) == 0)
		effd_fiber_log(self, "%s", text);
	return eff_interrupted();
}

eff_fn *builtin_fiber(const char *name)
{
	static const struct {
		const char *name;
		eff_exit (*entry)(struct effd_fiber *self);
	} builtins[] = {
		{"idle", builtin_idle},
		{"heartbeat", builtin_heartbeat},
	};

	for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
		if (strcmp(builtins[i].name, name) == 0)
			return (eff_fn *)(void (*)(void))builtins[i].entry;
	return NULL;
}
