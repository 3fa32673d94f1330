/* SPDX-License-Identifier: MIT */
/* Variables of an environment, while it is put together. */
#ifndef EFFD_PLAN_ENV_H
#define EFFD_PLAN_ENV_H

#include "plan/draft.h"

struct env_pairs {
	const struct plan_pair *pairs;
	uint32_t n;
};

/* The variables of the file that `node` names, read once. NULL: out of memory. One that cannot be read is empty, and that
 * was said, unless `path` begins with ? and there is no such file. */
const struct env_pairs *env_file_read(struct load *load, struct node *node, const char *path);

#endif
