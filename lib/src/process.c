/* SPDX-License-Identifier: MIT */
/* A process as an effect: spawn, await its end, and whatever that came to, leave nothing running. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <eff/process.h>
#include <eff/supervise.h>

#include "internal.h"

static eff_exit exit_of_status(int status)
{
	if (WIFSIGNALED(status))
		return eff_die("signal %d", WTERMSIG(status));
	return WEXITSTATUS(status) ? eff_fail(WEXITSTATUS(status)) : eff_ok(NULL);
}

static eff_exit exit_of_fault(const struct eff_process *p, const char *stage, int error)
{
	return eff_failf(error, "cannot %s %s: %s", stage, p->spawn->path, strerror(error));
}

/* Until it has executed its program. Says what it has to say in `ret_exit` when it never will. */
static int process_await_exec(const struct eff_process *p, struct eff_proc *proc, eff_exit *ret_exit)
{
	struct eff_spawn_fault fault = {0};
	struct eff_child *self = eff_child_self();
	int r = eff_proc_await_exec(proc, &fault);

	if (r == 0 && self)
		eff_child_up(self);
	if (r == -ECHILD && fault.stage)
		*ret_exit = exit_of_fault(p, fault.stage, fault.error);
	return r == -ECHILD ? 0 : r;
}

/* Returns whether it had to be killed. */
static bool process_stop(const struct eff_process *p, struct eff_proc *proc)
{
	eff_masked before = eff_mask();
	struct eff_scope grace;
	int r = -ETIMEDOUT;

	if (p->grace > 0) {
		eff_scope_open(&grace);
		eff_scope_limit(&grace, eff_ns_add(eff_now(), p->grace));
		(void)eff_proc_signal(proc, p->stop_signal ? p->stop_signal : SIGTERM);
		/* One that is stopped takes its signal when it goes on. */
		(void)eff_proc_signal(proc, SIGCONT);
		r = eff_proc_await_end(proc, NULL);
		(void)eff_scope_close(&grace);
	}
	if (r < 0) {
		(void)eff_proc_signal(proc, SIGKILL);
		(void)eff_proc_await_end(proc, NULL);
	}
	eff_unmask(before);
	return r < 0;
}

eff_exit eff_process_run(void *arg)
{
	const struct eff_process *p = arg;
	struct eff_proc *proc;
	eff_exit exit = eff_ok(NULL);
	int status = 0;
	int r = eff_spawn(p->spawn, &proc);

	if (r < 0)
		return exit_of_fault(p, "fork", -r);
	r = process_await_exec(p, proc, &exit);
	if (r == 0)
		r = eff_proc_await_end(proc, &status);
	if (r < 0 && process_stop(p, proc))
		exit = eff_exit_note(eff_exit_of(r), "killed after its grace");
	else if (r < 0)
		exit = eff_exit_of(r);
	else if (eff_is_ok(exit))
		exit = eff_proc_lost(proc) ? eff_die("how it ended is not known")
					   : exit_of_status(status);
	eff_proc_free(proc);
	return exit;
}
