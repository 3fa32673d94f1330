/* SPDX-License-Identifier: MIT */
/* What to write instead of what is not known. */
#ifndef EFFD_PLAN_SUGGEST_H
#define EFFD_PLAN_SUGGEST_H

#include "plan/value.h"

/* Say that a key is not known under `section` (NULL: of the unit itself): E202 for another tool's, else E201. */
void key_unknown(struct load *load, struct node *node, const struct field *section, int kinds);

#endif
