/* SPDX-License-Identifier: MIT */
/* Processes as effects: what their ends are, how they are stopped, and supervised like anything else. Real ones, so what is
 * waited for is what they do. */
#include <signal.h>
#include <sys/resource.h>

#include <check.h>

#include <eff/process.h>
#include <eff/services.h>

#include "children.h"
#include "procs.h"

Suite *test_suite(void);

static int n_released;

static struct eff_spawn shell(const char *const *argv)
{
	return spawn_of(argv, &n_released);
}
#define SHELL(...) shell((const char *const[]){"/bin/sh", "-c", __VA_ARGS__, NULL})

static void is(eff_exit exit, const char *expected)
{
	char text[200];

	ck_assert_str_eq(eff_exit_text(exit, text, sizeof(text)), expected);
	eff_exit_drop(exit);
}

static eff_exit ends(void *arg)
{
	static const struct {
		const char *script, *end;
	} rows[] = {
		{"exit 0", "ok"},
		{"exit 7", "fail 7"},
		{"exit 255", "fail 255"},
		{"kill -TERM $$", "die: signal 15"},
		{"kill -KILL $$", "die: signal 9"},
	};

	(void)arg;
	n_released = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct eff_spawn spawn = SHELL(rows[i].script);
		struct eff_process process = {.spawn = &spawn};

		is(eff_process_run(&process), rows[i].end);
		ck_assert_int_eq(n_released, (int)i + 1);
	}
	return eff_ok(NULL);
}

START_TEST(an_end_of_the_process_is_the_end_of_the_effect)
{
	run_root(ends);
}
END_TEST

static eff_exit is_not_there(void *arg)
{
	const char *const argv[] = {"/no/such/program", NULL};
	struct eff_spawn spawn = shell(argv);
	struct eff_process process = {.spawn = &spawn};

	(void)arg;
	is(eff_process_run(&process),
		"fail 2: cannot exec /no/such/program: No such file or directory");
	return eff_ok(NULL);
}

START_TEST(one_that_cannot_be_executed_says_why)
{
	run_root(is_not_there);
}
END_TEST

/* A process that tells when it has begun, on a pipe. */
struct told {
	int ends[2];
	int fds[3];
};

static void told_open(struct told *t, struct eff_spawn *spawn)
{
	ck_assert_int_eq(pipe2(t->ends, O_CLOEXEC | O_NONBLOCK), 0);
	t->fds[0] = -1;
	t->fds[1] = t->ends[1];
	t->fds[2] = 2;
	spawn->fds = t->fds;
}

static void told_await(struct told *t, char expected)
{
	char c = 0;

	ck_assert_int_eq(eff_read(t->ends[0], &c, 1), 1);
	ck_assert_int_eq(c, expected);
}

static void told_close(struct told *t)
{
	eff_fd_close(t->ends[0]);
	close(t->ends[1]);
}

static void is_stopped(const char *script, struct eff_process process, const char *end)
{
	struct eff_spawn spawn = SHELL(script);
	struct eff_fiber *fiber;
	struct told told;
	eff_exit exit;

	told_open(&told, &spawn);
	process.spawn = &spawn;
	ck_assert_int_eq(eff_fork(EFF(eff_process_run, &process), &fiber), 0);
	told_await(&told, 'y');
	ck_assert_int_eq(eff_interrupt(fiber, &exit), 0);
	is(exit, end);
	eff_fiber_unref(fiber);
	told_close(&told);
}

static eff_exit stops(void *arg)
{
	(void)arg;
	/* By its signal. */
	is_stopped("echo y; exec sleep 1000", (struct eff_process){.grace = EFF_S(60)}, "interrupt");
	is_stopped("trap 'exit 3' INT; echo y; while :; do sleep 0.1; done",
		(struct eff_process){.stop_signal = SIGINT, .grace = EFF_S(60)}, "interrupt");
	/* It does not heed it, or is not given a grace. */
	is_stopped("trap '' TERM; echo y; exec sleep 1000",
		(struct eff_process){.grace = EFF_MS(50)}, "interrupt: killed after its grace");
	is_stopped("echo y; exec sleep 1000", (struct eff_process){0},
		"interrupt: killed after its grace");
	/* It is stopped, and goes on for its signal. */
	is_stopped("echo y; kill -STOP $$; exit 1", (struct eff_process){.grace = EFF_S(60)},
		"interrupt");
	return eff_ok(NULL);
}

START_TEST(an_interrupt_stops_the_process_and_kills_it_after_its_grace)
{
	run_root(stops);
}
END_TEST

static eff_exit limited(void *arg)
{
	struct eff_spawn spawn = SHELL("exec sleep 1000");
	struct eff_process process = {.spawn = &spawn, .grace = EFF_S(60)};

	(void)arg;
	is(eff_timeout(EFF_MS(20), EFF(eff_process_run, &process)), "fail 110");
	return eff_ok(NULL);
}

START_TEST(a_limit_stops_it_too)
{
	run_root(limited);
}
END_TEST

/* ── as a child ── */

static eff_exit runs_as_a_child(void *arg)
{
	struct eff_spawn job = SHELL("exit 4"), server = SHELL("echo y; exec sleep 1000");
	struct eff_process job_process = {.spawn = &job};
	struct eff_process server_process = {.spawn = &server, .grace = EFF_S(60)};
	struct eff_child children[] = {
		{.name = "job", .run = EFF(eff_process_run, &job_process)},
		{.name = "server", .run = EFF(eff_process_run, &server_process)},
	};
	struct eff_child *const needs[] = {&children[1], NULL};
	struct eff_services set = {.children = children, .n_children = 2};
	struct told told;

	(void)arg;
	n_released = 0;
	told_open(&told, &server);
	children[0].policy = eff_policy_of(EFF_ON_FAILURE);
	children[0].policy.backoff = eff_spaced(EFF_MS(1));
	children[0].policy.max_restarts = 3;
	children[0].policy.critical = true;
	/* Up is: it has executed its program. */
	children[0].needs = needs;
	children[1].policy = eff_policy_of(EFF_ALWAYS);
	is(eff_services_run(&set), "fail 4: job has failed; and fail 4");
	ck_assert_uint_eq(children[0].runs, 4);
	ck_assert_uint_eq(children[1].runs, 1);
	ck_assert_int_eq(n_released, 5);
	told_close(&told);
	return eff_ok(NULL);
}

START_TEST(a_process_is_supervised_like_any_effect)
{
	run_root(runs_as_a_child);
}
END_TEST

static eff_ns spent_by_children(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &usage), 0);
	return EFF_S(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		EFF_US(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Its own, and that of what it waited for: what the kernel counts of children, but for the rounding. */
static eff_exit is_told_its_time(void *arg)
{
	struct eff_spawn spawn = SHELL("(i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done); :");
	eff_ns before = spent_by_children();
	struct eff_proc *proc;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert_int_eq(eff_proc_cpu(proc), 0);
	ck_assert_int_eq(eff_proc_await_end(proc, NULL), 0);
	ck_assert_int_gt(eff_proc_cpu(proc), 0);
	ck_assert_int_le(llabs(spent_by_children() - before - eff_proc_cpu(proc)), EFF_US(4));
	eff_proc_free(proc);
	return eff_ok(arg);
}

START_TEST(the_time_that_it_used_is_told_at_its_end)
{
	eff__proc_without = ways[_i];
	run_root(is_told_its_time);
}
END_TEST

static eff_exit closes_its_pidfd(void *arg)
{
	struct eff_spawn spawn = SHELL(":");
	struct eff_proc *proc;
	int pidfd;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	pidfd = proc->making.pidfd;
	ck_assert_int_ge(fcntl(pidfd, F_GETFD), 0);
	ck_assert_int_eq(eff_proc_await_end(proc, NULL), 0);
	ck_assert_int_lt(fcntl(pidfd, F_GETFD), 0);
	eff_proc_free(proc);
	return eff_ok(arg);
}

/* The next child is to have no copy of it, or the loop would be told of it on and on. */
START_TEST(its_pidfd_is_closed_before_its_end_is_told)
{
	run_root(closes_its_pidfd);
}
END_TEST

/* It is known to execute while it lives. */
static eff_exit executes_and_lives(void *arg)
{
	struct eff_spawn spawn = SHELL("read line; exit 3");
	int ends[2], fds[3], status;
	struct eff_scope within;
	struct eff_proc *proc;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	memcpy(fds, spawn.fds, sizeof(fds));
	fds[0] = ends[0];
	spawn.fds = fds;
	ck_assert_int_eq(filter(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS), 0);
	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_M(1)));
	ck_assert_int_eq(eff_proc_await_exec(proc, NULL), 0);
	(void)eff_scope_close(&within);
	ck_assert(!eff_proc_ended(proc, NULL));
	close(ends[0]);
	close(ends[1]);
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	ck_assert_int_eq(status, 3 << 8);
	eff_proc_free(proc);
	return eff_ok(arg);
}

/* What was sent to the child that could not be made held the end of the status pipe. */
START_TEST(one_made_in_another_way_at_last_is_known_to_execute)
{
	eff__proc_without = EFF__WITH_MANY_FDS;
	run_root(executes_and_lives);
}
END_TEST

static unsigned n_carriers_after(bool own_memory)
{
	struct eff_spawn spawn = SHELL(":");
	struct eff_proc *proc;

	spawn.own_memory = own_memory;
	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert_int_eq(eff_proc_await_end(proc, NULL), 0);
	eff_proc_free(proc);
	return eff__rt->procs->stacks.n_carriers;
}

static eff_exit takes_what_was_left(void *arg)
{
	struct eff__carrier first;

	ck_assert_uint_eq(n_carriers_after(false), 1);
	first = eff__rt->procs->stacks.carriers[0];
	ck_assert_uint_eq(n_carriers_after(false), 1);
	ck_assert_int_eq(eff__rt->procs->stacks.carriers[0].ours, first.ours);
	ck_assert_int_eq(eff__rt->procs->stacks.carriers[0].theirs, first.theirs);
	/* Of a copy of our memory nobody can tell whether it has taken its own. */
	ck_assert_uint_eq(n_carriers_after(true), 0);
	return eff_ok(arg);
}

START_TEST(a_carrier_serves_one_child_after_another)
{
	eff__proc_without = EFF__WITH_MANY_FDS;
	run_root(takes_what_was_left);
}
END_TEST

static eff_exit is_collected_by_another(void *arg)
{
	struct eff_spawn spawn = SHELL("exit 0");
	struct eff_spawn halting = SHELL("kill -STOP $$; exit 0");
	struct eff_process process = {.spawn = &halting};
	struct eff_fiber *fiber;
	struct eff_proc *proc;
	eff_exit exit;
	int status;
	pid_t pid;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert(!eff_proc_lost(proc));
	ck_assert_int_eq(waitpid(eff_proc_pid(proc), NULL, 0), eff_proc_pid(proc));
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	ck_assert_int_eq(status, 255 << 8);
	ck_assert(eff_proc_lost(proc));
	eff_proc_free(proc);
	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	ck_assert_int_eq(status, 0);
	ck_assert(!eff_proc_lost(proc));
	eff_proc_free(proc);
	ck_assert_int_eq(eff_fork(EFF(eff_process_run, &process), &fiber), 0);
	ck_assert_int_eq(eff_yield(), 0);
	/* It goes on when nobody else can be told of its end. */
	pid = waitpid(-1, &status, WUNTRACED);
	ck_assert_int_gt(pid, 0);
	ck_assert(WIFSTOPPED(status));
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(eff_await(fiber, &exit), 0);
	is(exit, "die: how it ended is not known");
	eff_fiber_unref(fiber);
	return eff_ok(arg);
}

START_TEST(an_end_that_another_has_collected_is_no_exit_code)
{
	eff__proc_without = ways[_i];
	run_root(is_collected_by_another);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/process");
	TCase *c = tcase_create("process");

	test_leak_guard(c);
	tcase_add_test(c, an_end_of_the_process_is_the_end_of_the_effect);
	tcase_add_test(c, one_that_cannot_be_executed_says_why);
	tcase_add_test(c, an_interrupt_stops_the_process_and_kills_it_after_its_grace);
	tcase_add_test(c, a_limit_stops_it_too);
	tcase_add_test(c, a_process_is_supervised_like_any_effect);
	tcase_add_test(c, its_pidfd_is_closed_before_its_end_is_told);
	tcase_add_test(c, one_made_in_another_way_at_last_is_known_to_execute);
	tcase_add_test(c, a_carrier_serves_one_child_after_another);
	tcase_add_loop_test(c, an_end_that_another_has_collected_is_no_exit_code, 0, N_WAYS);
	tcase_add_loop_test(c, the_time_that_it_used_is_told_at_its_end, 0, N_FAST_WAYS);
	suite_add_tcase(suite, c);
	return suite;
}
