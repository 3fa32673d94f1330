/* SPDX-License-Identifier: MIT */
/* Random pairs of trees, with everything failing on the way, operators that stop and start, and reloads that do not wait for
 * each other: the rules hold, each reload ends, and what comes of it goes by the last tree.
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

static void disturb(struct pair_play *p)
{
	struct scenario *s = &p->pair.after.made;
	struct tree *t = p->world->tree;
	struct unit *u = t->units[scenario_below(s, t->n_units)];

	if (!u->parent)
		return;
	switch (scenario_below(s, 6)) {
	case 0:
		play_tell(p, "stop", u->name);
		(void)tree_stop(t, u, NULL, scenario_one_in(s, 3), NULL);
		break;
	case 1:
		play_tell(p, "start", u->name);
		(void)tree_start(t, u, NULL, NULL);
		break;
	case 2:
		os_fake_port(p->world->fake, (uint16_t)(1 + scenario_below(s, 3)),
			scenario_one_in(s, 2) ? 0 : -ECONNREFUSED, 0);
		break;
	default:
		if (!os_fake_runs(p->world->fake, u->name))
			break;
		play_tell(p, "kill", u->name);
		os_fake_kill(p->world->fake, u->name, scenario_one_in(s, 2) ? SIGKILL : SIGTERM);
		break;
	}
}

/* Who rests, or began after the last reload, goes by the last tree, and no reload is left. */
static void check_settled(struct pair_play *p)
{
	const struct tree *t = p->world->tree;

	WORLD_ASSERT(p->world, p->world->reloads_under_way == 0, "a reload has not ended");
	WORLD_ASSERT(p->world, eff_list_empty(&t->graveyard), "the graveyard is not empty");
	for (uint32_t i = 0; i < t->n_units; i++) {
		const struct unit *u = t->units[i];

		WORLD_ASSERT(p->world,
			(u->next ? u->next : u->spec) == plan_unit(t->plan, i) &&
				(u->child.fiber || !u->next),
			"%s is still as an old tree says", u->name);
	}
}

/* Everything fails, operators stop and start, and the next reload does not wait. */
static void play_failing(uint64_t seed, bool tells)
{
	static const eff_ns times[] = {
		0, 0, EFF_MS(1), EFF_MS(50), EFF_MS(500), EFF_S(3), EFF_S(20)};
	struct pair_play *p = play_new(seed, false, tells);
	struct scenario *s = &p->pair.after.made;

	play_start(p, &p->pair.before);
	play_pass(p, times[scenario_below(s, 7)]);
	for (int i = 0; i < 2 + N_RELOADS && !p->world->ended; i++) {
		play_reload(p);
		for (unsigned k = scenario_below(s, 4); k > 0 && !p->world->ended; k--) {
			if (!scenario_one_in(s, 4))
				play_pass(p, times[scenario_below(s, 7)]);
			disturb(p);
		}
		pair_go_on(&p->pair);
	}
	play_pass(p, EFF_S(1000));
	if (!p->world->ended)
		check_settled(p);
	play_tell(p, "shutdown", "");
	world_shutdown(p->world, false);
	play_end(p);
	play_free(p);
}

START_TEST(reloads_end_and_the_rules_hold_while_everything_fails)
{
	play_batch(_i, N_PAIRS, play_failing);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/pairs_failing");
	TCase *tcase = tcase_create("pairs_failing");

	tcase_set_timeout(tcase, 280);
	tcase_add_loop_test(
		tcase, reloads_end_and_the_rules_hold_while_everything_fails, 0, PAIR_BATCHES);
	suite_add_tcase(suite, tcase);
	return suite;
}
