/* SPDX-License-Identifier: MIT */
/* A random scenario, as data: a tree, and what is done to it, both made from a seed before anything runs. The same seed is the
 * same scenario, everywhere.
 *
 * Whatever may be left out of it is a part, and a part that is left out is zero: so one that fails can be made smaller piece by
 * piece (scenario_shrink.h), and what remains is written as short as it is. What a process does is drawn from the
 * seed, the unit's name and the number of the run, so that it is the same when others are left out. */
#ifndef TESTS_SCENARIO_H
#define TESTS_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "fake/os_fake.h"
#include "fake/scenario_parts.h"

enum {
	SCENARIO_NODES = 41, /* with the root */
	SCENARIO_DEPTH = 4,
	SCENARIO_NEEDS = 3,
	SCENARIO_REPLICAS = 3,
	SCENARIO_HOOKS = 5,
	SCENARIO_VERBS = 25,
	SCENARIO_STEPS = 2 * SCENARIO_VERBS + 1, /* time passes between them */
	SCENARIO_CHANGES = 3,
	SCENARIO_CHILDREN = 3
};

enum scenario_edge { EDGE_NEEDS, EDGE_AFTER, EDGE_BEFORE, EDGE_CONFLICTS };

/* An edge to a node that stands before this one. EDGE_BEFORE is said by that one. */
struct scenario_need {
	bool there;
	enum scenario_edge edge;
	unsigned on;
	unsigned number; /* of its replicas; 0: all of them */
	bool optional, restart, bind;
	const char *condition; /* NULL: the default */
};

/* What processes of a unit may do besides running until they are told to stop: bits. */
enum {
	ACT_LINGERS = 1 << 0,  /* before exec */
	ACT_NO_EXEC = 1 << 1,  /* its start fails */
	ACT_LATE = 1 << 2,     /* it says that it is ready, after a while */
	ACT_ENDS = 1 << 3,     /* by itself */
	ACT_FAILS = 1 << 4,    /* … with a code or by a signal */
	ACT_STUBBORN = 1 << 5, /* ignores SIGTERM, or takes its time */
	ACT_STUCK = 1 << 6,    /* not even SIGKILL ends it at once */
	ACT_LEAVES = 1 << 7,   /* something behind */
	ACT_PRINTS = 1 << 8,
	ACT_HELPERS = 1 << 9, /* its hooks and probes are slow, fail, hang */
	ACT_ALL = (1 << 10) - 1
};

/* One unit. Nodes stand in declared order, depth first; node 0 is the root. */
struct scenario_node {
	bool there;
	char key[8];
	char name[64]; /* full */
	unsigned parent, depth;
	enum {
		NODE_PROCESS,
		NODE_FIBER,
		NODE_GROUP,
		NODE_POOL
	} kind; /* pool: its children are added */
	/* What scenario_parts.c lists; 0 is what the language presets, or none. */
	const char *type, *policy, *stop_mode, *fiber_exit;
	unsigned backoff_ms, jitter_percent, max_ms, reset_ms, start_timeout_ms, max_runtime_ms,
		watchdog_ms, idle_ms;
	unsigned stop_ms;  /* SCENARIO_AT_ONCE: none at all */
	unsigned restarts; /* max_restarts, and 1 more */
	unsigned replicas; /* their count, and 1 more */
	unsigned startup, readiness,
		liveness; /* probes: of which kind, see scenario_yaml.c, times 4, and of what */
	bool succeeds, prevents, forces, remains, critical, significant, manual, disabled,
		sequential, asks;             /* asks: stop.command */
	const char *strategy, *auto_shutdown; /* of a group */
	unsigned most, within_ms;             /* intensity; within_ms 0: none */
	const char *overlap;                  /* of its schedule; NULL: none */
	unsigned every_ms, off_ms;            /* every_ms 0: by cron; off_ms: jitter */
	bool idles, hurries;                  /* the root: on_give_up, and shutdown --now */
	uint32_t hooks;                       /* bit n: has the n-th, as fields.def has them */
	uint32_t acts;                        /* ACT_* */
	struct scenario_need needs[SCENARIO_NEEDS];
	unsigned version;
	bool gone; /* a reload has taken it out */
};
#define SCENARIO_AT_ONCE 1000000

#define SCENARIO_VERB_ROWS(X) \
	X(WAIT, "wait") \
	X(START, "start") \
	X(STOP, "stop") \
	X(STOP_NOW, "stop --now") \
	X(RESTART, "restart") \
	X(RESTART_NOW, "restart --now") \
	X(RESET, "reset") \
	X(KILL, "kill") \
	X(RELOAD, "reload") \
	X(ADD, "add") \
	X(REMOVE, "remove") \
	X(REMOVE_NOW, "remove --now") \
	X(DIE, "somebody kills") \
	X(OPEN, "a door opens:") \
	X(CLOSE, "a door closes:")
#define SCENARIO_VERB_ENUM(symbol, name) DO_##symbol,
enum scenario_verb { SCENARIO_VERB_ROWS(SCENARIO_VERB_ENUM) SCENARIO_N_VERBS };

/* Something that a reload changes. */
#define SCENARIO_CHANGE_ROWS(X) \
	X(VERSION) X(GONE) X(ENABLED) X(NEEDS) X(HOOKS) X(SCHEDULE) X(STOP) X(GROUP) X(REPLICAS)
#define SCENARIO_CHANGE_ENUM(symbol) CHANGE_##symbol,
enum scenario_change_what { SCENARIO_CHANGE_ROWS(SCENARIO_CHANGE_ENUM) SCENARIO_N_CHANGES };
struct scenario_change {
	bool there;
	enum scenario_change_what what;
	unsigned node;
	uint64_t to; /* to what: a seed */
};

/* A child that is added to a pool. */
struct scenario_child {
	bool there;
	unsigned name;
	bool stays_down, manual, critical, after, optional;
	unsigned sibling; /* that it needs, if there is one, or comes after; and 1 more */
	unsigned replicas;
};

struct scenario_step {
	bool there;
	enum scenario_verb verb;
	unsigned node, number; /* whom: of the units that are of this node, one; of a door its number */
	eff_ns time;           /* that passes; of a door: until it answers */
	int sig;
	struct scenario_change changes[SCENARIO_CHANGES];
	struct scenario_child children[SCENARIO_CHILDREN];
};

struct scenario {
	uint64_t seed, random;
	struct scenario_node nodes[SCENARIO_NODES];
	unsigned n;
	struct scenario_step steps[SCENARIO_STEPS];
	unsigned n_steps;
};

/* ── scenario.c: random numbers, and the tree ── */

void scenario_make(struct scenario *s, uint64_t seed);
uint64_t scenario_mix(uint64_t x);
/* A number below `n`; true once in `n`; one of those. */
unsigned scenario_below(struct scenario *s, unsigned n);
bool scenario_one_in(struct scenario *s, unsigned n);
unsigned scenario_number(struct scenario *s, const unsigned *list, unsigned n);
const char *scenario_word(struct scenario *s, const char *const *list, unsigned n);
#define PICK(s, ...) \
	scenario_number(s, (const unsigned[]){__VA_ARGS__}, \
		sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned))
#define PICK_WORD(s, ...) \
	scenario_word(s, (const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
/* Is it `outer`, or in it? */
bool scenario_is_around(const struct scenario *s, unsigned outer, unsigned node);
/* Draw anew, as for a new node. */
void scenario_make_group(struct scenario *s, struct scenario_node *node);
void scenario_make_schedule(struct scenario *s, struct scenario_node *node);

/* ── scenario_script.c: what is done ── */

void scenario_make_steps(struct scenario *s);
/* What a reload changes. */
void scenario_change(struct scenario *s, const struct scenario_change *change);
const char *scenario_verb_name(enum scenario_verb verb);

/* ── scenario_yaml.c ── */

/* The tree as a document. The caller's text. */
void scenario_yaml(const struct scenario *s, struct text *text);

/* ── scenario_acts.c: fake_plays, context: the scenario ── */

/* What the n-th run of a unit does; of a hook of it, or a probe. */
struct script scenario_play(void *context, const char *unit, unsigned n);
struct script scenario_help(void *context, const char *unit, unsigned n);

#endif
