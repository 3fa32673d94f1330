/* SPDX-License-Identifier: MIT */
/* Trials: scenarios are played in a child, so that whatever becomes of it (a broken rule, a crash, a loop without end)
 * is a verdict that can be had again. */
#ifndef TESTS_SCENARIO_TRIAL_H
#define TESTS_SCENARIO_TRIAL_H

#include "fake/scenario_run.h"

enum { TRIAL_STORY = 1 << 18, TRIAL_SAID = 1 << 13 };
/* The words of memory that is left, which sanitized builds see. Of many seeds nobody knows whose it was. */
#define TRIAL_LEAK "memory is left"

/* In memory that the child shares: what it has written is there when it has died. */
struct trial {
	uint64_t seed;           /* of the scenario that was under way last */
	char words[400];         /* what went wrong; "": nothing */
	char story[TRIAL_STORY]; /* what was done, and came of it, if that is told */
	size_t story_len;
	bool tells;
	char said[TRIAL_SAID]; /* what stderr has got: the beginning */
	struct tally tally;
	/* What the caller may set. */
	scenario_rule *also;
	void *also_context;
	bool minds_leaks; /* look for memory that is left after each scenario */
	eff_ns limit;     /* of processor time a scenario; 20 s */
	void (*play)(const struct scenario *s, const struct run_opts *opts); /* scenario_run() */
};

struct trial *trial_new(void);
void trial_free(struct trial *t);
/* Play it; true: all rules held. */
bool trial_of(struct trial *t, const struct scenario *s);
/* The scenarios of so many seeds in a row, up to the first that fails: t->seed. */
bool trial_of_seeds(struct trial *t, uint64_t first, uint64_t n);
/* Which rule words are about, that is without names and numbers. */
void trial_rule(const char *words, char *rule, size_t size);

#endif
