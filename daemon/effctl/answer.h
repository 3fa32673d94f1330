/* SPDX-License-Identifier: MIT */
/* What effd answers to Status, as a table. It may tell of thousands of units, and is read as it stands in its text. */
#ifndef EFFCTL_ANSWER_H
#define EFFCTL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "effctl/grid.h"
#include "wire/json.h"
#include "wire/json_piece.h"

/* A key, and what is shown of its member. */
#define ANSWER_KEYS 32
struct answer_key {
	struct json_piece key;
	unsigned shown;
};

struct answer {
	struct grid grid;
	size_t n_units;
	bool judges, all_well;
	struct json *read; /* all of the last unit, where it is judged or has something to remark; NULL */
	struct text cell; /* while it is built */
	struct answer_key keys[ANSWER_KEYS];
};

/* `judges`: whether all units are well is asked for. */
void answer_init(struct answer *answer, bool judges);
void answer_done(struct answer *answer);
/* Returns 0; or -EBADMSG when the text is no good reply. */
int answer_read(struct answer *answer, const char *text, size_t len);

/* Up, done, or resting until its schedule or until somebody comes. */
bool status_is_well(const struct json *status);

#endif
