/* SPDX-License-Identifier: MIT */
/* Random pairs of trees: a reload from the one to the other comes to what a start of the other comes to, and who is the same in
 * both has noticed nothing.
 *
 * EFFD_SEED repeats one pair and tells what is done; EFFD_PAIRS is the count. One that fails prints its seed, its trees and
 * what was done. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "fake/pair_play.h"

enum { N_PAIRS = 1200, N_RELOADS = 2 };

#define SETTLED EFF_S(200)

/* ── how it is ── */

static void add_policy(struct text *text, const struct eff_policy *policy)
{
	text_printf(text, " policy %d %lld %u%s%s", (int)policy->restart,
		(long long)policy->reset_after, policy->max_restarts,
		policy->critical ? " critical" : "", policy->significant ? " significant" : "");
}

static void add_group(struct text *text, const struct unit *group)
{
	const struct eff_list *all = &group->sup->children;

	text_printf(text, " group %d %d %d %u %lld of", (int)group->sup->opts.strategy,
		(int)group->sup->opts.order, (int)group->sup->opts.auto_shutdown,
		group->sup->opts.period > 0 ? group->sup->opts.max_restarts : 0,
		(long long)group->sup->opts.period);
	for (const struct eff_list *l = all->next; l != all; l = l->next)
		text_printf(text, " %s", eff_container(l, struct eff_child, link)->name);
}

/* All that counts, a line a unit; the caller's text. */
static void picture(struct pair_play *p, struct text *text)
{
	const struct tree *t = p->world->tree;

	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct unit *u = t->units[i];
		bool runs = os_fake_runs(p->world->fake, u->name);

		WORLD_ASSERT(p->world, u->spec == plan_unit(t->plan, i) && !u->next,
			"%s is still as an old tree says", u->name);
		/* In a group that does not run a wish is one for its next start, and may be left from its last. */
		text_printf(text, "%s %s%s%s", u->name, state_name(u->state),
			u->wanted && (!u->parent || u->parent->group_open) ? " wanted" : "",
			u->held ? " held" : "");
		if (runs)
			text_printf(text, " runs %s", play_known(p, u->name)->given);
		add_policy(text, &u->child.policy);
		if (u->group_open)
			add_group(text, u);
		text_add(text, "\n");
	}
}

/* A fresh one would wait, and its group would still be starting: what it needs anew holds for its next start. */
static bool waits_when_fresh(struct pair_play *p, const struct unit *u, const char *state)
{
	return !strcmp(state, "waiting") || (!p->pair.no_turns && !strcmp(state, "down")) ||
		(!strcmp(state, "starting") && u->spec->kind == PLAN_SUPERVISOR);
}

static const char *line_end(const char *line)
{
	return line + strcspn(line, "\n");
}

/* Line by line; with somebody as it was who would wait now, those who need it need not wait either. */
static void expect_same(struct pair_play *p, const char *fresh, const char *now)
{
	bool somebody_went_on = false;
	char group[64] = " ";

	ck_assert(fresh && now);
	for (; *fresh; fresh = line_end(fresh) + 1, now = line_end(now) + 1) {
		size_t n = (size_t)(line_end(fresh) - fresh);
		char name[64] = "";
		char state[16] = "";
		const struct unit *u;

		if (n == (size_t)(line_end(now) - now) && !memcmp(fresh, now, n))
			continue;
		(void)sscanf(fresh, "%63s %15s", name, state);
		u = tree_find(p->world->tree, name);
		/* What is in a group that would wait would not be there yet. */
		if (strcmp(state, "down") == 0 && strncmp(name, group, strlen(group)) == 0 &&
			name[strlen(group)] == '/')
			continue;
		somebody_went_on |= u && play_known(p, name)->unit == u &&
			play_known(p, name)->state == u->state && waits_when_fresh(p, u, state);
		WORLD_ASSERT(p->world,
			u && waits_when_fresh(p, u, state) &&
				(somebody_went_on || u->spec->kind == PLAN_SUPERVISOR),
			"is: %.*s, after a fresh start: %.*s", (int)(line_end(now) - now), now,
			(int)n, fresh);
		(void)snprintf(group, sizeof(group), "%s", name);
	}
	WORLD_ASSERT(p->world, !*now, "there is also: %s", now);
}

static void remember(struct pair_play *p)
{
	const struct tree *t = p->world->tree;

	for (unsigned i = 0; i < p->n_known; i++)
		p->known[i].unit = NULL;
	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct unit *u = t->units[i];
		struct pair_known *known = play_known(p, u->name);

		known->unit = u;
		known->state = u->state;
		known->pid = u->pid;
		known->starts = u->starts;
		known->restarts = u->restarts;
		known->runs = u->child.runs;
	}
}

/* Groups too: nothing of theirs is a program. */
static void check_kept(struct pair_play *p)
{
	const struct tree *t = p->world->tree;

	for (uint32_t i = 1; i < t->n_units; i++) {
		const struct unit *u = t->units[i];
		const struct pair_known *known = play_known(p, u->name);
		bool both_up = known->unit && known->state == UNIT_UP && u->state == UNIT_UP;

		if (!both_up || pair_is_bound(&p->pair, u->name) ||
			!pair_keeps_program(&p->pair, u->name))
			continue;
		WORLD_ASSERT(p->world,
			known->unit == u && known->pid == u->pid && known->starts == u->starts &&
				known->restarts == u->restarts && known->runs == u->child.runs,
			"%s was touched", u->name);
	}
}

static void check_changes(struct pair_play *p)
{
	struct world *w = p->world;

	for (uint32_t i = 0; i < w->n_changes; i++) {
		const struct plan_change *change = &w->changes[i];

		/* Who starts or stops for another's sake is told, though its own is the same. */
		WORLD_ASSERT(w,
			(change->action != PLAN_DO_LIVE && change->action != PLAN_DO_RESTART) ||
				!pair_keeps_all(&p->pair, change->unit),
			"%s is the same, and the reload says %s %s", change->unit,
			plan_action_name(change->action),
			change->n_fields ? plan_field(change->fields[0])->name : "");
		WORLD_ASSERT(w,
			change->action != PLAN_DO_RESTART ||
				!pair_keeps_program(&p->pair, change->unit),
			"%s runs the same program, and is restarted", change->unit);
	}
}

/* What a start of each of the trees comes to, and then the same by reloads. */
static void play_steady(uint64_t seed, bool tells)
{
	struct pair_play *p = play_new(seed, true, tells);
	struct text fresh[N_RELOADS] = {0};

	for (int i = 0; i < N_RELOADS; i++) {
		play_start(p, &p->pair.after);
		play_pass(p, SETTLED);
		picture(p, &fresh[i]);
		play_end(p);
		if (i + 1 < N_RELOADS)
			pair_go_on(&p->pair);
	}
	pair_make(&p->pair, seed, true);
	play_start(p, &p->pair.before);
	play_pass(p, SETTLED);
	for (int i = 0; i < N_RELOADS; i++) {
		struct text now = {0};

		remember(p);
		play_reload(p);
		play_pass(p, SETTLED);
		ck_assert_int_eq(p->world->reload_result, 0);
		WORLD_ASSERT(p->world, p->world->reloads_under_way == 0, "the reload has not ended");
		check_changes(p);
		check_kept(p);
		picture(p, &now);
		expect_same(p, fresh[i].bytes, now.bytes);
		text_done(&now);
		text_done(&fresh[i]);
		if (i + 1 < N_RELOADS)
			pair_go_on(&p->pair);
	}
	play_end(p);
	play_free(p);
}

START_TEST(a_reload_comes_to_what_a_start_comes_to_and_touches_only_what_changed)
{
	play_batch(_i, N_PAIRS, play_steady);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/pairs");
	TCase *tcase = tcase_create("pairs");

	tcase_set_timeout(tcase, 280);
	tcase_add_loop_test(tcase,
		a_reload_comes_to_what_a_start_comes_to_and_touches_only_what_changed, 0,
		PAIR_BATCHES);
	suite_add_tcase(suite, tcase);
	return suite;
}
