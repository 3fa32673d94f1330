/* SPDX-License-Identifier: MIT */
/* The states of a unit, as people and programs see them. One row each in states.def. */
#ifndef EFFD_STATES_H
#define EFFD_STATES_H

#include <stdbool.h>

enum unit_state {
#define STATE(symbol, name, phrase, rest, meaning) UNIT_##symbol,
#include "wire/states.def"
#undef STATE
	UNIT_N_STATES
};

const char *state_name(enum unit_state state);
/* What it is, in a sentence: "up", "in backoff". */
const char *state_phrase(enum unit_state state);
int state_parse(const char *name);       /* an enum unit_state, or -EINVAL */
bool state_rests(enum unit_state state); /* down, done, failed */
/* Its last run was a failure: it waits for another one, or has given up. */
static inline bool state_has_failed(enum unit_state state)
{
	return state == UNIT_BACKOFF || state == UNIT_FAILED;
}

#endif
