/* SPDX-License-Identifier: MIT */
/* One record for each descriptor that was ever looked at, in blocks: it costs its own size and nothing beside it, stays where
 * it is, and is there for the next one that has the number. */
#ifndef EFF_SLOTS_H
#define EFF_SLOTS_H

#include <stddef.h>

/* Zero but for `size` is empty. */
struct eff__slots {
	size_t size; /* of a record */
	char **blocks;
	int n; /* records that there may be */
};
/* NULL: there is none. */
void *eff__slot(const struct eff__slots *slots, int fd);
/* Zeroes when it is new. NULL: no memory. */
void *eff__slot_make(struct eff__slots *slots, int fd);
void eff__slots_done(struct eff__slots *slots);

#endif
