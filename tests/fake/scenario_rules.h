/* SPDX-License-Identifier: MIT */
/* The rules that hold whatever happens. One that is broken fails the test. */
#ifndef TESTS_SCENARIO_RULES_H
#define TESTS_SCENARIO_RULES_H

#include "fake/scenario.h"
#include "fake/world.h"

enum { RULES_SHADOWS = 10 * SCENARIO_NODES * SCENARIO_REPLICAS };

struct rules {
	struct world *world;
	char broken[300]; /* found in the middle of things; the first one counts */
	/* By unit: is it held, as far as verbs say; when its last run had gone. */
	struct shadow {
		char name[64];
		const struct unit *unit; /* that it is of: another of the same name begins anew */
		uint64_t verbs; /* that it has seen; another may come to lie in its place, and has seen less */
		bool held;
		bool told; /* this run has had a signal */
		eff_ns gone_at;
	} shadows[RULES_SHADOWS];
	unsigned n_shadows;
	uint64_t generation; /* of the tree at the last look */
	bool is_killing;     /* not effd: somebody */
};

/* For os_fake_watch(): each thing that happens. context: the rules. */
void rules_watch(void *context, const struct fake_event *event);
/* Look at all of the tree, after each moment. */
void rules_look(struct rules *r);
/* A verb was given: to stop that one, or (NULL) one that may lift stops. */
void rules_follow(struct rules *r, const struct unit *stopped);

#endif
