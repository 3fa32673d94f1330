/* SPDX-License-Identifier: MIT */
/* The least of a scenario that still breaks the same rule. */
#ifndef TESTS_SCENARIO_SHRINK_H
#define TESTS_SCENARIO_SHRINK_H

#include "fake/scenario_trial.h"

enum { SHRINK_TRIALS = 4000, SHRINK_S = 60 };

struct shrunk {
	char words[400];   /* what is broken */
	struct text tree;  /* as a document */
	struct text story; /* what is done, and what came of it */
	struct text said;  /* what the process has said meanwhile */
	struct text kept;  /* its parts, for EFFD_KEEP */
	unsigned n_trials, n_parts, n_kept;
	bool is_least; /* false: trials or time were over before */
};

/* Leave out of the scenario of this seed what can be left out; t is as it was when that failed. After
 * SHRINK_TRIALS trials, or SHRINK_S seconds, it is good enough. false: it does not fail when it is played alone. */
bool scenario_shrink(struct trial *t, uint64_t seed, struct shrunk *ret_shrunk);
void shrunk_done(struct shrunk *shrunk);
/* All of that, for people; `program`: that plays it again. */
void shrunk_text(const struct shrunk *shrunk, uint64_t seed, const char *program, struct text *text);

#endif
