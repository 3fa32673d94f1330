/* SPDX-License-Identifier: MIT */
/* What becomes of a verb: one act a unit, judged by looks at the unit. Private to this folder. */
#ifndef EFFD_VERB_H
#define EFFD_VERB_H

#include <stdbool.h>
#include <stdint.h>

#include <eff.h>

#include "base/cause.h"
#include "tree/tree.h"

struct json;
struct hope;
struct request;

enum verb { VERB_START, VERB_STOP, VERB_RESTART, VERB_RESET };

/* A process that ends so soon after it was executed, where readiness is that alone, has failed to start, and with it a group
 * that it takes with it. */
#define VERB_EARLY EFF_MS(200)

const char *verb_name(enum verb verb);

struct act {
	enum verb verb;
	struct unit *unit; /* to be looked up again after every wait */
	char *name;
	uint64_t verbs, starts, ends; /* of the unit when it was asked */
	bool dependant; /* stopped for another's sake, which may let it run again at any time */
	const char *outcome; /* NULL: not decided */
	struct cause *why;   /* of the outcome; NULL: the unit's own */
	eff_ns sure_at; /* of a group's start: when its first 200 ms of being up are over; 0: it was not up yet */
	struct json *result;
};

/* Decide, if it can be: sets `outcome` and `why`, on the way `sure_at`. *wake_at becomes earlier when time alone will decide. Pure
 * but for that. */
void act_judge(struct act *a, struct hope *hope, eff_ns now, eff_ns *wake_at);
/* Of a unit that is up: is it too late for an end to be a failed start? If time alone will decide *wake_at becomes earlier, else
 * a change of the tree does. */
bool start_is_sure(struct act *a, const struct tree *t, eff_ns now, eff_ns *wake_at);

/* All that one request is about. */
struct acts {
	struct request *req;
	enum verb verb;
	bool now, wait;
	const struct unit *current; /* that is being set going */
	eff_ns until;               /* EFF_FOREVER: no limit */
	struct act *acts;
	uint32_t n, room;
	uint32_t *places; /* by row: where in `acts` the last one of a unit stands, from 1; 0: there is none */
	uint32_t n_decided;
	uint32_t n_looked;   /* so many units the last look at them has cost */
	uint64_t generation; /* of the tree whose units these are */
	bool kept; /* they stay in memory until all is answered, also those that are in no tree any more */
	int error;
};

void acts_done(struct acts *all);
/* The last one of this unit; NULL: there is none. While they are set going: the tree is the same as long. */
struct act *acts_find(struct acts *all, const struct unit *u);
/* One act more; of a unit that has one that is not decided, that one. NULL: out of memory. */
struct act *acts_add(struct acts *all, struct unit *u);
/* Takes the cause. */
void act_decide(struct act *a, const char *outcome, struct cause *why);
/* It has failed, for it waits for another that does not come; `because`, which stays the caller's, is why. */
void act_decide_for(struct act *a, const struct unit *other, struct cause *because);
/* Until all are decided; each is told as it is. Suspends. 0; -errno: nobody is there to be answered. */
EFF_SUSPENDS int acts_await(struct acts *all);
void acts_answer(struct acts *all);

#endif
