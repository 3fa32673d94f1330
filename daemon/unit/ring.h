/* SPDX-License-Identifier: MIT */
/* The last lines of a unit, in a bounded buffer that grows only with output. Old lines make way for new ones. */
#ifndef EFFD_RING_H
#define EFFD_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff/time.h>

struct ring;

struct ring_line {
	uint64_t number; /* counts through the whole tree */
	uint64_t before; /* so many bytes came before it, with their newlines; ring_next() says it */
	eff_ns wall_at;
	const char *text; /* raw bytes, without the newline; valid until the next add */
	uint32_t len;
	uint16_t run;   /* in which it was written: the last bits of its number */
	uint8_t stream; /* enum os_stream */
	bool partial;   /* a piece of a long line; more of it follows */
};

struct ring *ring_new(size_t limit_bytes); /* NULL: out of memory */
void ring_free(struct ring *ring);         /* NULL is fine */
void ring_limit(struct ring *ring, size_t limit_bytes);
/* How many bytes of a line of `len` to add at once: all of it, or of one that does not fit a part, so that its last ones stay. */
size_t ring_part(const struct ring *ring, size_t len);
/* Copies the text. A line that does not fit at all, or without memory, is not kept. */
void ring_add(struct ring *ring, const struct ring_line *line);
/* The first line with a number of at least `number`; false when there is none. Ask with 0 for the oldest, then with the last
 * number + 1. NULL rings are empty. */
bool ring_next(const struct ring *ring, uint64_t number, struct ring_line *ret_line);
/* The number of the line that is `n` lines from the end (the oldest when there are fewer). */
uint64_t ring_tail(const struct ring *ring, uint32_t n);
/* The same, of those of one run; UINT64_MAX: it has none. */
uint64_t ring_run_tail(const struct ring *ring, uint16_t run, uint32_t n);
uint32_t ring_count(const struct ring *ring);
/* How many bytes, with their newlines, have come in all, but for lines that did not fit at all. */
uint64_t ring_bytes(const struct ring *ring);

#endif
