/* SPDX-License-Identifier: MIT */
/* A MiB of this and that: what repeats itself in it, and how many steps each of its bytes may take to be read. */
#ifndef TESTS_SCALE_SHAPE_H
#define TESTS_SCALE_SHAPE_H

#include <stdbool.h>

#include <check.h>

#include "base/text.h"

/* `again` is repeated until there is enough; a `#` in it is the number of the time. With `then` it is half of that, and `then`
 * is repeated behind it. */
struct shape {
	const char *name, *before, *again, *after;
	const char *then, *end; /* NULL: nothing is repeated behind it */
	unsigned steps_a_byte;  /* at most */
	bool multiplies; /* what it makes of a few bytes is bounded as a whole, be they few or many */
};

#define N_SHAPES(shapes) ((int)(sizeof(shapes) / sizeof((shapes)[0])))

/* Reads it all; it may be changed. */
typedef void shape_fn(const struct text *text);

/* Have it read in an eighth of a MiB, in a half and a quarter of that, and in a whole MiB if it is its turn; and fail the test if that
 * takes too many steps or too much memory, for each of its bytes or for twice as many of them. */
void shape_takes(const struct shape *shape, shape_fn *take);
/* A case of its own for the `n` shapes of a table. */
void shapes_add(Suite *suite, const char *name, const TTest *test, int n);

#endif
