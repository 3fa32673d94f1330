/* SPDX-License-Identifier: MIT */
/* Reaping what effd did not start: orphans that it has adopted as PID 1 or subreaper. A child of ours is collected through
 * its own wait, which also tells who awaits it. Bounded: a storm of orphans takes several turns. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/internal.h"

/* The next that has ended, without taking it; 0 when there is none. */
static pid_t next_ended(void)
{
	siginfo_t info = {0};

	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0) {
		if (errno != EINTR)
			return 0;
	}
	return info.si_pid;
}

/* Returns whether it was a stranger. */
static bool reap(struct os_linux *os, pid_t pid)
{
	siginfo_t info = {0};

	if (eff_proc_collect(pid))
		return false;
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | __WALL) < 0) {
		if (errno != EINTR)
			return false;
	}
	if (info.si_pid == pid)
		os_main_reaped(os, pid, &info);
	return info.si_pid == pid;
}

bool os_linux_reap(struct os *os, unsigned most)
{
	struct os_linux *own = linux_of(os);
	uint64_t n_before = own->n_reaped;
	unsigned n = 0;

	for (; n < most; n++) {
		pid_t pid = next_ended();

		if (pid <= 0)
			break;
		if (reap(own, pid))
			own->n_reaped++;
	}
	/* Ends of our own children are told to who awaits them; only an orphan's can have emptied a group. */
	if (own->n_reaped != n_before)
		eff_pulse_send(&own->orphans);
	return n == most;
}

size_t os_linux_strays(struct os_left *ret_left, size_t n)
{
	struct procfs_stat st;
	size_t count = 0;
	char path[64];
	FILE *children;
	int pid;

	/* Who is adopted becomes a child of the first thread. */
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	children = fopen(path, "re");
	while (children && fscanf(children, "%d", &pid) == 1) {
		if (!os_procfs_stat(pid, &st) || st.state == 'Z' || st.state == 'X')
			continue;
		if (count < n) {
			ret_left[count] = (struct os_left){.pid = pid};
			memcpy(ret_left[count].command, st.command, sizeof(st.command));
		}
		count++;
	}
	if (children)
		(void)fclose(children);
	return count;
}

uint64_t os_linux_reaped(const struct os *os)
{
	return linux_of(os)->n_reaped;
}
