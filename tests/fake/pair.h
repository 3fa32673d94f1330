/* SPDX-License-Identifier: MIT */
/* Two trees: a random one, and what a few changes have made of it. */
#ifndef TESTS_PAIR_H
#define TESTS_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "fake/scenario.h"

/* A scenario's tree, and what stands beside it. */
struct pair_tree {
	struct scenario made;
	unsigned environment, label; /* what `defaults` gives to all; 0: nothing */
};

struct pair {
	struct pair_tree before, after;
	unsigned n_keys; /* new names so far */
	/* Nothing ends but what is told to and what is done, and nobody comes by a clock that is soon: whatever way the tree
	 * came to be as it is, it comes to the same. */
	bool steady;
	/* And nothing waits for its turn: else one that waits for good keeps back who comes after it, but not who ran before. */
	bool no_turns;
};

void pair_make(struct pair *p, uint64_t seed, bool steady);
/* The tree after becomes the one before, and another one comes of it. */
void pair_go_on(struct pair *p);
/* A tree as a document. The caller's text. */
void pair_yaml(const struct pair_tree *tree, struct text *text);

/* The node of this name, which may be that of a replica; NULL. */
const struct scenario_node *pair_node(const struct pair_tree *tree, const char *name);
/* By what was made, not by what a plan says of it: does the unit of this name, which is in both, run the same program in both? */
bool pair_keeps_program(const struct pair *p, const char *name);
/* Is there nothing at all that differs for it, but for how many replicas there are? */
bool pair_keeps_all(const struct pair *p, const char *name);
/* May it be stopped, or started again, for the sake of another: does it name one by `bind` or `restart`, before or after? */
bool pair_is_bound(const struct pair *p, const char *name);

#endif
