/* SPDX-License-Identifier: MIT */
/* The strict look at a text: whole, before cJSON sees it, or step by step, where a piece is all that is wanted of it. */
#ifndef EFFD_JSON_SCAN_H
#define EFFD_JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "wire/json.h"

/* Is this one document as json_parse() wants it, but for keys that come twice? Returns 0, or -EBADMSG and `error`. */
int json_scan(const char *text, size_t len, size_t max_values, struct json_error *error);
/* The offset of the n-th key (from 0, in the order of the text) of a text that json_scan() took. */
size_t json_scan_key(const char *text, size_t len, size_t n);

/* What may come next, but for blanks; from SCAN_NOTHING on there are no more steps. */
enum scan_next {
	SCAN_VALUE,
	SCAN_VALUE_OR_END,
	SCAN_KEY_OR_END,
	SCAN_COMMA_OR_END,
	SCAN_NOTHING,
	SCAN_WRONG
};

struct json_scan {
	const char *text;
	size_t len, at;
	enum scan_next next;
	unsigned depth;         /* of open brackets */
	uint64_t objects;       /* bit d: the bracket at depth d is a { */
	size_t key_at, key_len; /* the last key, with its quotes */
	size_t n_values, max_values;
	size_t n_keys, stop_key; /* end at this key */
	const char *what;        /* why it is SCAN_WRONG */
};

void json_scan_begin(struct json_scan *s, const char *text, size_t len);
/* Take what `next` says: a bracket, a comma, in an object with the key behind it and its colon, or a whole value that is no
 * object or array. */
void json_scan_step(struct json_scan *s);
/* Go to where the next step begins. */
void json_scan_to(struct json_scan *s);
/* After the last step. Returns 0 if that was all there is, or -EBADMSG. */
int json_scan_end(struct json_scan *s);

#endif
