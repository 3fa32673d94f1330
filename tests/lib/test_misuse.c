/* SPDX-License-Identifier: MIT */
/* A bug of the caller ends the process with a line that names the call and the fiber. */
#include <eff/channel.h>
#include <eff/context.h>
#include <eff/event.h>
#include <eff/layer.h>
#include <eff/local.h>
#include <eff/scope.h>

#include "leak.h"
#include "misuse.h"

Suite *test_suite(void);

static eff_exit nothing(void *arg)
{
	return eff_ok(arg);
}

static void do_nothing(void *arg)
{
	(void)arg;
}

/* ── outside of a fiber ── */

static void sleep_outside(void)
{
	(void)eff_sleep(1);
}

static void yield_outside(void)
{
	(void)eff_yield();
}

static void wait_outside(void)
{
	struct eff_event event;

	eff_event_init(&event);
	(void)eff_event_await(&event);
}

static void fork_outside(void)
{
	(void)eff_fork(EFF(nothing, NULL), NULL);
}

static void fork_daemon_outside(void)
{
	(void)eff_fork_daemon(EFF(nothing, NULL), NULL);
}

static void open_outside(void)
{
	struct eff_scope scope;

	eff_scope_open(&scope);
}

static void set_outside(void)
{
	static const struct eff_local local;

	(void)eff_local_set(&local, NULL);
}

static void mask_outside(void)
{
	(void)eff_mask();
}

/* ── scopes ── */

static eff_exit close_twice(void *arg)
{
	struct eff_scope scope;

	eff_scope_open(&scope);
	(void)eff_scope_close(&scope);
	(void)eff_scope_close(&scope);
	return eff_ok(arg);
}

static eff_exit close_the_outer_one(void *arg)
{
	struct eff_scope outer;
	struct eff_scope inner;

	eff_scope_open(&outer);
	eff_scope_open(&inner);
	(void)eff_scope_close(&outer);
	return eff_ok(arg);
}

static eff_exit close_it(void *arg)
{
	(void)eff_scope_close(arg);
	return eff_ok(NULL);
}

static eff_exit close_by_another(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	(void)forked(close_it, &scope);
	return eff_exit_of(eff_sleep(1));
}

static void close_again(void *arg)
{
	(void)eff_scope_close(arg);
}

static eff_exit close_while_closing(void *arg)
{
	struct eff_finalizer node;
	struct eff_scope scope;

	eff_scope_open(&scope);
	eff_defer(&scope, &node, close_again, &scope);
	(void)eff_scope_close(&scope);
	return eff_ok(arg);
}

static eff_exit leave_open(void *arg)
{
	static struct eff_scope scope;

	eff_scope_open(&scope);
	return eff_ok(arg);
}

static void open_one_more(void *arg)
{
	eff_scope_open(arg);
}

static eff_exit defer_an_open(void *arg)
{
	struct eff_scope another;
	struct eff_finalizer node;
	struct eff_scope scope;

	eff_scope_open(&scope);
	eff_defer(&scope, &node, open_one_more, &another);
	(void)eff_scope_close(&scope);
	return eff_ok(arg);
}

static eff_exit defer_too_late(void *arg)
{
	struct eff_finalizer node;
	struct eff_scope scope;

	eff_scope_open(&scope);
	(void)eff_scope_close(&scope);
	eff_defer(&scope, &node, do_nothing, NULL);
	return eff_ok(arg);
}

static eff_exit provide_too_late(void *arg)
{
	static const struct eff_key key = {"key"};
	struct eff_env node;
	struct eff_scope scope;

	eff_scope_open(&scope);
	(void)eff_scope_close(&scope);
	eff_env_with(&scope, &node, &key, NULL);
	return eff_ok(arg);
}

static eff_exit build_elsewhere(void *arg)
{
	struct eff_scope scope;

	eff_scope_open(&scope);
	(void)eff_scope_close(&scope);
	return eff_layers_build(&scope, arg, 0);
}

static eff_exit return_the_same(void *arg, eff_exit exit)
{
	(void)arg;
	return exit;
}

static eff_exit defer_an_echo(void *arg)
{
	struct eff_finalizer node;
	struct eff_scope scope;

	eff_scope_open(&scope);
	eff_defer_exit(&scope, &node, return_the_same, arg);
	return eff_scope_end(&scope, eff_die("why"));
}

/* ── channels ── */

static struct eff_queue queue;
static struct eff_mutex mutex;

static void send_outside(void)
{
	int ring[1];

	eff_queue_init(&queue, ring, sizeof(ring[0]), 1, EFF_FULL_WAITS);
	(void)eff_queue_send(&queue, "four");
}

static void receive_outside(void)
{
	int message;

	eff_queue_init(&queue, NULL, sizeof(message), 0, EFF_FULL_WAITS);
	(void)eff_queue_receive(&queue, &message);
}

static void make_a_hub_of_none(void)
{
	struct eff_hub hub;

	eff_hub_init(&hub, NULL, 1, 0, EFF_FULL_WAITS);
}

static void release_too_many(void)
{
	struct eff_sem sem;

	eff_sem_init(&sem, UINT64_MAX);
	eff_sem_release(&sem, 1);
}

static void lock_outside(void)
{
	eff_mutex_init(&mutex);
	(void)eff_mutex_lock(&mutex);
}

static eff_exit lock_twice(void *arg)
{
	eff_mutex_init(&mutex);
	(void)eff_mutex_lock(&mutex);
	(void)eff_mutex_lock(&mutex);
	return eff_ok(arg);
}

static eff_exit try_to_lock_twice(void *arg)
{
	eff_mutex_init(&mutex);
	(void)eff_mutex_lock(&mutex);
	(void)eff_mutex_try_lock(&mutex);
	return eff_ok(arg);
}

static eff_exit unlock_a_free_one(void *arg)
{
	eff_mutex_init(&mutex);
	eff_mutex_unlock(&mutex);
	return eff_ok(arg);
}

static eff_exit lock_it(void *arg)
{
	(void)eff_mutex_lock(&mutex);
	return eff_ok(arg);
}

static eff_exit end_with_it(void *arg)
{
	eff_mutex_init(&mutex);
	(void)eff_mutex_lock(&mutex);
	return eff_ok(arg);
}

/* It is handed over to one that does not give it on. */
static eff_exit hand_it_over(void *arg)
{
	struct eff_fiber *child;

	eff_mutex_init(&mutex);
	(void)eff_mutex_lock(&mutex);
	child = forked(lock_it, arg);
	(void)eff_yield();
	eff_mutex_unlock(&mutex);
	return eff_exit_of(eff_await(child, NULL));
}

static eff_exit unlock(void *arg)
{
	eff_mutex_unlock(&mutex);
	return eff_ok(arg);
}

static eff_exit have_it_unlocked(void *arg)
{
	eff_mutex_init(&mutex);
	(void)eff_mutex_lock(&mutex);
	return eff_exit_of(eff_await(forked(unlock, arg), NULL));
}

static eff_exit await_deferred(void *arg)
{
	(void)eff_deferred_await(arg, NULL);
	return eff_ok(NULL);
}

static eff_exit be_done_too_early(void *arg)
{
	struct eff_deferred deferred;

	eff_deferred_init(&deferred);
	(void)forked(await_deferred, &deferred);
	(void)eff_yield();
	eff_deferred_done(&deferred);
	return eff_ok(arg);
}

/* ── */

static const struct misuse misuses[] = {
	{.outside = sleep_outside, .words = OUTSIDE("eff_sleep"), .has_runtime = true},
	{.outside = sleep_outside, .words = OUTSIDE("eff_sleep")},
	{.outside = yield_outside, .words = OUTSIDE("eff_yield"), .has_runtime = true},
	{.outside = yield_outside, .words = OUTSIDE("eff_yield")},
	{.outside = wait_outside,
		.words = "event: waited for outside of a fiber (fiber \"none\")",
		.has_runtime = true},
	{.outside = fork_outside, .words = OUTSIDE("eff_fork"), .has_runtime = true},
	{.outside = fork_outside, .words = OUTSIDE("eff_fork")},
	{.outside = fork_daemon_outside,
		.words = "eff_fork_daemon: there is no runtime on this thread (fiber \"none\")"},
	{.outside = open_outside, .words = OUTSIDE("eff_scope_open"), .has_runtime = true},
	{.outside = mask_outside, .words = OUTSIDE("eff_mask")},
	{.inside = close_twice, .words = INSIDE("eff_scope_close", "this scope is closed already")},
	{.inside = close_the_outer_one,
		.words = INSIDE("eff_scope_close", "a scope opened inside this one is still open")},
	{.inside = close_by_another,
		.words = "eff_scope_close: this scope is another fiber's (fiber \"child\")"},
	{.inside = close_while_closing,
		.words = INSIDE("eff_scope_close", "this scope is being closed already")},
	{.inside = leave_open,
		.words = INSIDE("eff_scope_open", "a fiber's body has returned with a scope open")},
	{.inside = defer_an_open,
		.words = INSIDE("eff_defer", "what was deferred has left a scope open")},
	{.inside = defer_too_late, .words = INSIDE("eff_defer", "this scope is closed")},
	{.outside = set_outside, .words = OUTSIDE("eff_local_set"), .has_runtime = true},
	{.inside = provide_too_late, .words = INSIDE("eff_env_with", "this scope is closed")},
	{.inside = build_elsewhere,
		.words = INSIDE("eff_layers_build", "this scope is not around the caller")},
	{.inside = defer_an_echo,
		.words = INSIDE("eff_defer_exit", "what was deferred returned the exit it was shown")},
	{.outside = send_outside, .words = OUTSIDE("eff_queue_send"), .has_runtime = true},
	{.outside = receive_outside, .words = "queue: waited for outside of a fiber (fiber \"none\")"},
	{.outside = make_a_hub_of_none,
		.words = "eff_hub_init: a hub has room for one message at least (fiber \"none\")"},
	{.outside = release_too_many,
		.words = "eff_sem_release: more permits than can be counted (fiber \"none\")"},
	{.outside = lock_outside, .words = OUTSIDE("eff_mutex_lock"), .has_runtime = true},
	{.inside = lock_twice, .words = INSIDE("eff_mutex_lock", "this fiber holds it already")},
	{.inside = try_to_lock_twice,
		.words = INSIDE("eff_mutex_try_lock", "this fiber holds it already")},
	{.inside = unlock_a_free_one,
		.words = INSIDE("eff_mutex_unlock", "this fiber does not hold it")},
	{.inside = have_it_unlocked,
		.words = "eff_mutex_unlock: this fiber does not hold it (fiber \"child\")"},
	{.inside = end_with_it,
		.words = INSIDE("eff_mutex_lock", "a fiber has ended with a mutex that it holds")},
	{.inside = hand_it_over,
		.words = "eff_mutex_lock: a fiber has ended with a mutex that it holds "
			 "(fiber \"child\")"},
	{.inside = be_done_too_early,
		.words = INSIDE("eff_deferred_done", "fibers still wait for it")},
};

START_TEST(a_misuse_aborts_with_a_line_that_says_what_it_was)
{
	misuse_check(&misuses[_i]);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("misuse");
	TCase *tcase = tcase_create("misuse");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, a_misuse_aborts_with_a_line_that_says_what_it_was, 0,
		sizeof(misuses) / sizeof(misuses[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
