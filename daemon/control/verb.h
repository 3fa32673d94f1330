/* SPDX-License-Identifier: MIT */
/* What becomes of a verb: one act a unit, judged by looks at the unit. Private to this folder. */
#ifndef EFFD_VERB_H
#define EFFD_VERB_H

#include <stdbool.h>
#include <stdint.h>

#include <eff/time.h>

#include "base/cause.h"
#include "tree/tree.h"

struct json;

enum verb { VERB_START, VERB_STOP, VERB_RESTART, VERB_RESET };

/* A process that ends so soon after it was executed, where readiness is that alone, has failed to start. */
#define VERB_EARLY EFF_MS(200)

struct act {
	enum verb verb;
	struct unit *unit; /* to be looked up again after every wait */
	char *name;
	uint64_t verbs, starts, ends; /* of the unit when it was asked */
	bool dependant;               /* stopped for another's sake */
	const char *outcome;          /* NULL: not decided */
	struct cause *why;            /* of the outcome; NULL: the unit's own */
	struct json *result;
};

/* Decide, if it can be: sets `outcome` and `why`. *wake_at becomes earlier when time alone will decide. Pure but for that. */
void act_judge(struct act *a, struct tree *t, eff_ns now, eff_ns *wake_at);

#endif
