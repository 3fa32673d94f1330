/* SPDX-License-Identifier: MIT */
/* The rules that hold whatever happens. One that is broken is a failure of the world's. */
#ifndef TESTS_SCENARIO_RULES_H
#define TESTS_SCENARIO_RULES_H

#include "fake/scenario.h"
#include "fake/world.h"

enum { RULES_SHADOWS = 1024, RULES_PLACES = 4 * RULES_SHADOWS };

/* A rule of a test's own, looked at whenever something happens: what is wrong; NULL: nothing. */
typedef const char *scenario_rule(
	void *context, const struct world *w, const struct fake_event *event);

struct rules {
	struct world *world;
	scenario_rule *also; /* NULL: none */
	void *also_context;
	char broken[300]; /* found in the middle of things; the first one counts */
	/* By unit: is it held, as far as verbs say; when its last run had gone. */
	struct shadow {
		char name[64];
		const struct unit *unit; /* that it is of: another of the same name begins anew */
		uint64_t verbs; /* that it has seen; another may come to lie in its place, and has seen less */
		bool held;
		bool told;     /* this run has had a signal */
		bool prepared; /* its pre_start has begun */
		eff_ns gone_at;
		bool alone; /* its end was a matter of its own then */
	} shadows[RULES_SHADOWS];
	unsigned n_shadows;
	uint16_t places[RULES_PLACES]; /* by a hash of the name: 1 more than the shadow's number */
	uint64_t generation;           /* of the tree at the last look */
	bool is_killing;               /* not effd: somebody */
	/* What there was at the last look, and how often it was still that. */
	uint64_t seen_seq;
	size_t seen_events;
	unsigned n_still;
};

/* Begin anew. */
void rules_begin(struct rules *r, struct world *w);
/* For os_fake_watch(): each thing that happens. context: the rules. */
void rules_watch(void *context, const struct fake_event *event);
/* Look at all of the tree, after each moment; at moments in which nothing has happened only now and then. */
void rules_look(struct rules *r);
/* A verb was given: to stop that one, or (NULL) one that may lift stops. */
void rules_follow(struct rules *r, const struct unit *stopped);

#endif
