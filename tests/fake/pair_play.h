/* SPDX-License-Identifier: MIT */
/* A pair of trees in a world: one is started, the other comes by a reload. What tests of pairs have in common. */
#ifndef TESTS_PAIR_PLAY_H
#define TESTS_PAIR_PLAY_H

#include "fake/pair.h"
#include "fake/world.h"

enum { PAIR_KNOWN = 3 * SCENARIO_NODES * SCENARIO_REPLICAS, PAIR_BATCHES = 8 };

/* What is known of a unit: what its last process was given, and how it was when it was looked at last. */
struct pair_known {
	char name[64];
	char given[160];
	const struct unit *unit;
	enum unit_state state;
	pid_t pid;
	uint64_t starts, restarts, runs;
};

struct pair_play {
	struct pair pair;
	struct world *world;
	struct text story;
	bool tells;
	char broken[300]; /* found in the middle of things; the first one counts */
	struct pair_known known[PAIR_KNOWN];
	unsigned n_known;
};

struct pair_play *play_new(uint64_t seed, bool steady, bool tells);
void play_free(struct pair_play *p);
/* Start this tree, and end it. */
void play_start(struct pair_play *p, const struct pair_tree *tree);
void play_end(struct pair_play *p);
/* Begin the reload to the pair's second tree. */
void play_reload(struct pair_play *p);
/* Time passes, one deadline after the other, and a look after each. */
void play_pass(struct pair_play *p, eff_ns duration);
void play_tell(struct pair_play *p, const char *what, const char *of);
/* By the unit's name. */
struct pair_known *play_known(struct pair_play *p, const char *name);

/* Play so many pairs, or $EFFD_PAIRS of them: batch `index` of PAIR_BATCHES; or the one of $EFFD_SEED. */
void play_batch(int index, unsigned n_pairs, void (*play)(uint64_t seed, bool tells));

#endif
