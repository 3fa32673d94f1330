/* SPDX-License-Identifier: MIT */
/* What is said of each unit, kept as text: who asks again pays for what has changed since. Private to this folder. */
#ifndef EFFD_ROWS_H
#define EFFD_ROWS_H

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

/* One look at units. What a process has used is new for so long, and good enough for so long for who looks at many. */
#define LOOK_NEW EFF_MS(100)
#define LOOK_GOOD EFF_S(1)
enum { ROWS_A_TURN = 128 }; /* are made new, then others have theirs */
enum { ROW_BYTES = 384 };   /* of a status, as most are */
struct look {
	eff_ns now;            /* the moment that it tells of */
	eff_ns usage_age;      /* how old processor time and memory may be */
	uint32_t n_made, most; /* rows that were made new so far, and how many may be */
};

/* Make the rows of these units new, some of them a turn: of thousands a look at all of them would take long. Suspends; the
 * tree may be another then. 0, -ECANCELED, -ENOMEM. */
EFF_SUSPENDS int rows_renew(struct rows *rows, struct tree *t, const uint32_t *index, uint32_t n);
/* Add a unit's status, an object, as JSON. The text has failed when memory has ended. Does not suspend. */
void status_add(struct text *text, struct rows *rows, struct tree *t, uint32_t index,
	struct look *look);

#endif
