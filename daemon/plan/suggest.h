/* SPDX-License-Identifier: MIT */
/* What to write instead of what is not known. */
#ifndef EFFD_PLAN_SUGGEST_H
#define EFFD_PLAN_SUGGEST_H

#include "plan/value.h"

/* Say that a key is not known under `section` (NULL: of the unit itself): E202 for another tool's, else E201. */
void key_unknown(struct load *load, struct node *node, const struct field *section, int kinds);

/* ── foreign.c: names of other tools ── */

/* Say what to write for a key of another tool, below `section`; `own` is a row of that key elsewhere, which may be meant.
 * False: it is none. */
bool foreign_key(struct load *load, struct node *node, const struct field *section,
	const struct field *own);
/* The word for one of another tool, among `words` (NULL: any); NULL: it is none. */
const char *foreign_word(const char *word, const char *words);

/* ── advise.c: where nothing nearer can be said. A diagnostic that has its help keeps it; NULL is fine ── */

/* How the value of this row is written. */
void advise_form(struct load *load, struct diag *diag, const struct field *field);
/* Which keys stand under `section` (NULL: those of a unit of these kinds). */
void advise_keys(struct load *load, struct diag *diag, const struct field *section, int kinds);

#endif
