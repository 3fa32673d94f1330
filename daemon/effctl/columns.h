/* SPDX-License-Identifier: MIT */
/* What a text takes of a terminal's line: letters of the East two columns, marks above a letter none. The C library knows
 * them. Bytes that are no UTF-8 count as one each. */
#ifndef EFFCTL_COLUMNS_H
#define EFFCTL_COLUMNS_H

#include <stddef.h>

/* How many columns a text takes. */
size_t text_columns(const char *text);
size_t bytes_columns(const char *text, size_t len);
/* Cut a text to so many columns, at least 1; its last one then shows that something is missing. */
void text_cut(char *text, size_t columns);
/* The same of a name, which is told from others by its end: its first column shows it. */
void name_cut(char *name, size_t columns);

#endif
