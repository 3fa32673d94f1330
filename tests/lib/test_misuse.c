/* SPDX-License-Identifier: MIT */
/* A bug of the caller ends the process with a line that names the call and the fiber. */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eff/channel.h>
#include <eff/context.h>
#include <eff/event.h>
#include <eff/layer.h>
#include <eff/local.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

struct misuse {
	void (*outside)(void); /* done on the main stack, without a runtime or with one */
	eff_fn *inside;        /* or in a fiber */
	const char *words;
	bool has_runtime;
};

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

#define OUTSIDE(call) call ": called outside of a fiber (fiber \"none\")"
#define INSIDE(call, what) call ": " what " (fiber \"root\")"

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
	{.inside = be_done_too_early,
		.words = INSIDE("eff_deferred_done", "fibers still wait for it")},
};

static void commit(const struct misuse *misuse)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	if (misuse->has_runtime || misuse->inside)
		run_setup();
	if (misuse->outside)
		misuse->outside();
	else
		(void)eff_rt_run(run_rt, EFF_NAMED("root", misuse->inside, NULL));
	_exit(0);
}

static int commit_apart(const struct misuse *misuse, char *ret_said, size_t size)
{
	int ends[2];
	int status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		commit(misuse);
	}
	close(ends[1]);
	while (len + 1 < size && (n = read(ends[0], ret_said + len, size - 1 - len)) > 0)
		len += (size_t)n;
	ret_said[len] = '\0';
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(a_misuse_aborts_with_a_line_that_says_what_it_was)
{
	const struct misuse *misuse = &misuses[_i];
	char said[1024];
	char want[256];
	const char *line;
	int status = commit_apart(misuse, said, sizeof(said));

	snprintf(want, sizeof(want), "libeff: %s\n", misuse->words);
	line = strstr(said, "libeff: ");
	/* With ucontext AddressSanitizer has something to say before. */
	ck_assert_str_eq(line ? line : said, want);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %#x",
		(unsigned)status);
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
