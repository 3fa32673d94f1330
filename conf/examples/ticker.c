/* SPDX-License-Identifier: MIT */
/* A fiber unit of one's own, a module: effd loads it into itself and runs it under the same policies as a process. Build
 * it where the tree is (ticker.yaml) and run it:
 *
 *     cc -O2 -fPIC -shared $(pkg-config --cflags eff) -o ticker.so ticker.c
 *     effd -c ticker.yaml
 *
 * It links neither effd nor libeff: effd gives it eff_* and effd_fiber_*. */
#include <eff.h>
#include <effd/fiber.h>

EFFD_FIBER eff_exit ticker(struct effd_fiber *self)
{
	const char *word = effd_fiber_text(self, "word", "tick");
	eff_ns every = effd_fiber_duration(self, "every", EFF_S(1));
	int64_t most = effd_fiber_number(self, "most", INT64_MAX);

	for (int64_t n = 1; n <= most; n++) {
		effd_fiber_log(self, "%s %lld", word, (long long)n);
		effd_fiber_status(self, "%lld so far", (long long)n);
		/* Whoever stops the unit ends this wait; then to return is all that is asked. */
		if (eff_sleep(every) < 0)
			return eff_interrupted();
	}
	return eff_ok(NULL);
}
