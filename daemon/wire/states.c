/* SPDX-License-Identifier: MIT */
/* The table of states, read both ways. */
#include <errno.h>
#include <string.h>

#include "wire/states.h"

static const struct {
	const char *name, *phrase;
	bool rests;
} states[UNIT_N_STATES] = {
#define STATE(symbol, name, phrase, rest, meaning) [UNIT_##symbol] = {name, phrase, rest},
#include "wire/states.def"
#undef STATE
};

const char *state_name(enum unit_state state)
{
	return states[state].name;
}

const char *state_phrase(enum unit_state state)
{
	return states[state].phrase;
}

int state_parse(const char *name)
{
	for (int i = 0; i < UNIT_N_STATES; i++) {
		if (!strcmp(states[i].name, name))
			return i;
	}
	return -EINVAL;
}

bool state_rests(enum unit_state state)
{
	return states[state].rests;
}
