/* SPDX-License-Identifier: MIT */
/* Bytes that someone else wrote, made fit to be shown. */
#ifndef EFFD_ESCAPE_H
#define EFFD_ESCAPE_H

#include <stddef.h>

struct text;

/* Add bytes with all that is no UTF-8, and every control (tab and newline too, and those of two bytes), as \xNN. A
 * backslash stays as it is. What comes out twice through it is as after the first time. */
void escape_bytes(struct text *to, const char *bytes, size_t len);
/* The same, but controls stay: for a JSON text, where they have escapes of their own. */
void escape_no_utf8(struct text *to, const char *bytes, size_t len);
/* As escape_bytes(), and then as what stands between the quotes of a JSON text. */
void escape_json(struct text *to, const char *bytes, size_t len);

#endif
