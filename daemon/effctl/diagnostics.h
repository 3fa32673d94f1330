/* SPDX-License-Identifier: MIT */
/* Diagnostics of a tree as they come over the wire. */
#ifndef EFFCTL_DIAGNOSTICS_H
#define EFFCTL_DIAGNOSTICS_H

#include <stdio.h>
#include <sys/types.h>

#include "wire/json.h"

/* A file that effd was sent. */
struct sent {
	const char *file, *text; /* NULL: none was */
};

/* As diags_print(), with the line where it was sent, or where the file can be read as the process `effd` (0: unknown) sees
 * it. Nothing for what is no array of them. */
void diagnostics_print(
	FILE *to, const struct json *diagnostics, const struct sent *sent, pid_t effd);

#endif
