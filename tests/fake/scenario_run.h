/* SPDX-License-Identifier: MIT */
/* A scenario comes about, in a world of its own, under the rules. */
#ifndef TESTS_SCENARIO_RUN_H
#define TESTS_SCENARIO_RUN_H

#include "fake/scenario.h"
#include "fake/scenario_rules.h"
#include "fake/scenario_tally.h"

struct run_opts {
	/* Told what is done, a line each, with the time; NULL: nobody. */
	void (*tell)(void *context, const char *line);
	void *tell_context;
	scenario_rule *also; /* NULL: the rules that there are */
	void *also_context;
	struct tally *tally; /* NULL: nobody counts */
};

/* From its beginning to the end of its tree. A rule that is broken is a failure of the world's. */
void scenario_run(const struct scenario *s, const struct run_opts *opts);

/* Whom a step is about: of the units that are of its node, be it replicas or added children, one; NULL: there is none. */
struct unit *scenario_whom(
	const struct scenario *now, const struct tree *t, const struct scenario_step *step);

#endif
