/* SPDX-License-Identifier: MIT */
/* What random processes do. */
#include <signal.h>
#include <string.h>

#include "fake/scenario.h"

/* The node that a unit is of: it itself, a replica of it, or a child that was added to it. */
static const struct scenario_node *node_of(const struct scenario *s, const char *unit)
{
	const struct scenario_node *found = &s->nodes[0];
	size_t longest = 0;

	for (unsigned i = 1; i < s->n; i++) {
		size_t len = strlen(s->nodes[i].name);

		if (len <= longest || strncmp(unit, s->nodes[i].name, len) != 0)
			continue;
		if (unit[len] && unit[len] != '@' && unit[len] != '/')
			continue;
		found = &s->nodes[i];
		longest = len;
	}
	return found;
}

static uint64_t seed_of(const struct scenario *made, const char *unit, unsigned n)
{
	uint64_t seed = scenario_mix(made->seed ^ scenario_mix(n));

	for (const char *c = unit; *c; c++)
		seed = scenario_mix(seed ^ (unsigned char)*c);
	return seed;
}

/* All is drawn, whatever of it is then to be. */
static struct script draw(struct scenario *s)
{
	struct script script = {0};

	script.exec_takes = EFF_MS(PICK(s, 0, 0, 0, 50, 300));
	if (scenario_one_in(s, 40))
		script.exec_takes = EFF_FOREVER;
	if (scenario_one_in(s, 15))
		script.exec_error = 2;
	if (scenario_one_in(s, 60))
		script.exec_stage = "fork";
	script.ready_after = EFF_MS(PICK(s, 0, 0, 100, 1000, 5000));
	script.lives = EFF_MS(PICK(s, 0, 10, 1000, 10000, 30000));
	if (scenario_one_in(s, 2))
		script.lives = EFF_FOREVER;
	script.exits = (int)PICK(s, 0, 0, 1, 3);
	script.dies_by = scenario_one_in(s, 5) ? SIGSEGV : 0;
	script.ignores_term = scenario_one_in(s, 8);
	script.term_takes = EFF_MS(PICK(s, 0, 0, 0, 70, 1500));
	script.term_exits = scenario_one_in(s, 2);
	script.unkillable_for = scenario_one_in(s, 25) ? EFF_MS(PICK(s, 300, 8000)) : 0;
	script.leaves = scenario_one_in(s, 12) ? EFF_MS(PICK(s, 200, 20000, 100000000)) : 0;
	script.left_ignores_term = scenario_one_in(s, 2);
	script.prints = scenario_one_in(s, 3) ? "a line\nand half" : NULL;
	return script;
}

static void tame(struct script *script, uint32_t acts)
{
	if (!(acts & ACT_LINGERS))
		script->exec_takes = 0;
	if (!(acts & ACT_NO_EXEC))
		script->exec_error = 0;
	if (!(acts & ACT_LATE))
		script->ready_after = 0;
	if (!(acts & ACT_ENDS))
		script->lives = EFF_FOREVER;
	if (!(acts & ACT_FAILS))
		script->exits = script->dies_by = 0;
	if (!(acts & ACT_STUBBORN)) {
		script->ignores_term = script->term_exits = false;
		script->term_takes = 0;
	}
	if (!(acts & ACT_STUCK))
		script->unkillable_for = 0;
	if (!(acts & ACT_LEAVES))
		script->leaves = 0;
	if (!(acts & ACT_PRINTS))
		script->prints = NULL;
}

struct script scenario_play(void *context, const char *unit, unsigned n)
{
	const struct scenario *made = context;
	struct scenario s;
	struct script script;

	s.random = seed_of(made, unit, n);
	script = draw(&s);
	tame(&script, node_of(made, unit)->acts);
	return script;
}

struct script scenario_help(void *context, const char *unit, unsigned n)
{
	const struct scenario *made = context;
	struct scenario s;
	struct script script = {.helper = true};

	if (!(node_of(made, unit)->acts & ACT_HELPERS))
		return script;
	s.random = seed_of(made, unit, n + 1000);
	script.exec_takes = EFF_MS(PICK(&s, 0, 0, 0, 50));
	if (scenario_one_in(&s, 20))
		script.exec_error = 2;
	script.lives = EFF_MS(PICK(&s, 0, 0, 10, 300, 3000));
	if (scenario_one_in(&s, 12))
		script.lives = EFF_FOREVER;
	script.exits = (int)PICK(&s, 0, 0, 0, 1);
	script.ignores_term = scenario_one_in(&s, 4);
	script.unkillable_for = scenario_one_in(&s, 25) ? EFF_MS(PICK(&s, 300, 8000)) : 0;
	return script;
}
