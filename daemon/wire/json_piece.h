/* SPDX-License-Identifier: MIT */
/* Values where they stand in a text of JSON, looked at one after the other, without memory: for answers that tell of thousands
 * of units, of which a few columns are shown. The text is checked as it is walked through, every byte once; what was given
 * of it was right as far as that, and walk_end() tells of the whole. */
#ifndef EFFD_JSON_PIECE_H
#define EFFD_JSON_PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "wire/json_scan.h"

struct json;
struct text;

/* A value, or a key, as it is written. */
struct json_piece {
	const char *text;
	size_t len; /* 0: there is none */
};

struct json_walk {
	struct json_scan scan;
};

/* Begin before the document. */
void walk_begin(struct json_walk *walk, const char *text, size_t len);
/* The first character of the value that is next, which says what it is; '\0' where there is none. */
char walk_kind(struct json_walk *walk);
/* Go into the object or array that is next. False: it is none. */
bool walk_enter(struct json_walk *walk);
/* Go to the next member (its key is a text) or element (it has none) of what was entered last; what stands before it and was
 * not taken is passed. False: there is no more, and what comes next is what stands behind it. */
bool walk_next(struct json_walk *walk, struct json_piece *ret_key);
/* Take the value that is next. */
struct json_piece walk_take(struct json_walk *walk);
/* Where that value begins; and what stands between there and here, when all of the value has been walked through. */
size_t walk_at(struct json_walk *walk);
struct json_piece walk_since(const struct json_walk *walk, size_t at);
/* Pass what is left. Returns 0, or -EBADMSG when it was no document. */
int walk_end(struct json_walk *walk);

/* The text that a literal is. */
#define PIECE(literal) ((struct json_piece){"\"" literal "\"", sizeof(literal) + 1})
/* Are they written alike? A text that is written with an escape is none that is looked for. */
static inline bool piece_is(struct json_piece piece, struct json_piece other)
{
	return piece.len == other.len && !memcmp(piece.text, other.text, piece.len);
}
bool piece_is_null(struct json_piece piece); /* or none */
/* Add what a text says; of others nothing. */
void piece_add(struct text *to, struct json_piece piece);
/* A number that is not negative; else -1. */
double piece_number(struct json_piece piece);
/* As a value, which the caller frees. NULL: out of memory. */
struct json *piece_read(struct json_piece piece);

#endif
