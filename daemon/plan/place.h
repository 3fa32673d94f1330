/* SPDX-License-Identifier: MIT */
/* Places in the files that a plan is read from. */
#ifndef EFFD_PLAN_PLACE_H
#define EFFD_PLAN_PLACE_H

#include <stdint.h>

/* Where something stands in a file; line and column count from 1, 0 when there is none. */
struct plan_place {
	const char *file;
	uint32_t line;
	uint32_t column;
};

#endif
