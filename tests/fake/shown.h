/* SPDX-License-Identifier: MIT */
/* A writer of status files that writes to memory: whatever becomes of a unit has to reach it. */
#ifndef TESTS_SHOWN_H
#define TESTS_SHOWN_H

#include "fake/world.h"
#include "wire/ledger.h"

enum { SHOWN_MOST = 1024 };

struct shown {
	struct world *world;
	uint64_t generation;
	struct ledger_record records[SHOWN_MOST];
};

/* Instead of the one that control has. */
void shown_begin(struct shown *s, struct world *w);
/* Each unit is written as it is. */
void shown_check(const struct shown *s);

#endif
