/* SPDX-License-Identifier: MIT */
/* What is said of each unit, kept as text: who asks again pays for what has changed since. Private to this folder. */
#ifndef EFFD_STATUS_H
#define EFFD_STATUS_H

#include <stdint.h>

struct json;
struct plan;
struct row;
struct tree;

/* One row for each unit of one plan; {0} is none. It takes memory with the first question, and at most once. */
struct rows {
	struct plan *plan; /* referenced; NULL */
	struct row *list;
	uint32_t n;
};
void rows_done(struct rows *rows);

/* A unit's status, of this moment: but for processor time and memory, which are up to a tenth of a second old. A value to be
 * printed, not read. NULL: out of memory. */
struct json *json_status(struct rows *rows, struct tree *t, uint32_t index);

#endif
