/* SPDX-License-Identifier: MIT */
/* Whichever allocation fails, in virtual time: fibers, scopes, exits, effects side by side, layers, channels. No call says
 * anything but that it went well or had no memory; what could be begun ends and is awaited; what was handed over arrives; what
 * was acquired is released. */
#include <errno.h>

#include "memory.h"

Suite *test_suite(void);

/* ── fibers ── */

static const struct eff_local depth = {.initial = NULL};
static char word[] = "something";

static eff_exit naps(void *arg)
{
	int r = eff_sleep(EFF_MS(1));

	return r < 0 ? eff_exit_of(r) : eff_ok(arg);
}

static eff_exit sets_a_local(void *arg)
{
	int r = eff_local_set(&depth, arg);

	HOLDS(memory_said(r));
	HOLDS(eff_local_get(&depth) == (r == 0 ? arg : NULL));
	return r < 0 ? eff_exit_of(r) : naps(arg);
}

static eff_exit dies_with_words(void *arg)
{
	return arg ? eff_die("%s", (const char *)arg) : eff_failf(7, "a failure with words");
}

/* NULL: it could not be forked. */
static struct eff_fiber *fork_it(eff e)
{
	struct eff_fiber *fiber = NULL;
	int r = eff_fork(e, &fiber);

	HOLDS(memory_said(r));
	HOLDS((r == 0) == (fiber != NULL));
	return fiber;
}

/* The exit of one that was forked is never lost, unless who awaits it is cut short. */
static void await_it(struct eff_fiber *fiber, enum eff_tag tag, int code)
{
	eff_exit exit = eff_ok(NULL);
	int r = fiber ? eff_await(fiber, &exit) : 0;

	HOLDS(r == 0 || r == eff_check());
	if (fiber && r == 0)
		HOLDS((exit.tag == tag && exit.code == code) ||
			(tag == EFF_OK && memory_ended(exit)));
	eff_exit_drop(exit);
	eff_fiber_unref(fiber);
}

static eff_exit many_fibers(void *arg)
{
	enum { N = 100 };
	struct eff_fiber *fibers[N];

	for (int i = 0; i < N; i++)
		fibers[i] = fork_it(EFF(naps, arg));
	for (int i = 0; i < N; i++)
		await_it(fibers[i], EFF_OK, 0);
	return eff_ok(NULL);
}

static eff_exit fibers(void *arg)
{
	struct eff_fiber *with_local = fork_it(EFF(sets_a_local, word));
	struct eff_fiber *failing = fork_it(EFF(dies_with_words, NULL));
	struct eff_fiber *dying = fork_it(EFF(dies_with_words, word));
	struct eff_fiber *large = fork_it(
		(eff){.fn = naps, .name = "large", .stack_bytes = 1 << 20});
	struct eff_fiber *interrupted = fork_it(EFF(naps, NULL));
	int r = eff_fork_daemon(EFF(naps, NULL), NULL);

	HOLDS(memory_said(r));
	(void)eff_yield();
	if (interrupted)
		HOLDS(eff_interrupt(interrupted, NULL) == 0);
	await_it(interrupted, EFF_INTERRUPT, 0);
	await_it(with_local, EFF_OK, 0);
	await_it(failing, EFF_FAIL, 7);
	await_it(dying, EFF_DIE, 0);
	await_it(large, EFF_OK, 0);
	return many_fibers(arg);
}

/* ── scopes and exits ── */

static eff_exit ends_badly(void *arg, eff_exit exit)
{
	++*(int *)arg;
	HOLDS(exit.tag == EFF_FAIL && exit.code == 3);
	return eff_failf(4, "what was deferred");
}

static eff_exit scopes(void *arg)
{
	struct eff_finalizer nodes[3];
	struct eff_scope scope;
	char text[256];
	eff_exit exit, kept;
	int n_run = 0;

	eff_scope_open(&scope);
	for (int i = 0; i < 3; i++)
		eff_defer_exit(&scope, &nodes[i], ends_badly, &n_run);
	for (int i = 0; i < 3; i++)
		HOLDS(memory_said(eff_fork_in(&scope, EFF(naps, arg), NULL)));
	exit = eff_scope_end(&scope, eff_failf(3, "at %d", 1));
	/* Words may be missing, and causes; what it was is not. */
	HOLDS(n_run == 3);
	exit = eff_exit_note(exit, "noted");
	kept = eff_exit_keep(exit);
	exit = eff_exit_join(exit, eff_exit_note(eff_die("again"), "and again"));
	HOLDS(exit.tag == EFF_FAIL && exit.code == 3);
	HOLDS(eff_exit_text(exit, text, sizeof(text)) == text);
	HOLDS(text[0] == 'f');
	eff_exit_drop(exit);
	eff_exit_drop(kept);
	return eff_ok(NULL);
}

/* ── effects ── */

struct held {
	int acquired, released;
};

static eff_exit acquires(void *arg)
{
	struct held *held = arg;

	held->acquired++;
	return naps(arg);
}

static eff_exit uses(void *arg)
{
	(void)arg;
	return many_fibers(NULL);
}

static eff_exit releases(void *arg, eff_exit exit)
{
	(void)exit;
	((struct held *)arg)->released++;
	return eff_ok(NULL);
}

static eff_exit fails_twice(void *arg)
{
	int *n = arg;

	return ++*n < 3 ? eff_failf(EAGAIN, "not yet") : naps(NULL);
}

static void side_by_side(void)
{
	const eff effects[] = {EFF(naps, NULL), EFF(uses, NULL), EFF(naps, NULL)};
	eff_exit outs[3];
	eff_exit exit = eff_all(effects, 3, 2, outs, EFF_COLLECT);
	bool all = true;

	HOLDS(memory_ended(exit));
	for (int i = 0; i < 3; i++) {
		HOLDS(memory_ended(outs[i]));
		all = all && eff_is_ok(outs[i]);
		eff_exit_drop(outs[i]);
	}
	HOLDS(all == eff_is_ok(exit));
	eff_exit_drop(exit);
	exit = eff_race(effects, 3, NULL);
	HOLDS(memory_ended(exit));
	eff_exit_drop(exit);
	exit = eff_race_first(effects, 3, NULL);
	HOLDS(memory_ended(exit));
	eff_exit_drop(exit);
}

static eff_exit effects(void *arg)
{
	struct eff_sched schedule = eff_recurs(5);
	struct held held = {0};
	eff_exit exit;
	int n = 0;

	side_by_side();
	exit = eff_retry(EFF(fails_twice, &n), &schedule);
	HOLDS(memory_ended(exit) && n == 3);
	eff_exit_drop(exit);
	exit = eff_bracket(acquires, uses, releases, &held);
	HOLDS(memory_ended(exit) && held.acquired == 1 && held.released == 1);
	eff_exit_drop(exit);
	exit = eff_timeout(EFF_MS(1) / 2, EFF(uses, arg));
	HOLDS(memory_ended(exit) || exit.code == ETIMEDOUT);
	eff_exit_drop(exit);
	return eff_disconnect(EFF(naps, NULL));
}

/* ── layers ── */

static const struct eff_key keys[] = {{"a"}, {"b"}, {"c"}, {"d"}};
static struct held layered;

static eff_exit opens(void *arg)
{
	struct eff_fiber *fiber = fork_it(EFF(naps, NULL));
	eff_exit exit = fiber ? naps(arg) : eff_fail(ENOMEM);

	layered.acquired += eff_is_ok(exit);
	eff_fiber_unref(fiber);
	return exit;
}

static eff_exit closes(void *arg, eff_exit exit)
{
	(void)arg;
	(void)exit;
	layered.released++;
	return eff_failf(9, "hard to close");
}

static const struct eff_layer layer_a = {
	.name = "a", .provides = &keys[0], .acquire = opens, .release = closes};
static const struct eff_layer layer_b = {.name = "b",
	.provides = &keys[1],
	.needs = EFF_NEEDS(&keys[0]),
	.acquire = opens,
	.release = closes};
static const struct eff_layer layer_c = {.name = "c",
	.provides = &keys[2],
	.needs = EFF_NEEDS(&keys[0]),
	.includes = EFF_INCLUDES(&layer_a),
	.acquire = opens,
	.release = closes};
static const struct eff_layer layer_d = {.name = "d",
	.provides = &keys[3],
	.needs = EFF_NEEDS(&keys[1], &keys[2]),
	.includes = EFF_INCLUDES(&layer_b, &layer_c),
	.acquire = opens,
	.release = closes};

static eff_exit layers(void *arg)
{
	struct eff_scope scope;
	eff_exit exit;

	layered = (struct held){0};
	eff_scope_open(&scope);
	exit = eff_layers_build(&scope, (const struct eff_layer *[]){&layer_d}, 1);
	HOLDS(memory_ended(exit));
	HOLDS(!eff_is_ok(exit) || layered.acquired == 4);
	HOLDS(eff_is_ok(exit) || layered.acquired == layered.released);
	eff_exit_drop(exit);
	exit = eff_scope_end(&scope, eff_ok(arg));
	HOLDS(layered.acquired == layered.released);
	HOLDS(eff_is_ok(exit) || exit.code == 9);
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

/* ── channels ── */

static struct {
	struct eff_queue queue;
	struct eff_hub hub;
	struct eff_sem sem;
	struct eff_mutex mutex;
	struct eff_deferred deferred;
	int ring[2], hub_ring[2];
	int sent, received, cast, heard, inside;
} given;

static eff_exit locks(void *arg)
{
	eff_exit exit;

	HOLDS(!given.inside++);
	exit = naps(arg);
	given.inside--;
	return exit;
}

static eff_exit sends(void *arg)
{
	for (int i = 0; i < 5; i++) {
		given.sent += eff_queue_send(&given.queue, &i) == 0;
		given.cast += eff_hub_send(&given.hub, &i) == 0;
	}
	return eff_mutex_with(&given.mutex, EFF(locks, arg));
}

static eff_exit receives(void *arg)
{
	int message;

	while (eff_queue_receive(&given.queue, &message) == 0)
		given.received++;
	return eff_sem_with(&given.sem, 1, EFF(locks, arg));
}

static eff_exit listens(void *arg)
{
	struct eff_subscriber *me = arg;
	int message;

	while (eff_hub_receive(me, &message) == 0)
		given.heard++;
	return eff_ok(NULL);
}

static eff_exit completes(void *arg)
{
	(void)eff_deferred_complete(&given.deferred, eff_failf(5, "given up"));
	return eff_ok(arg);
}

static eff_exit channels(void *arg)
{
	struct eff_fiber *fiber, *receiver, *sender, *listener;
	struct eff_subscriber me;
	eff_exit exit;

	memset(&given, 0, sizeof(given));
	eff_queue_init(&given.queue, given.ring, sizeof(int), 2, EFF_FULL_WAITS);
	eff_hub_init(&given.hub, given.hub_ring, sizeof(int), 2, EFF_FULL_WAITS);
	eff_sem_init(&given.sem, 1);
	eff_mutex_init(&given.mutex);
	eff_deferred_init(&given.deferred);
	eff_hub_join(&given.hub, &me);
	receiver = fork_it(EFF(receives, arg));
	listener = fork_it(EFF(listens, &me));
	/* Without who takes it, who gives would wait for ever. */
	sender = receiver && listener ? fork_it(EFF(sends, arg)) : NULL;
	fiber = fork_it(EFF(completes, arg));
	await_it(sender, EFF_OK, 0);
	eff_queue_close(&given.queue);
	eff_hub_close(&given.hub);
	await_it(receiver, EFF_OK, 0);
	await_it(listener, EFF_OK, 0);
	HOLDS(given.sent == given.received && given.sent == (sender ? 5 : 0));
	HOLDS(given.cast == given.heard && given.cast == given.sent);
	HOLDS(given.sem.permits == 1 && !given.mutex.owner);
	if (fiber) {
		HOLDS(eff_deferred_await(&given.deferred, &exit) == 0 && exit.code == 5);
		eff_exit_drop(exit);
	}
	await_it(fiber, EFF_OK, 0);
	eff_deferred_done(&given.deferred);
	eff_hub_leave(&me);
	return eff_ok(NULL);
}

/* ── a look inside ── */

static void count_line(void *context, const char *line)
{
	*(int *)context += strstr(line, ": ") != NULL;
}

static void count_fiber(void *context, const struct eff_fiber_info *info)
{
	*(int *)context += info->name != NULL;
}

static eff_exit looks(void *arg)
{
	int forked = 1, counted[3] = {0};

	for (int i = 0; i < 5; i++)
		forked += eff_fork(EFF(naps, arg), NULL) == 0;
	(void)eff_yield();
	/* Without memory for a tree it is a list: nobody is left out. */
	eff_rt_each(eff_rt_current(), count_fiber, &counted[0]);
	eff_rt_dump(eff_rt_current(), EFF_DUMP_LIST, count_line, &counted[1]);
	eff_rt_dump(eff_rt_current(), EFF_DUMP_TREE, count_line, &counted[2]);
	for (int i = 0; i < 3; i++)
		HOLDS(counted[i] == forked);
	return eff_ok(NULL);
}

/* ── */

static const struct {
	struct scene scene;
	int least;
} scenes[] = {
	{{fibers, false}, 100},
	{{scopes, false}, 10},
	{{effects, false}, 100},
	{{layers, false}, 10},
	{{channels, false}, 8},
	{{looks, false}, 8},
	{{fibers, true}, 100},
};

START_TEST(whichever_allocation_fails_it_is_told_and_all_ends)
{
	memory_sweeps(memory_play, &scenes[_i].scene, scenes[_i].least);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = tcase_create("memory");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, whichever_allocation_fails_it_is_told_and_all_ends, 0,
		sizeof(scenes) / sizeof(scenes[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
