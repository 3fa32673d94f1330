/* SPDX-License-Identifier: MIT */
/* A unit's status as it is printed. Private to this folder. */
#ifndef EFFD_STATUS_H
#define EFFD_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct tree;
struct unit;

/* What is counted at each look. */
struct counts {
	uint32_t failures;
	uint32_t children, active, restarts_in_period; /* of a supervisor */
	bool ails;
};

struct counts counts_of(const struct tree *t, uint32_t index);

/* Does it rest until somebody comes to its sockets? */
bool unit_activates(const struct unit *u);

/* What stands in a text for what is filled in later; JSON has no such byte, in texts neither. Most of what a unit has used
 * fits into a hole of ten. */
#define HOLE "\1"
#define HOLE_OF_TEN "\1\1\1\1\1\1\1\1\1\1"

/* An object as JSON, with three holes: the uptime of one that is up, of others the time to the next start; processor time;
 * memory. malloc'ed; NULL: out of memory. */
char *status_print(const struct tree *t, uint32_t index, const struct counts *counts);

#endif
