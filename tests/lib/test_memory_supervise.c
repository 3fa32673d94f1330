/* SPDX-License-Identifier: MIT */
/* Whichever allocation fails, in virtual time, under supervisors: children with needs, health checks, restarts and group
 * rounds, children from a template, services. Every run that begins ends; a child that is to run does, or rests and has been
 * told to, with ENOMEM where that is why; a supervisor ends with none of its fibers left. */
#include <errno.h>

#include "memory.h"

Suite *test_suite(void);

struct actor {
	struct eff_child child;
	int begun, ended;
	int n_rests; /* told, since it was started */
	enum eff_rest rest;
	int code;
};

static int n_actors_running;

static eff_exit lives(void *arg)
{
	struct actor *actor = arg;
	int r;

	actor->begun++;
	n_actors_running++;
	eff_child_up(&actor->child);
	r = eff_sleep(EFF_MS(5));
	if (r < 0) {
		eff_masked masked = eff_mask();

		(void)eff_sleep(EFF_MS(1));
		eff_unmask(masked);
	}
	actor->ended++;
	n_actors_running--;
	return r < 0 ? eff_exit_of(r) : eff_failf(1, "as it does");
}

static eff_exit is_well(void *arg)
{
	(void)eff_sleep(EFF_MS(1));
	return eff_ok(arg);
}

static const struct eff_health health = {
	.check = {.fn = is_well, .name = "check"}, .every = EFF_MS(1), .timeout = EFF_MS(2)};

static struct actor *actor_of(struct eff_child *child)
{
	return eff_container(child, struct actor, child);
}

static void on_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	struct actor *actor = actor_of(child);

	HOLDS(actor->begun == actor->ended);
	actor->n_rests++;
	actor->rest = rest;
	actor->code = exit.code;
}

static void on_start(struct eff_child *child)
{
	actor_of(child)->n_rests = 0;
}

static const struct eff_sup_hooks hooks = {.on_start = on_start, .on_rest = on_rest};

static void actor_make(struct actor *actor, const char *name)
{
	*actor = (struct actor){.child = {.name = name,
					.run = EFF(lives, actor),
					.policy = {.restart = EFF_ON_FAILURE,
						.backoff = eff_spaced(EFF_MS(3)),
						.reset_after = EFF_H(1),
						.max_restarts = 3}}};
}

/* ── a group ── */

static void group_play(struct eff_sup *sup, struct actor *actors, int n)
{
	struct eff_scope within;
	int r = eff_sup_start(sup);

	HOLDS(memory_said(r));
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(100));
	(void)eff_sup_await_up(sup);
	r = eff_sup_await(sup);
	(void)eff_scope_close(&within);
	HOLDS(r == 0 || r == -ETIMEDOUT);
	HOLDS(memory_said(eff_sup_change(sup,
		&(struct eff_sup_opts){.hooks = &hooks, .max_restarts = 50, .period = EFF_H(1)})));
	eff_sup_stop(sup);
	HOLDS(!sup->n_fibers && !n_actors_running);
	for (int i = 0; i < n; i++) {
		HOLDS(!actors[i].child.fiber && actors[i].begun == actors[i].ended);
		HOLDS(!actors[i].begun || actors[i].n_rests == 1);
	}
}

static eff_exit group(enum eff_strategy strategy)
{
	enum { N = 3 };
	struct eff_sup_opts opts = {.strategy = strategy,
		.order = EFF_SEQUENTIAL,
		.max_restarts = 8,
		.period = EFF_H(1),
		.hooks = &hooks};
	struct actor actors[N];
	struct eff_child *const needs[] = {&actors[0].child, NULL};
	struct eff_scope scope;
	struct eff_sup sup;
	eff_exit exit;
	int r;

	eff_scope_open(&scope);
	r = eff_sup_open(&sup, &opts);
	HOLDS(memory_said(r));
	for (int i = 0; r == 0 && i < N; i++) {
		actor_make(&actors[i], "one");
		actors[i].child.health = &health;
		actors[i].child.needs = i ? needs : NULL;
		actors[i].child.policy.critical = i == 2;
		eff_sup_add(&sup, &actors[i].child);
	}
	if (r == 0) {
		group_play(&sup, actors, N);
		exit = eff_sup_exit(&sup, 0);
		HOLDS(exit.tag == EFF_OK || exit.tag == EFF_FAIL);
		eff_exit_drop(exit);
	}
	(void)eff_scope_close(&scope);
	return eff_exit_of(r);
}

static eff_exit one_for_all(void *arg)
{
	(void)arg;
	return group(EFF_ONE_FOR_ALL);
}

static eff_exit rest_for_one(void *arg)
{
	(void)arg;
	return group(EFF_REST_FOR_ONE);
}

/* ── from a template ── */

static int n_spawned_ended;

static eff_exit lives_once(void *arg)
{
	int r = eff_sleep(EFF_MS(5));

	n_spawned_ended++;
	return r < 0 ? eff_exit_of(r) : eff_ok(arg);
}

static eff_exit spawned(void *arg)
{
	static const struct eff_child template = {.name = "one of many",
		.run = {.fn = lives_once},
		.policy = {.restart = EFF_NEVER},
		.temporary = true};
	struct eff_sup_opts opts = {.strategy = EFF_SIMPLE_ONE_FOR_ONE, .template = &template};
	struct eff_scope scope;
	struct eff_sup sup;
	int n = 0;

	n_spawned_ended = 0;
	eff_scope_open(&scope);
	if (eff_sup_open(&sup, &opts) == 0) {
		for (int i = 0; i < 20; i++) {
			struct eff_child *child;
			int r = eff_sup_spawn(&sup, i % 2 ? "named" : NULL, arg, &child);

			HOLDS(memory_said(r));
			n += r == 0;
		}
		HOLDS(sup.n_fibers == (uint32_t)n);
		(void)eff_sleep(EFF_MS(10));
		/* All have ended, and are forgotten. */
		HOLDS(n_spawned_ended == n && !sup.n_fibers && eff_list_empty(&sup.children));
	}
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

/* ── verbs ── */

/* It was told to start while it stopped, and starts then; or it cannot, and says that it rests for want of memory. */
static eff_exit started_while_it_stops(void *arg)
{
	struct eff_scope scope;
	struct actor actor;
	struct eff_sup sup;
	int r;

	eff_scope_open(&scope);
	actor_make(&actor, "again");
	actor.child.policy.critical = true;
	r = eff_sup_open(&sup, &(struct eff_sup_opts){.hooks = &hooks});
	HOLDS(r == 0);
	eff_sup_add(&sup, &actor.child);
	r = eff_child_start(&actor.child);
	HOLDS(memory_said(r));
	if (r == 0) {
		(void)eff_sleep(EFF_MS(1));
		eff_child_stop_async(&actor.child);
		HOLDS(eff_child_start(&actor.child) == 0);
		(void)eff_sleep(EFF_MS(2));
		if (actor.child.fiber) {
			HOLDS(actor.begun == 2 && sup.end == EFF_SUP_GOES_ON);
		} else {
			HOLDS(actor.n_rests == 2 && actor.rest == EFF_REST_FAILED);
			HOLDS(actor.code == ENOMEM && actor.child.last.code == ENOMEM);
			HOLDS(sup.end == EFF_SUP_CRITICAL);
		}
	}
	eff_sup_stop(&sup);
	HOLDS(actor.begun == actor.ended);
	(void)eff_scope_close(&scope);
	return eff_ok(arg);
}

/* ── services ── */

static eff_exit fails(void *arg)
{
	(void)eff_sleep(EFF_MS(1));
	++*(int *)arg;
	return eff_failf(1, "as it does");
}

static eff_exit supervised(void *arg)
{
	int n = 0, n_in_window = 0;
	struct eff_supervision how = {
		.restart = EFF_ON_FAILURE, .schedule = eff_spaced(EFF_MS(1)), .max_restarts = 3};
	eff_exit exit = eff_supervise(EFF(fails, &n), &how);

	HOLDS(exit.tag == EFF_FAIL && (exit.code == 1 ? n == 4 : exit.code == ENOMEM));
	eff_exit_drop(exit);
	how.window = EFF_H(1);
	exit = eff_supervise(EFF(fails, &n_in_window), &how);
	HOLDS(exit.tag == EFF_FAIL && (exit.code == 1 ? n_in_window == 4 : exit.code == ENOMEM));
	eff_exit_drop(exit);
	return eff_ok(arg);
}

static eff_exit service_sets(void *arg)
{
	int n = 0;
	struct eff_child inner = {.name = "inner",
		.run = EFF(fails, &n),
		.up_at_once = true,
		.policy = {.restart = EFF_ON_FAILURE,
			.backoff = eff_spaced(EFF_MS(1)),
			.reset_after = EFF_H(1),
			.max_restarts = 2,
			.critical = true}};
	struct eff_services set = {.children = &inner, .n_children = 1};
	struct eff_child outer = {.name = "outer",
		.run = EFF(eff_services_run, &set),
		.policy = {.restart = EFF_NEVER, .critical = true}};
	struct eff_services sets = {.children = &outer, .n_children = 1};
	eff_exit exit = eff_services_run(&sets);

	HOLDS(exit.tag == EFF_FAIL && (exit.code == ENOMEM || (exit.code == 1 && n == 3)));
	eff_exit_drop(exit);
	return eff_ok(arg);
}

/* ── */

static const struct {
	struct scene scene;
	int least;
} scenes[] = {
	{{one_for_all, false}, 15},
	{{rest_for_one, false}, 15},
	{{spawned, false}, 40},
	{{started_while_it_stops, false}, 8},
	{{supervised, false}, 8},
	{{service_sets, false}, 8},
};

START_TEST(whichever_allocation_fails_children_end_or_are_told_to_rest)
{
	memory_sweeps(memory_play, &scenes[_i].scene, scenes[_i].least);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("memory_supervise");
	TCase *tcase = tcase_create("memory_supervise");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, whichever_allocation_fails_children_end_or_are_told_to_rest,
		0, sizeof(scenes) / sizeof(scenes[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
