/* SPDX-License-Identifier: MIT */
/* The terms that a process runs on, besides whom it is and where: its limits, how it is scheduled, what it may do. The plan
 * says them, and the seam to the kernel sees to them. Plain data, without a pointer. */
#ifndef EFFD_TERMS_H
#define EFFD_TERMS_H

#include <stdbool.h>
#include <stdint.h>

#define TERMS_N_LIMITS 16
#define TERMS_INFINITY UINT64_MAX

/* A limit of which one half is not given has that half from effd. */
struct terms_limit {
	uint64_t soft, hard; /* as the kernel counts it; TERMS_INFINITY */
	bool has_soft, has_hard;
};

struct terms {
	struct terms_limit limits[TERMS_N_LIMITS]; /* by RLIMIT_… */
};

/* "nofile" */
const char *terms_limit_name(int resource);

#endif
