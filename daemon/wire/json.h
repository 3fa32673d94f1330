/* SPDX-License-Identifier: MIT */
/* JSON, and the only door to cJSON. A text is checked whole before cJSON sees it (RFC 8259 to the letter, at most 32
 * levels, UTF-8, no NUL, no key twice, no number that a double cannot hold), because cJSON forgives and recurses.
 * Building never has to be checked call by call: what could not be allocated marks what it was to become part of, and
 * a marked document does not print. Nothing here suspends or logs. All of it is linear in the size of the text. */
#ifndef EFFD_JSON_H
#define EFFD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 32

struct json; /* a value of any type, with all that is in it */

enum json_type {
	JSON_NONE,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_TEXT,
	JSON_ARRAY,
	JSON_OBJECT
};

/* Where a text is no JSON, counted in bytes from 0, and what is the matter, in words ("a key twice"). */
struct json_error {
	size_t offset;
	const char *what;
};

/* Read one document. Returns 0 and a value that the caller frees; -EBADMSG (`error` says why; it may be NULL) or
 * -ENOMEM. `max_values` bounds the values in it, and so the memory (about 80 bytes each); 0 is no bound. */
int json_parse(const char *text, size_t len, size_t max_values, struct json **ret,
	struct json_error *error);
void json_free(struct json *value); /* NULL is fine; only what is part of nothing */

/* New values, part of nothing; NULL when out of memory. A text is copied; of a text that is no UTF-8 the bytes that
 * are none become \xNN. json_text(NULL), a NaN and an infinity are null. */
struct json *json_object(void);
struct json *json_array(void);
struct json *json_text(const char *text);
struct json *json_text_bytes(const char *bytes, size_t len); /* ends at a NUL in it */
struct json *json_number(double number);
struct json *json_int(int64_t number); /* exact to 2^53 */
struct json *json_bool(bool yes);
struct json *json_null(void);
/* A value that somebody printed already: to become part of something and be printed. It has no type that one could read. */
struct json *json_raw(const char *text);

/* Make `value` part of `object` (the key is copied, and not looked for: set each once) or `array`, at its end. They take
 * the value, whatever they return, so finish a value before it becomes part of another: 0, or -ENOMEM, also when `value` or the whole is NULL or marked; the whole is then
 * marked, and neither it nor what it is part of prints. */
int json_set(struct json *object, const char *key, struct json *value);
int json_add(struct json *array, struct json *value);
/* Take a member out, to be the caller's. NULL when there is none. */
struct json *json_take(struct json *object, const char *key);
/* A copy, part of nothing; NULL for NULL or when out of memory. */
struct json *json_copy(const struct json *value);

/* Reading. All accept NULL, which has the type JSON_NONE. What they return belongs to the value. */
enum json_type json_type(const struct json *value);
struct json *json_get(const struct json *object, const char *key); /* NULL: no such member, or no object */
const char *json_as_text(const struct json *value); /* NULL unless it is a text */
/* A member by key, or `otherwise` when it is missing or of another type. json_get_int also when it is no integer. */
const char *json_get_text(const struct json *object, const char *key, const char *otherwise);
double json_get_number(const struct json *object, const char *key, double otherwise);
int64_t json_get_int(const struct json *object, const char *key, int64_t otherwise);
bool json_get_bool(const struct json *object, const char *key, bool otherwise);

/* Members and elements, in order: for (struct json *v = json_first(all); v; v = json_next(v)). */
struct json *json_first(const struct json *whole);
struct json *json_next(const struct json *value);
const char *json_key(const struct json *value); /* of a member; else NULL */
size_t json_count(const struct json *whole);    /* walks them */

/* As text: on one line, or for people. malloc'd; NULL when out of memory or marked. */
char *json_print(const struct json *value);
char *json_print_pretty(const struct json *value);

#endif
