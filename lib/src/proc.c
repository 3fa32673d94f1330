/* SPDX-License-Identifier: MIT */
/* The children that live, and how their ends are noticed.
 *
 * A child has two things that the loop watches: the status pipe, which ends when it has executed its program or is gone,
 * and its pidfd, which is readable when it is. Without pidfds one signalfd for SIGCHLD makes us look at every child.
 * What cannot be watched (no memory for it; a debugger that keeps a dead child) is looked at every so often by a timer,
 * which needs no memory. None of it needs a fiber: so a child that was given up is reaped all the same. The pid is the
 * child's until we have reaped it, so it is safe to use until then. Waiters are handed copies, for the child may be
 * freed before they run. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procs.h"

#define LOOK_AGAIN EFF_MS(50)

struct exec_wait {
	struct eff__wait wait;
	struct eff_spawn_fault fault;
};

struct end_wait {
	struct eff__wait wait;
	int status;
};

static void look_again(struct eff_proc *proc)
{
	eff__timer_arm(&proc->rt->timers, &proc->again, eff_ns_add(eff__now(proc->rt), LOOK_AGAIN));
	eff__stir(proc->rt);
}

void eff__proc_look_by_time(struct eff_proc *proc)
{
	proc->polled = true;
	look_again(proc);
}

/* ── the program's start ── */

static void exec_tell(struct eff_proc *proc, int result)
{
	proc->exec = result;
	while (!eff_list_empty(&proc->exec_waiters)) {
		struct eff__wait *wait = eff_container(
			proc->exec_waiters.next, struct eff__wait, link);

		eff_container(wait, struct exec_wait, wait)->fault = proc->fault;
		eff__wake(wait, result);
	}
}

static struct eff_spawn_fault fault_named(const struct eff_proc *proc)
{
	static const char *const words[] = {"fds", "session", "signals", "exec", "cgroup"};
	const struct eff__fault *told = &proc->told;
	const struct eff_spawn *spawn = &proc->making.child->spawn;
	struct eff_spawn_fault fault = {.error = told->error};

	if (told->step >= 0 && (unsigned)told->step < spawn->n_steps)
		fault.stage = spawn->steps[told->step].stage;
	else if (told->step < 0 && told->step >= EFF__AT_CGROUP)
		fault.stage = words[-told->step - 1];
	return fault;
}

/* The pipe has ended, or the child has: it needs its record no more. */
static void exec_settle(struct eff_proc *proc)
{
	int result = 0;

	if (proc->told.error)
		proc->fault = fault_named(proc);
	if (proc->told.error || eff__proc_died_unborn(proc))
		result = -ECHILD;
	eff__fd_drop(proc->rt, &proc->making.pipe_fd);
	eff__carrier_give(&proc->rt->procs->stacks, &proc->making);
	exec_tell(proc, result);
	eff__making_done(&proc->rt->procs->stacks, &proc->making);
}

/* Returns false when there may be more to come. */
static bool pipe_read(struct eff_proc *proc)
{
	struct eff__fault told;
	ssize_t n;

	do {
		n = read(proc->making.pipe_fd, &told, sizeof told);
		if (n == sizeof told)
			proc->told = told;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0;
}

static void on_pipe(struct eff__hook *hook, int events)
{
	struct eff_proc *proc = eff_container(hook, struct eff_proc, pipe_hook);

	if (pipe_read(proc))
		exec_settle(proc);
	else if (!events)
		eff__proc_look_by_time(proc);
}

/* ── the end ── */

static void proc_destroy(struct eff_proc *proc)
{
	if (proc->rt)
		eff__timer_disarm(&proc->rt->timers, &proc->again);
	eff_list_remove(&proc->link);
	free(proc);
}

static void end_tell(struct eff_proc *proc, const struct eff__end *end)
{
	proc->end = *end;
	proc->ended = true;
	eff_list_remove(&proc->link);
	eff_list_remove(&proc->due);
	eff__timer_disarm(&proc->rt->timers, &proc->again);
	/* At once: who waits for this end may be about to make another child, and that has copies of our descriptors until it
	 * rids itself of them. Of what is closed here while it is open there epoll goes on to tell, upon which libev makes
	 * anew all that it waits for. */
	eff_fd_close(proc->making.pidfd);
	proc->making.pidfd = -1;
	while (!eff_list_empty(&proc->end_waiters)) {
		struct eff__wait *wait = eff_container(
			proc->end_waiters.next, struct eff__wait, link);

		eff_container(wait, struct end_wait, wait)->status = end->status;
		eff__wake(wait, 0);
	}
	if (proc->freed)
		proc_destroy(proc);
}

bool eff__proc_reap(struct eff_proc *proc)
{
	struct eff__end end;

	if (proc->exec == EFF__EXEC_PENDING) {
		if (!eff__proc_wait(proc, WNOWAIT, &end))
			return false;
		/* While it is a zombie it can still be seen whether it had executed. */
		(void)pipe_read(proc);
		if (!proc->told.error && eff__proc_ended_mute(proc, end.status))
			proc->told = (struct eff__fault){EFF__AT_FDS, WEXITSTATUS(end.status)};
		exec_settle(proc);
	}
	if (!eff__proc_wait(proc, 0, &end))
		return false;
	end_tell(proc, &end);
	return true;
}

void eff__proc_collect(struct eff_proc *proc)
{
	if (eff__proc_reap(proc))
		return;
	/* Ended and not to be had: somebody who traces it has it first. */
	eff__fd_forget(proc->rt, proc->making.pidfd);
	eff__proc_look_by_time(proc);
}

static void on_pidfd(struct eff__hook *hook, int events)
{
	struct eff_proc *proc = eff_container(hook, struct eff_proc, end_hook);

	(void)events;
	if (eff__procs_may_reap(proc->rt->procs)) {
		eff__proc_collect(proc);
		return;
	}
	/* Not to be told of it again in every turn until then. */
	eff__fd_forget(proc->rt, proc->making.pidfd);
	eff__procs_put_off(proc->rt->procs, proc);
}

static void on_again(struct eff_timer *timer)
{
	struct eff_proc *proc = eff_container(timer, struct eff_proc, again);

	if (proc->exec == EFF__EXEC_PENDING && pipe_read(proc))
		exec_settle(proc);
	if (!eff__proc_reap(proc) && proc->polled)
		look_again(proc);
}

/* ── the public face ── */

/* From here on the loop has an eye on it. */
static void proc_watch(struct eff_proc *proc)
{
	struct eff_rt *rt = proc->rt;
	bool none = eff__proc_without & EFF__WITHOUT_HOOKS;
	bool by_pidfd = proc->making.pidfd >= 0;
	int r = none ? -ENOMEM : eff__fd_hook(rt, proc->making.pipe_fd, EFF_READ, &proc->pipe_hook);

	if (r >= 0 && by_pidfd)
		r = eff__fd_hook(rt, proc->making.pidfd, EFF_READ, &proc->end_hook);
	else if (r >= 0)
		r = eff__sigchld_open(rt->procs);
	if (r < 0)
		eff__proc_look_by_time(proc);
	else if (!by_pidfd)
		look_again(proc); /* once: it may have ended before SIGCHLD was blocked */
}

int eff_spawn(const struct eff_spawn *spawn, struct eff_proc **ret_proc)
{
	struct eff_rt *rt = eff__in_runtime("eff_spawn");
	struct eff__procs *procs = eff__procs_of(rt);
	struct eff_proc *proc = calloc(1, sizeof *proc);
	int r = -ENOMEM;

	if (spawn->n_fds < 3)
		eff__misuse("eff_spawn", "a child has three descriptors at least");
	if (procs && proc)
		r = eff__make(&procs->stacks, spawn, &proc->making);
	else if (spawn->release)
		spawn->release(spawn->context);
	if (r < 0) {
		free(proc);
		return r;
	}
	proc->rt = rt;
	proc->exec = EFF__EXEC_PENDING;
	proc->pipe_hook.fn = on_pipe;
	proc->end_hook.fn = on_pidfd;
	proc->again.fire = on_again;
	eff_list_init(&proc->due);
	eff_list_init(&proc->exec_waiters);
	eff_list_init(&proc->end_waiters);
	eff_list_append(eff__procs_bucket(procs, proc->making.pid), &proc->link);
	proc_watch(proc);
	*ret_proc = proc;
	return 0;
}

static int proc_park(struct eff_list *waiters, struct eff__wait *wait, pid_t pid)
{
	struct eff_rt *rt = eff__rt;
	int r;

	wait->on = EFF__ON_NUMBER;
	wait->number = pid;
	eff_list_append(waiters, &wait->link);
	rt->external++;
	r = eff__park(wait);
	rt->external--;
	return r;
}

int eff_proc_await_exec(struct eff_proc *proc, struct eff_spawn_fault *ret_fault)
{
	struct exec_wait w = {
		.wait = {.fiber = eff__in_fiber("eff_proc_await_exec"), .what = "exec"},
		.fault = proc->fault};
	int r = eff_check();

	if (r < 0)
		return r;
	r = proc->exec;
	if (r == EFF__EXEC_PENDING)
		r = proc_park(&proc->exec_waiters, &w.wait, proc->making.pid);
	if (r == -ECHILD && ret_fault)
		*ret_fault = w.fault;
	return r;
}

int eff_proc_await_end(struct eff_proc *proc, int *ret_status)
{
	struct end_wait w = {
		.wait = {.fiber = eff__in_fiber("eff_proc_await_end"), .what = "process"},
		.status = proc->end.status};
	int r = eff_check();

	if (r >= 0 && !proc->ended)
		r = proc_park(&proc->end_waiters, &w.wait, proc->making.pid);
	if (r >= 0 && ret_status)
		*ret_status = w.status;
	return r;
}

bool eff_proc_ended(const struct eff_proc *proc, int *ret_status)
{
	if (proc->ended && ret_status)
		*ret_status = proc->end.status;
	return proc->ended;
}

bool eff_proc_lost(const struct eff_proc *proc)
{
	return proc->ended && proc->end.lost;
}

eff_ns eff_proc_cpu(const struct eff_proc *proc)
{
	return proc->end.cpu;
}

pid_t eff_proc_pid(const struct eff_proc *proc)
{
	return proc->making.pid;
}

int eff_proc_signal(struct eff_proc *proc, int sig)
{
	if (proc->ended)
		return -ESRCH;
	if (proc->exec == EFF__EXEC_PENDING)
		proc->signalled = true;
	return eff__proc_kill(proc, sig);
}

static void proc_part(struct eff_proc *proc, bool left)
{
	if (proc->ended) {
		free(proc);
		return;
	}
	if (!left)
		(void)eff_proc_signal(proc, SIGKILL);
	proc->freed = true;
	proc->left = left;
	if (!proc->rt)
		proc_destroy(proc); /* nobody is left to reap it but the end of this process */
}

static void must_not_be_awaited(const struct eff_proc *proc, const char *function)
{
	if (!eff_list_empty(&proc->exec_waiters) || !eff_list_empty(&proc->end_waiters))
		eff__misuse(function, "fibers still wait for it");
}

void eff_proc_free(struct eff_proc *proc)
{
	if (!proc)
		return;
	must_not_be_awaited(proc, "eff_proc_free");
	proc_part(proc, false);
}

void eff_proc_leave(struct eff_proc *proc)
{
	if (!proc)
		return;
	must_not_be_awaited(proc, "eff_proc_leave");
	proc_part(proc, true);
}
