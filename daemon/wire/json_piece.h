/* SPDX-License-Identifier: MIT */
/* Values where they stand in a text that is known to be JSON: looked at one after the other, without memory. For answers that
 * tell of thousands of units, of which a few columns are shown. */
#ifndef EFFD_JSON_PIECE_H
#define EFFD_JSON_PIECE_H

#include <stdbool.h>
#include <stddef.h>

struct json;
struct text;

struct json_piece {
	const char *text;
	size_t len; /* 0: there is none */
};

/* A whole document as a piece. Returns 0, or -EBADMSG when it is none: then nothing below may look at it. */
int piece_check(const char *text, size_t len, struct json_piece *ret);
/* What is in an object or array, for piece_next(); of others nothing is. */
struct json_piece piece_inside(struct json_piece whole);
/* Take the first member (its key is a text) or element (it has none) off. False: there is no more. */
bool piece_next(struct json_piece *inside, struct json_piece *ret_key, struct json_piece *ret_value);
/* The member of that key; none when there is none. */
struct json_piece piece_get(struct json_piece object, const char *key);
/* Is it this text? One that is written with an escape is none that is looked for. */
bool piece_is(struct json_piece piece, const char *text);
bool piece_is_null(struct json_piece piece); /* or none */
/* Add what a text says; of others nothing. */
void piece_add(struct text *to, struct json_piece piece);
/* A number that is not negative; else -1. */
double piece_number(struct json_piece piece);
/* As a value, which the caller frees. NULL: out of memory. */
struct json *piece_read(struct json_piece piece);

#endif
