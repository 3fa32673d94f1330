/* SPDX-License-Identifier: MIT */
/* Random trees and random processes from a seed: the same seed is the same scenario, everywhere. */
#ifndef TESTS_SCENARIO_H
#define TESTS_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "fake/os_fake.h"
#include "tree/tree.h"

enum { SCENARIO_NODES = 14, SCENARIO_NEEDS = 3, SCENARIO_REPLICAS = 3, SCENARIO_HOOKS = 5 };

struct scenario_need {
	unsigned on;     /* a node before it */
	unsigned number; /* of its replicas; 0: all of them */
	bool required, restart, bind;
	const char *condition; /* NULL: the default */
};

/* One unit of a scenario's tree. Nodes stand in declared order, depth first; node 0 is the root. */
struct scenario_node {
	char key[8];
	char name[64]; /* full */
	unsigned parent, depth;
	enum {
		NODE_PROCESS,
		NODE_FIBER,
		NODE_GROUP,
		NODE_POOL
	} kind; /* pool: its children are added */
	const char *type, *policy, *stop_mode, *exit;
	unsigned backoff_ms, jitter_percent, max_ms, stop_ms, start_timeout_ms, max_runtime_ms,
		version;
	int max_restarts; /* -1: no limit */
	int replicas;     /* -1: it says nothing of them */
	unsigned readiness_port, liveness_port, idle_ms;
	bool critical, significant, manual, disabled, sequential, gone;
	const char *strategy, *auto_shutdown; /* of a group */
	unsigned most, within_ms;             /* intensity; within_ms 0: none */
	unsigned hooks;                       /* bit n: has the n-th, as fields.def has them */
	const char *overlap;                  /* of its schedule; NULL: none */
	unsigned every_ms, off_ms;            /* every_ms 0: by cron; off_ms: jitter */
	struct scenario_need needs[SCENARIO_NEEDS];
	unsigned n_needs;
};

struct scenario {
	uint64_t seed, random;
	struct scenario_node nodes[SCENARIO_NODES];
	unsigned n;
	bool idles; /* on_give_up */
};

/* A number below `n`; true once in `n`. */
unsigned scenario_below(struct scenario *s, unsigned n);
bool scenario_one_in(struct scenario *s, unsigned n);
void scenario_make(struct scenario *s, uint64_t seed);
/* Is it `outer`, or in it? */
bool scenario_is_around(const struct scenario *s, unsigned outer, unsigned node);
/* Change something in the tree. */
void scenario_mutate(struct scenario *s);
/* The tree as a document. The caller's text. */
void scenario_yaml(const struct scenario *s, struct text *text);
/* A fake_play: what the n-th run of a unit does, by the seed. context: the scenario. */
struct script scenario_play(void *context, const char *unit, unsigned n);
/* The same of a hook. */
struct script scenario_hook(void *context, const char *unit, unsigned n);

/* ── scenario_pool.c: what an operator adds, and removes ── */

/* Is an end of it a matter of its own, and not of its group? */
bool scenario_ends_alone(const struct unit *u);
/* Units to be added to a supervisor of the tree, as what stands between the braces of `units: {…}`. */
void scenario_additions(
	struct scenario *s, const struct tree *t, const struct unit *pool, struct text *units);
/* One of the units that were added, or of the supervisors that take some; NULL: there is none. */
struct unit *scenario_pick_added(struct scenario *s, const struct tree *t);
struct unit *scenario_pick_pool(struct scenario *s, const struct tree *t);

#endif
