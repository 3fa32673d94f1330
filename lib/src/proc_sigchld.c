/* SPDX-License-Identifier: MIT */
/* Ends without pidfds: one signalfd for SIGCHLD, and then a look at every child, for one signal stands for many ends.
 * A set of eff_signals with SIGCHLD in it would compete for the signal; while one is open, it is the one that reads. */
#include <sys/signalfd.h>
#include <unistd.h>

#include "procs.h"

static void on_sigchld(struct eff__hook *hook, int events)
{
	struct eff__procs *procs = eff_container(hook, struct eff__procs, sigchld_hook);
	struct signalfd_siginfo info;
	ssize_t n = read(procs->sigchld_fd, &info, sizeof info);

	(void)n; /* which child does not matter */
	(void)events;
	eff__procs_reap_all(procs);
}

/* What came before the set was closed has been looked at, or will be by no one: so it may go to the default. */
static void unblock(const struct eff__procs *procs)
{
	sigset_t set;

	if (sigismember(&procs->mask_before, SIGCHLD))
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void eff__sigchld_close(struct eff__procs *procs)
{
	eff__fd_drop(procs->rt, &procs->sigchld_fd);
	if (procs->sigchld_blocked)
		unblock(procs);
	procs->sigchld_blocked = false;
}

int eff__sigchld_open(struct eff__procs *procs)
{
	sigset_t set;
	int r;

	if (procs->sigchld_fd >= 0)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	r = -pthread_sigmask(SIG_BLOCK, &set, &procs->mask_before);
	if (r < 0)
		return r;
	procs->sigchld_blocked = true;
	procs->sigchld_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	r = procs->sigchld_fd < 0 ? -errno : 0;
	procs->sigchld_hook.fn = on_sigchld;
	if (r >= 0 && procs->n_sharers == 0)
		r = eff__fd_hook(procs->rt, procs->sigchld_fd, EFF_READ, &procs->sigchld_hook);
	if (r < 0)
		eff__sigchld_close(procs);
	return r;
}

void eff__procs_share_sigchld(struct eff_rt *rt, int change)
{
	struct eff__procs *procs = eff__procs_of(rt);

	if (!procs)
		return;
	procs->n_sharers += change;
	if (procs->sigchld_fd < 0)
		return;
	if (procs->n_sharers > 0) {
		eff__fd_forget(rt, procs->sigchld_fd);
	} else if (eff__fd_hook(rt, procs->sigchld_fd, EFF_READ, &procs->sigchld_hook) < 0) {
		/* Those that live are looked at by the time from now on; the next one opens it anew. */
		eff__sigchld_close(procs);
		eff__procs_look_by_time(procs);
	}
}

void eff__procs_sweep(struct eff_rt *rt)
{
	if (rt->procs && rt->procs->sigchld_fd >= 0)
		eff__procs_reap_all(rt->procs);
}
