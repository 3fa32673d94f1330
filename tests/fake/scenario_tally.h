/* SPDX-License-Identifier: MIT */
/* How often each kind of thing has occurred in random scenarios: so that none is thought to be tried that never comes. */
#ifndef TESTS_SCENARIO_TALLY_H
#define TESTS_SCENARIO_TALLY_H

#include "fake/scenario.h"
#include "fake/world.h"

enum { TALLY_MOST = 24 };

/* A group of things of one kind: ROW(member, how many there are, the name of the n-th). */
#define TALLY_ROWS(ROW) \
	ROW(verbs, SCENARIO_N_VERBS, scenario_verb_name((enum scenario_verb)n)) \
	ROW(changes, SCENARIO_N_CHANGES, \
		WORD("version", "gone", "enabled", "needs", "hooks", "schedule", "stop", \
			"group", "replicas")) \
	ROW(kinds, 3, WORD("process", "fiber", "supervisor")) \
	ROW(depths, SCENARIO_DEPTH + 1, WORD("0", "1", "2", "3", "4")) \
	ROW(sizes, 4, WORD("below 10", "below 20", "below 30", "30 and more")) \
	ROW(strategies, 4, \
		WORD("one_for_one", "one_for_all", "rest_for_one", "simple_one_for_one")) \
	ROW(orders, 2, WORD("parallel", "sequential")) \
	ROW(shutdowns, 3, WORD("never", "any", "all")) \
	ROW(policies, 5, WORD("always", "on-success", "on-failure", "on-abnormal", "no")) \
	ROW(types, 4, WORD("exec", "notify", "notify-fd", "oneshot")) \
	ROW(modes, 4, WORD("auto", "group", "mixed", "process")) \
	ROW(conditions, 4, WORD("started", "ready", "completed", "completed_successfully")) \
	ROW(edges, 7, \
		WORD("required", "not required", "restart", "bind", "after", "conflicts", \
			"replicas")) \
	ROW(startup, 7, probe_name(n)) \
	ROW(readiness, 7, probe_name(n)) \
	ROW(liveness, 7, probe_name(n)) \
	ROW(hooks, SCENARIO_HOOKS, \
		WORD("pre_start", "on_ready", "post_stop", "on_failure", "on_give_up")) \
	ROW(schedules, 6, \
		WORD("every skip", "every queue", "every kill", "cron skip", "cron queue", \
			"cron kill")) \
	ROW(rest, 7, \
		WORD("critical", "significant", "manual", "disabled", "max_restarts", \
			"intensity", "watchdog")) \
	ROW(states, UNIT_N_STATES, state_name((enum unit_state)n)) \
	ROW(causes, CAUSE_N_KINDS, cause_kind_name((enum cause_kind)n))

struct tally {
#define TALLY_MEMBER(member, count, name) unsigned long member[TALLY_MOST];
	TALLY_ROWS(TALLY_MEMBER)
	unsigned long scenarios;
	uint64_t seen_seq; /* the last event of the present scenario that is counted */
};

/* A scenario begins: its tree, and that of a reload. */
void tally_plan(struct tally *t, const struct plan *plan);
/* What has happened in the tree since the last time. */
void tally_events(struct tally *t, struct world *w);
/* Those that occurred less often than that, one a line: "verbs reset: 3 times". */
void tally_lacks(const struct tally *t, unsigned long least, struct text *text);

#endif
