/* SPDX-License-Identifier: MIT */
/* This file alone is not instrumented: it is what each step calls. A forked child counts for itself. */
#include "scale/steps.h"

uint64_t steps_taken;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	steps_taken++;
}
