/* SPDX-License-Identifier: MIT */
/* Bugs of who drives a runtime, reads, supervises or gives back: each ends the process with a line that names the call. */
#include <fcntl.h>
#include <unistd.h>

#include <eff.h>

#include "internal.h"
#include "leak.h"
#include "misuse.h"

Suite *test_suite(void);

static eff_exit nothing(void *arg)
{
	return eff_ok(arg);
}

static eff_exit sleeps(void *arg)
{
	(void)arg;
	return eff_exit_of(eff_sleep(EFF_FOREVER));
}

/* ── who drives ── */

static eff_exit run_inside(void *arg)
{
	return eff_rt_run(run_rt, EFF(nothing, arg));
}

static void turn_rt(void *arg)
{
	(void)eff_rt_turn(arg);
}

static eff_exit turn_in_the_deep(void *arg)
{
	eff_deep(turn_rt, run_rt);
	return eff_ok(arg);
}

static eff_exit turn_inside(void *arg)
{
	(void)eff_rt_turn(run_rt);
	return eff_ok(arg);
}

static eff_exit expect_less_than_none(void *arg)
{
	eff_rt_expect(run_rt, 2);
	eff_rt_expect(run_rt, -3);
	return eff_ok(arg);
}

static eff_exit ask_inside(void *arg)
{
	(void)eff_rt_fd(run_rt);
	return eff_ok(arg);
}

static eff_exit shut_down_inside(void *arg)
{
	(void)eff_rt_shutdown(run_rt, 0);
	return eff_ok(arg);
}

static eff_exit free_inside(void *arg)
{
	eff_rt_free(run_rt);
	return eff_ok(arg);
}

static void run_none(void)
{
	(void)eff_rt_run(NULL, EFF(nothing, NULL));
}

static void free_with_fibers(void)
{
	(void)eff_fork_daemon(EFF(sleeps, NULL), NULL);
	eff_rt_free(run_rt);
}

static void free_with_handles(void)
{
	struct eff_fiber *held;

	(void)eff_fork_daemon(EFF(nothing, NULL), &held);
	(void)eff_rt_shutdown(run_rt, 0);
	eff_rt_free(run_rt);
}

static void free_the_clock(void)
{
	eff_testclock_free(run_clock);
}

static void advance_while_advancing(struct eff_timer *timer)
{
	(void)timer;
	(void)eff_testclock_advance(run_clock, 1);
}

static void advance_twice(void)
{
	static struct eff_timer timer = {.fire = advance_while_advancing};

	eff__timer_arm(&run_rt->timers, &timer, 1);
	(void)eff_testclock_advance(run_clock, 1);
}

static eff_exit give_back_twice(void *arg)
{
	struct eff_fiber *fiber = forked(sleeps, NULL);

	(void)eff_yield();
	eff_fiber_unref(fiber);
	eff_fiber_unref(fiber);
	return eff_ok(arg);
}

/* ── what comes from outside ── */

static void wait_for_a_descriptor(void)
{
	(void)eff_wait_fd(0, EFF_READ);
}

static void watch_a_descriptor(void)
{
	struct eff_watch watch;

	(void)eff_fd_watch(0, EFF_READ, &watch);
}

static void read_outside(void)
{
	char c;

	(void)eff_read(0, &c, 1);
}

static void connect_outside(void)
{
	struct sockaddr address = {.sa_family = AF_UNIX};

	(void)eff_connect(&address, sizeof(address));
}

static void free_it(void *arg)
{
	free(arg);
}

static void block_outside(void)
{
	(void)eff_blocking(free_it, NULL, NULL);
}

static void spawn_outside(void)
{
	struct eff_spawn spawn = {.n_fds = 3};
	struct eff_proc *proc;

	(void)eff_spawn(&spawn, &proc);
}

static void spawn_without_descriptors(void)
{
	struct eff_spawn spawn = {.n_fds = 2};
	struct eff_proc *proc;

	(void)eff_spawn(&spawn, &proc);
}

static void draw_outside(void)
{
	(void)eff_random_unit();
}

static eff_exit await_ended(void *arg)
{
	return eff_exit_of(eff_proc_await_end(arg, NULL));
}

static eff_exit give_what_is_awaited(void (*give)(struct eff_proc *proc))
{
	static const char *const argv[] = {"/bin/cat", NULL};
	static const char *const envp[] = {NULL};
	int ends[2];
	int fds[3];
	struct eff_spawn spawn = {
		.path = argv[0], .argv = argv, .envp = envp, .fds = fds, .n_fds = 3};
	struct eff_proc *proc;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return eff_fail(errno);
	fds[0] = ends[0];
	fds[1] = fds[2] = -1;
	if (eff_spawn(&spawn, &proc) < 0)
		return eff_fail(1);
	(void)forked(await_ended, proc);
	(void)eff_yield();
	give(proc);
	return eff_ok(NULL);
}

static eff_exit free_what_is_awaited(void *arg)
{
	(void)arg;
	return give_what_is_awaited(eff_proc_free);
}

static eff_exit leave_what_is_awaited(void *arg)
{
	(void)arg;
	return give_what_is_awaited(eff_proc_leave);
}

/* ── who supervises ── */

static struct eff_sup sup;
static struct eff_child child = {.name = "child", .run = {.fn = sleeps}};

static void sup_of_one(void)
{
	(void)eff_sup_open(&sup, &(struct eff_sup_opts){0});
	eff_sup_add(&sup, &child);
}

static eff_exit add_twice(void *arg)
{
	sup_of_one();
	eff_sup_add(&sup, &child);
	return eff_ok(arg);
}

static eff_exit remove_what_runs(void *arg)
{
	sup_of_one();
	(void)eff_child_start(&child);
	eff_sup_remove(&child);
	return eff_ok(arg);
}

static eff_exit remove_a_stray(void *arg)
{
	eff_sup_remove(&child);
	return eff_ok(arg);
}

static eff_exit start_a_stray(void *arg)
{
	(void)eff_child_start(&child);
	return eff_ok(arg);
}

static eff_exit need_a_stranger(void *arg)
{
	static struct eff_child stranger = {.name = "stranger"};
	static struct eff_child *const needs[] = {&stranger, NULL};

	sup_of_one();
	child.needs = needs;
	(void)eff_child_start(&child);
	(void)eff_yield();
	return eff_ok(arg);
}

static eff_exit stops_its_own(void *arg)
{
	eff_sup_stop(&sup);
	return eff_ok(arg);
}

static eff_exit forks_who_stops(void *arg)
{
	return eff_exit_of(eff_await(forked(stops_its_own, arg), NULL));
}

static eff_exit stop_by_a_child(void *arg)
{
	sup_of_one();
	child.run.fn = arg ? forks_who_stops : stops_its_own;
	(void)eff_child_start(&child);
	return eff_exit_of(eff_sleep(1));
}

static eff_exit stop_by_a_grandchild(void *arg)
{
	(void)arg;
	return stop_by_a_child(&child);
}

static eff_exit check_all_the_time(void *arg)
{
	(void)eff_health_watch(&(struct eff_health){.check = EFF(nothing, arg)});
	return eff_ok(arg);
}

/* ── */

#define WITHOUT(call) call ": there is no runtime on this thread (fiber \"none\")"

static const struct misuse misuses[] = {
	{.inside = run_inside, .words = INSIDE("eff_rt_run", "called by a fiber")},
	{.inside = turn_in_the_deep, .words = "eff_rt_turn: called by a fiber (fiber \"none\")"},
	{.inside = turn_inside, .words = INSIDE("eff_rt_turn", "called by a fiber")},
	{.inside = ask_inside, .words = INSIDE("eff_rt_fd", "called by a fiber")},
	{.inside = shut_down_inside, .words = INSIDE("eff_rt_shutdown", "called by a fiber")},
	{.inside = free_inside, .words = INSIDE("eff_rt_free", "called by a fiber")},
	{.inside = expect_less_than_none,
		.words = INSIDE("eff_rt_expect", "fewer than none are expected")},
	{.outside = run_none,
		.words = "eff_rt_run: this is not the runtime of this thread (fiber \"none\")"},
	{.outside = free_with_fibers,
		.words = "eff_rt_free: there are fibers that have not ended (fiber \"none\")",
		.has_runtime = true},
	{.outside = free_with_handles,
		.words = "eff_rt_free: an ended fiber has not been given back (fiber \"none\")",
		.has_runtime = true},
	{.outside = free_the_clock,
		.words = "eff_testclock_free: a runtime still goes by it (fiber \"none\")",
		.has_runtime = true},
	{.outside = advance_twice,
		.words = "eff_testclock_set: it is being advanced already (fiber \"none\")",
		.has_runtime = true},
	{.inside = give_back_twice,
		.words = INSIDE("eff_fiber_unref", "given back more often than it was taken")},
	{.outside = wait_for_a_descriptor, .words = OUTSIDE("eff_wait_fd")},
	{.outside = wait_for_a_descriptor, .words = OUTSIDE("eff_wait_fd"), .has_runtime = true},
	{.outside = watch_a_descriptor, .words = WITHOUT("eff_fd_watch")},
	{.outside = read_outside, .words = OUTSIDE("eff_read"), .has_runtime = true},
	{.outside = connect_outside, .words = OUTSIDE("eff_connect")},
	{.outside = block_outside, .words = OUTSIDE("eff_blocking"), .has_runtime = true},
	{.outside = spawn_outside, .words = WITHOUT("eff_spawn")},
	{.outside = spawn_without_descriptors,
		.words = "eff_spawn: a child has three descriptors at least (fiber \"none\")",
		.has_runtime = true},
	{.outside = draw_outside, .words = WITHOUT("eff_random")},
	{.inside = free_what_is_awaited,
		.words = INSIDE("eff_proc_free", "fibers still wait for it")},
	{.inside = leave_what_is_awaited,
		.words = INSIDE("eff_proc_leave", "fibers still wait for it")},
	{.inside = add_twice,
		.words = INSIDE("eff_sup_add", "this child is under a supervisor already")},
	{.inside = remove_what_runs, .words = INSIDE("eff_sup_remove", "this child does not rest")},
	{.inside = remove_a_stray,
		.words = INSIDE("eff_sup_remove", "this child is under no supervisor")},
	{.inside = start_a_stray,
		.words = INSIDE("eff_child_start", "this child is under no supervisor")},
	{.inside = need_a_stranger,
		.words = "eff_child: what it needs is under another supervisor, or none (fiber \"child\")"},
	{.inside = stop_by_a_child,
		.words = "eff_sup_stop: called by a child of it, which it would wait for (fiber \"child\")"},
	{.inside = stop_by_a_grandchild,
		.words = "eff_sup_stop: called by a child of it, which it would wait for (fiber \"child\")"},
	{.inside = check_all_the_time,
		.words = INSIDE("eff_health_watch", "there is no time between two checks")},
};

START_TEST(a_misuse_aborts_with_a_line_that_says_what_it_was)
{
	misuse_check(&misuses[_i]);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("misuse_runtime");
	TCase *tcase = tcase_create("misuse_runtime");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, a_misuse_aborts_with_a_line_that_says_what_it_was, 0,
		sizeof(misuses) / sizeof(misuses[0]));
	suite_add_tcase(suite, tcase);
	return suite;
}
