/* SPDX-License-Identifier: MIT */
/* Signals by a signalfd. The set is blocked in this thread, and so in every thread that it makes later. What is pending
 * when the set is closed has been meant for it: it is taken out, not let loose on the default dispositions. */
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <eff/signal.h>

#include "internal.h"

int eff_signals_open(struct eff_signals *signals, const sigset_t *set)
{
	int r = pthread_sigmask(SIG_BLOCK, set, &signals->before);

	if (r != 0)
		return -r;
	signals->fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->fd < 0) {
		r = -errno;
		(void)pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
		return r;
	}
	signals->set = *set;
	signals->has_sigchld = sigismember(set, SIGCHLD) == 1;
	if (signals->has_sigchld && eff__rt)
		eff__procs_share_sigchld(eff__rt, 1);
	return 0;
}

/* Those of the one that are not in the other. */
static sigset_t set_without(const sigset_t *set, const sigset_t *other)
{
	sigset_t rest = *set;

	for (int sig = 1; sig < _NSIG; sig++)
		if (sigismember(other, sig) == 1)
			(void)sigdelset(&rest, sig);
	return rest;
}

int eff_signals_change(struct eff_signals *signals, const sigset_t *set)
{
	const struct timespec now = {0};
	sigset_t next = *set, blocked, gone;
	int r = 0;

	(void)(signals->has_sigchld ? sigaddset(&next, SIGCHLD) : sigdelset(&next, SIGCHLD));
	(void)pthread_sigmask(SIG_BLOCK, &next, NULL);
	if (signalfd(signals->fd, &next, 0) < 0) {
		r = -errno;
		gone = set_without(&next, &signals->set);
		gone = set_without(&gone, &signals->before);
	} else {
		(void)sigorset(&blocked, &next, &signals->before);
		gone = set_without(&signals->set, &blocked);
		while (sigtimedwait(&gone, NULL, &now) > 0)
			;
		signals->set = next;
	}
	(void)pthread_sigmask(SIG_UNBLOCK, &gone, NULL);
	return r;
}

static bool sent_by_process(int32_t code)
{
	return code == SI_USER || code == SI_QUEUE || code == SI_TKILL;
}

int eff_signals_await(struct eff_signals *signals, pid_t *ret_pid, uid_t *ret_uid)
{
	struct signalfd_siginfo info;
	ssize_t n = eff_read(signals->fd, &info, sizeof info);
	bool process;

	if (n < 0)
		return (int)n;
	assert(n == sizeof info); /* the kernel hands out whole records */
	/* One record stands for any number of children that ended, ours among them. */
	if (info.ssi_signo == SIGCHLD)
		eff__procs_sweep(eff__rt);
	process = sent_by_process(info.ssi_code);
	if (ret_pid)
		*ret_pid = process ? (pid_t)info.ssi_pid : 0;
	if (ret_uid)
		*ret_uid = process ? (uid_t)info.ssi_uid : 0;
	return (int)info.ssi_signo;
}

void eff_signals_close(struct eff_signals *signals)
{
	struct signalfd_siginfo info;

	if (signals->fd < 0)
		return;
	while (read(signals->fd, &info, sizeof info) == sizeof info)
		;
	eff_fd_close(signals->fd);
	signals->fd = -1;
	if (signals->has_sigchld && eff__rt)
		eff__procs_share_sigchld(eff__rt, -1);
	(void)pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}
