/* SPDX-License-Identifier: MIT */
/* Bugs of the caller: said in words, by the name of what was called, and the end of the process. */
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

void eff__misuse(const char *where, const char *what)
{
	const struct eff_fiber *self = eff_self();

	(void)fprintf(stderr, "libeff: %s: %s (fiber \"%s\")\n", where, what,
		self ? eff_fiber_name(self) : "none");
	abort();
}
