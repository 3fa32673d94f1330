/* SPDX-License-Identifier: MIT */
/* What is said of each unit, kept as text: who asks again pays for what has changed since. Private to this folder. */
#ifndef EFFD_STATUS_H
#define EFFD_STATUS_H

#include <stdint.h>

#include <eff/fiber.h>

struct plan;
struct row;
struct text;
struct tree;

/* One row for each unit of one plan; {0} is none. It takes memory with the first question, and at most once. */
struct rows {
	struct plan *plan; /* referenced; NULL */
	struct row *list;
	uint32_t n;
};
void rows_done(struct rows *rows);

/* Do most of what status_add() has to do for these units, some of them a turn: of thousands the one look at all of them would
 * take long. Suspends where they are many; the tree may be another then. 0, -ECANCELED, -ENOMEM. */
EFF_SUSPENDS int rows_renew(struct rows *rows, struct tree *t, const uint32_t *index, uint32_t n);
/* Add a unit's status, an object, as JSON: of this moment, but for processor time and memory, which are up to a second old, a
 * tenth where its row was just made new. The text has failed when memory has ended. */
void status_add(struct text *text, struct rows *rows, struct tree *t, uint32_t index);

#endif
