/* SPDX-License-Identifier: MIT */
/* What is asked of the kernel about a child: by its pidfd, or by its pid, which is its own until we have reaped it. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "procs.h"

/* In the ninth field of /proc/PID/stat: has not executed anything since it was made. */
enum { FORKED_NO_EXEC = 0x40 };

static int status_of(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		return (info->si_status & 0xff) << 8;
	return info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

static eff_ns time_of(const struct timeval *at)
{
	return EFF_S(at->tv_sec) + EFF_US(at->tv_usec);
}

/* The C library's waitid() leaves out what the kernel can tell besides. */
static int wait_for(idtype_t type, int id, int flags, siginfo_t *info, struct eff__end *end)
{
	struct rusage usage = {0};
	long r = syscall(SYS_waitid, type, id, info, flags, &usage);

	end->cpu = time_of(&usage.ru_utime) + time_of(&usage.ru_stime);
	return (int)r;
}

bool eff__proc_wait(const struct eff_proc *proc, int flags, struct eff__end *ret_end)
{
	siginfo_t info = {0};
	int r = -1;

	flags |= WEXITED | WNOHANG | __WALL;
	errno = EINVAL;
	if (proc->making.pidfd >= 0)
		r = wait_for(P_PIDFD, proc->making.pidfd, flags, &info, ret_end);
	if (r < 0 && errno == EINVAL)
		r = wait_for(P_PID, proc->making.pid, flags, &info, ret_end);
	/* Somebody else has collected it (SIGCHLD is ignored, or a library waits for anybody): how it ended is lost. */
	if (r < 0) {
		*ret_end = (struct eff__end){.status = 255 << 8, .lost = true};
		return true;
	}
	if (info.si_pid == 0)
		return false;
	ret_end->status = status_of(&info);
	ret_end->lost = false;
	return true;
}

/* 1, 0, or -errno when it cannot be known. */
static int has_not_executed(pid_t pid)
{
	char path[32], text[512];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = '\0';
	at = strrchr(text, ')'); /* the name before it may have anything in it */
	for (int field = 2; at && field < 9; field++)
		at = strchr(at + 1, ' ');
	return at ? (strtoul(at, NULL, 10) & FORKED_NO_EXEC) != 0 : -EIO;
}

/* The kernel may kill it as it is born into its group: then it has never run. That the pipe has ended is seen before its end
 * is, and means nothing. */
static bool never_began(const struct eff_proc *proc)
{
	const struct eff__child *child = proc->making.child;

	if (!child->spawn.cgroup_fd || child->joins)
		return false;
	if (child->spawn.own_memory)
		return has_not_executed(proc->making.pid) > 0;
	return !__atomic_load_n(&child->began, __ATOMIC_ACQUIRE);
}

/* Only a signal ends it without a word. The kernel's flag tells the two sides of execve() apart; it is asked for only
 * when there was a signal, for it costs more than all the rest. */
bool eff__proc_died_unborn(const struct eff_proc *proc)
{
	struct eff__end end;
	bool killed = eff__proc_wait(proc, WNOWAIT, &end) && WIFSIGNALED(end.status);
	int r;

	if (never_began(proc))
		return true;
	if (!killed && !proc->signalled)
		return false;
	r = has_not_executed(proc->making.pid);
	return r < 0 ? killed : r;
}

bool eff__proc_ended_mute(const struct eff_proc *proc, int status)
{
	const struct eff__child *child = proc->making.child;

	if (proc->making.carrier.theirs < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 0)
		return false;
	return child->spawn.own_memory ? has_not_executed(proc->making.pid) > 0
				       : !__atomic_load_n(&child->parted, __ATOMIC_ACQUIRE);
}

int eff__proc_kill(const struct eff_proc *proc, int sig)
{
	long r = -1;

	errno = ENOSYS;
	if (proc->making.pidfd >= 0)
		r = syscall(SYS_pidfd_send_signal, proc->making.pidfd, sig, NULL, 0);
	if (r < 0 && errno == ENOSYS)
		r = kill(proc->making.pid, sig);
	return r < 0 ? -errno : 0;
}

void eff__proc_poll(const struct eff_proc *proc, int timeout_ms)
{
	struct pollfd fds[2] = {
		{.fd = proc->making.pipe_fd, .events = POLLIN},
		{.fd = proc->making.pidfd, .events = POLLIN},
	};

	/* The end itself makes no descriptor readable then. */
	if (proc->making.pidfd < 0 && timeout_ms > 1)
		timeout_ms = 1;
	(void)poll(fds, 2, timeout_ms);
}
