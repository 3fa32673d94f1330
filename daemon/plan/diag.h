/* SPDX-License-Identifier: MIT */
/* Diagnostics: what is wrong with a tree, where, and what to write instead. All of them are collected, none ends the
 * collecting; they come out in file order, in the order of lines within a file. Texts are copied, and cut: what they quote
 * may be as long as a tree. */
#ifndef EFFD_DIAG_H
#define EFFD_DIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "plan/plan.h"

struct diag_note {
	struct plan_place at;
	const char *text;
};

struct diag {
	const char *code; /* "E204", "W404" */
	bool is_error;
	struct plan_place at;
	uint32_t width; /* characters under the caret, at least 1 */
	const char *message;
	const char *help;   /* NULL: none */
	const char *source; /* of its line what is shown; NULL: nothing */
	uint32_t before;    /* characters of that before the caret */
	struct diag_note *notes;
	uint32_t n_notes;
};

struct diags;

#define DIAGS_KEPT 1000 /* of more only the number is kept */
#define DIAGS_SHOWN 50  /* as many are printed */
#define DIAG_LINE 160   /* of a longer line only the part around the caret is shown */
#define DIAG_QUOTED 500 /* characters of what a text has in quotes, and then an ellipsis */
#define DIAG_TEXT 4000  /* the same of a whole text */

struct diags *diags_new(void); /* NULL: out of memory */
void diags_free(struct diags *diags);
uint32_t diags_count(const struct diags *diags);    /* those kept */
uint32_t diags_errors(const struct diags *diags);   /* all errors, kept or not */
uint32_t diags_warnings(const struct diags *diags); /* all others */
bool diags_failed(const struct diags *diags);       /* memory ran out: something is missing */
const struct diag *diags_at(const struct diags *diags, uint32_t i); /* sorted by diags_sort() */
void diags_sort(struct diags *diags); /* and says nothing twice; plan_load() has done it */

/* Add one. `code` begins with E or W. NULL: not kept; the functions below take that. The pointer is good until the
 * next diags_add(). */
struct diag *diags_add(struct diags *diags, const char *code, struct plan_place at,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_help(struct diags *diags, struct diag *diag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void diag_note(struct diags *diags, struct diag *diag, struct plan_place at, const char *format,
	...) __attribute__((format(printf, 4, 5)));
/* The source line, or what of it follows a character before the caret; how many characters of it stand before the caret. */
void diag_show(
	struct diags *diags, struct diag *diag, const char *line, size_t len, uint32_t before);
/* How many bytes the first `n` characters have. */
size_t diag_bytes(const char *s, size_t len, uint32_t n);

/* Forget the warnings that are not about this file. */
void diags_keep(struct diags *diags, const char *file);

/* As people read them: `FILE:LINE:COL: error[E204]: text`, the line with a caret, `note:`, `help:`. */
void diags_print(const struct diags *diags, FILE *to);

#endif
