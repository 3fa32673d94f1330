/* SPDX-License-Identifier: MIT */
/* Playing a scenario: each step of its script in turn, and a look at everything after each moment. A step about units that
 * are not there is nothing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake_parts.h"
#include "fake/scenario_run.h"
#include "fake/shown.h"

struct run {
	struct scenario now; /* reloads change it */
	const struct run_opts *opts;
	struct world *world;
	struct rules rules;
	struct shown shown;
};

static void tell(struct run *run, const char *what, const char *whom)
{
	char line[400];

	if (!run->opts->tell)
		return;
	(void)snprintf(line, sizeof(line), "%lld ms: %s%s%s\n",
		(long long)(world_now(run->world) / EFF_MS(1)), what, *whom ? " " : "", whom);
	run->opts->tell(run->opts->tell_context, line);
}

/* ── time passes ── */

static void look(struct run *run)
{
	if (run->opts->tally)
		tally_events(run->opts->tally, run->world);
	rules_look(&run->rules);
	shown_check(&run->shown);
}

/* One deadline after the other, and a look after each. */
static void pass(struct run *run, eff_ns duration)
{
	struct world *w = run->world;
	eff_ns until = eff_now() + duration;
	eff_ns next;

	world_pass(w, 0);
	look(run);
	while (eff_testclock_next(w->clock, &next) && next <= until) {
		world_pass(w, next - eff_now());
		look(run);
	}
	if (until > eff_now())
		world_pass(w, until - eff_now());
}

/* ── whom a step is about ── */

/* Is it the node's own unit, one of its replicas, or a child that was added to it? */
static bool is_of(const struct unit *u, const struct scenario_node *node)
{
	size_t len = strlen(node->name);

	if (strncmp(u->name, node->name, len) != 0)
		return false;
	return !u->name[len] || u->name[len] == '@' ||
		(node->kind == NODE_POOL && u->name[len] == '/');
}

struct unit *scenario_whom(
	const struct scenario *now, const struct tree *t, const struct scenario_step *step)
{
	const struct scenario_node *node = &now->nodes[step->node];
	bool child = step->verb == DO_REMOVE || step->verb == DO_REMOVE_NOW;
	struct unit *found[200];
	unsigned n = 0;

	for (uint32_t i = 1; i < t->n_units && n < sizeof(found) / sizeof(found[0]); i++)
		if (is_of(t->units[i], node) && (!child || unit_was_added(t->units[i])))
			found[n++] = t->units[i];
	return n ? found[step->number % n] : NULL;
}

/* ── what is done to it ── */

static void do_reload(struct run *run, const struct scenario_step *step)
{
	struct text yaml = {0};

	for (unsigned i = 0; i < SCENARIO_CHANGES; i++)
		if (step->changes[i].there) {
			scenario_change(&run->now, &step->changes[i]);
			if (run->opts->tally)
				run->opts->tally->changes[step->changes[i].what]++;
		}
	scenario_yaml(&run->now, &yaml);
	tell(run, "reload", "");
	if (run->opts->tell)
		run->opts->tell(run->opts->tell_context, yaml.bytes);
	world_reload(run->world, yaml.bytes);
	text_done(&yaml);
	if (run->opts->tally)
		tally_plan(run->opts->tally, run->world->tree->plan);
}

/* A child of this name that is there, for another to be about. */
static const struct unit *sibling_of(
	const struct run *run, const struct unit *pool, const struct scenario_child *child)
{
	char name[80];

	if (!child->sibling || child->sibling - 1 == child->name)
		return NULL;
	(void)snprintf(name, sizeof(name), "%.60s/c%u", pool->name, child->sibling - 1);
	return tree_find(run->world->tree, name);
}

static void say_child(const struct run *run, const struct unit *pool,
	const struct scenario_child *child, struct text *units)
{
	const struct unit *other = sibling_of(run, pool, child);
	const char *before = "";

	text_printf(units, "%sc%u: {", units->len ? ", " : "", child->name);
#define SAY(condition, ...) \
	if (condition) { \
		text_add(units, before); \
		text_printf(units, __VA_ARGS__); \
		before = ", "; \
	}
	SAY(child->stays_down, "restart: no");
	SAY(child->manual, "activate: manual");
	SAY(child->critical, "critical: true");
	SAY(other && child->after, "after: [%s]", other->spec->key);
	SAY(other && !child->after, "depends_on: {%s: {required: %s}}", other->spec->key,
		child->optional ? "false" : "true");
	SAY(child->replicas, "replicas: %u", child->replicas);
#undef SAY
	text_add(units, "}");
}

static void do_add(struct run *run, struct unit *pool, const struct scenario_step *step)
{
	struct text units = {0};
	char what[300];
	int r;

	if (pool->spec->ways->strategy != PLAN_SIMPLE_ONE_FOR_ONE ||
		pool->spec->kind != PLAN_SUPERVISOR)
		return;
	for (unsigned i = 0; i < SCENARIO_CHILDREN; i++)
		if (step->children[i].there)
			say_child(run, pool, &step->children[i], &units);
	if (!units.len)
		return;
	(void)snprintf(what, sizeof(what), "add {%s} to", units.bytes);
	tell(run, what, pool->name);
	r = world_add(run->world, pool->name, units.bytes);
	WORLD_ASSERT(run->world, r == 0 || r == -EEXIST || r == -ESRCH, "add: %s", strerror(-r));
	text_done(&units);
}

static void do_remove(struct run *run, const struct unit *u, bool now)
{
	int r = world_remove(run->world, u->name, now);

	WORLD_ASSERT(run->world, r == 0 || r == -ENOTEMPTY || (r == -EBUSY && !now),
		"remove: %s", strerror(-r));
}

static void do_kill(struct run *run, struct unit *u, const struct scenario_step *step)
{
	struct world *w = run->world;

	run->rules.is_killing = true;
	if (step->verb == DO_KILL)
		(void)tree_signal(w->tree, u, step->sig);
	else if (os_fake_runs(w->fake, u->name))
		os_fake_kill(w->fake, u->name, step->sig);
	run->rules.is_killing = false;
}

static void do_door(struct run *run, const struct scenario_step *step)
{
	bool opens = step->verb == DO_OPEN;
	unsigned number = 1 + step->number % 3;
	char path[20];

	(void)snprintf(path, sizeof(path), "/door/%u", number);
	tell(run, scenario_verb_name(step->verb), path + 6);
	os_fake_port(run->world->fake, (uint16_t)number, opens ? 200 : -ECONNREFUSED, step->time);
	os_fake_socket(run->world->fake, path, opens ? 200 : -ECONNREFUSED, step->time);
}

static void do_verb(struct run *run, const struct scenario_step *step, struct unit *u)
{
	struct tree *t = run->world->tree;

	switch (step->verb) {
	case DO_START:
		(void)tree_start(t, u, NULL, NULL);
		rules_follow(&run->rules, NULL);
		break;
	case DO_STOP:
	case DO_STOP_NOW:
		(void)tree_stop(t, u, NULL, step->verb == DO_STOP_NOW, NULL);
		rules_follow(&run->rules, u);
		break;
	case DO_RESTART:
	case DO_RESTART_NOW:
		(void)tree_restart(t, u, NULL, step->verb == DO_RESTART_NOW, NULL);
		rules_follow(&run->rules, NULL);
		break;
	case DO_RESET:
		(void)tree_reset(t, u, NULL);
		break;
	case DO_REMOVE:
	case DO_REMOVE_NOW:
		do_remove(run, u, step->verb == DO_REMOVE_NOW);
		break;
	default:
		do_kill(run, u, step);
		break;
	}
}

static void do_step(struct run *run, const struct scenario_step *step)
{
	bool about_nobody = step->verb == DO_WAIT || step->verb == DO_RELOAD ||
		step->verb == DO_OPEN || step->verb == DO_CLOSE;
	struct unit *u = about_nobody ? NULL : scenario_whom(&run->now, run->world->tree, step);

	if (!about_nobody && !u)
		return;
	if (run->opts->tally)
		run->opts->tally->verbs[step->verb]++;
	if (step->verb == DO_WAIT)
		pass(run, step->time);
	else if (step->verb == DO_RELOAD)
		do_reload(run, step);
	else if (step->verb == DO_ADD)
		do_add(run, u, step);
	else if (about_nobody)
		do_door(run, step);
	else {
		tell(run, scenario_verb_name(step->verb), u->name);
		do_verb(run, step, u);
	}
}

/* ── from beginning to end ── */

static void begin(struct run *run)
{
	struct text yaml = {0};
	struct world *w;

	scenario_yaml(&run->now, &yaml);
	run->world = w = world_new(yaml.bytes);
	text_done(&yaml);
	os_fake_play(w->fake, "prog", scenario_play, &run->now);
	os_fake_play(w->fake, "hook", scenario_help, &run->now);
	os_fake_play(w->fake, "probe", scenario_help, &run->now);
	rules_begin(&run->rules, w);
	shown_begin(&run->shown, w);
	run->rules.also = run->opts->also;
	run->rules.also_context = run->opts->also_context;
	os_fake_watch(w->fake, rules_watch, &run->rules);
	if (!run->opts->tally)
		return;
	run->opts->tally->scenarios++;
	run->opts->tally->seen_seq = 0;
	tally_plan(run->opts->tally, w->tree->plan);
}

void scenario_run(const struct scenario *s, const struct run_opts *opts)
{
	struct run *run = malloc(sizeof(*run));
	bool now = s->nodes[0].hurries;

	if (!run)
		abort();
	run->now = *s;
	run->opts = opts;
	begin(run);
	for (unsigned i = 0; i < s->n_steps && !run->world->ended; i++)
		if (s->steps[i].there)
			do_step(run, &s->steps[i]);
	tell(run, now ? "shutdown --now" : "shutdown", "");
	world_shutdown(run->world, now);
	while (!run->world->ended && world_now(run->world) < EFF_H(100))
		pass(run, EFF_S(10));
	world_free(run->world);
	free(run);
}
