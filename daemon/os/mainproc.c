/* SPDX-License-Identifier: MIT */
/* The main process of a unit that is not the one effd made: a program that puts itself into the background and names the
 * one that goes on, by a file or by MAINPID.
 *
 * A number that somebody wrote is believed only of a process of the unit: one of its family, or one that effd has
 * adopted, that is younger than the unit's run, has its user, and is no other unit's. From then on it is known by its
 * pidfd. How it ended is told by the wait where effd is its parent, by the kernel's record of the pidfd where that is kept,
 * else it cannot be known. Who was waiting for the end of the one before is told to look again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <eff/clock.h>
#include <eff/io.h>
#include <eff/scope.h>

#include "os/internal.h"

/* From linux/pidfd.h of 6.13; older headers have none of it. */
struct pidfd_info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, ids[8];
	int32_t exit_code;
};
#define PIDFD_INFO_OF_EXIT (UINT64_C(1) << 3)
#define PIDFD_ASK_INFO _IOWR(0xFF, 11, struct pidfd_info)

/* For how long the record of an end may be late: the parent has it once it has reaped. */
#define RECORD_LATE EFF_S(1)

struct main_wait {
	struct eff_list link;
	struct eff_scope within;
};

static uint64_t ticks_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)(((double)now.tv_sec + (double)now.tv_nsec / 1e9) *
		(double)sysconf(_SC_CLK_TCK));
}

void os_main_init(struct os_child *child)
{
	child->main.fd = -1;
	child->made = ticks_now();
	eff_list_init(&child->main.waiters);
}

void os_main_done(struct os_child *child)
{
	eff_fd_close(child->main.fd);
}

pid_t linux_pid(const struct os_child *child)
{
	return child->main.pid ? child->main.pid : child->pid;
}

bool os_main_ended(const struct os_child *child)
{
	return child->main.pid ? child->main.ended : eff_proc_ended(child->proc, NULL);
}

int os_main_signal(struct os_child *child, int sig)
{
	if (!child->main.pid)
		return eff_proc_signal(child->proc, sig);
	if (child->main.ended)
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, child->main.fd, sig, NULL, 0) < 0 ? -errno : 0;
}

/* ── whose it is ── */

static bool has_user(pid_t pid, uid_t uid)
{
	char path[32];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) == 0 && (uid == 0 || st.st_uid == uid);
}

/* Nobody who could tell is left of those between it and the unit; what speaks for it must do. */
static bool may_be_of(const struct os_child *child, pid_t pid)
{
	const struct os_linux *os = child->os;
	struct procfs_stat st;

	/* Where it has a control group there is nothing to guess. */
	if (os_is_held(child) || !os_procfs_stat(pid, &st) || st.ppid != getpid() ||
		st.born < child->made || !has_user(pid, child->uid))
		return false;
	for (struct eff_list *link = os->children.next; link != &os->children; link = link->next) {
		struct os_child *other = eff_container(link, struct os_child, link);

		if (other != child && (other->pid == pid || os_family_has(other, pid)))
			return false;
	}
	return true;
}

int linux_follow(struct os_child *child, pid_t pid)
{
	struct main_proc *main = &child->main;
	struct eff_list *link;
	int fd;

	if (pid <= 0)
		return -ESRCH;
	if (pid == linux_pid(child))
		return 0;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -ESRCH;
	/* The number is its own as long as the pidfd says that it is there, so what follows is about this one. */
	if ((!os_family_has(child, pid) && !may_be_of(child, pid)) ||
		syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0) {
		(void)close(fd);
		return -ESRCH;
	}
	eff_fd_close(main->fd);
	main->pid = pid;
	main->fd = fd;
	main->ended = false;
	if (pid == child->pid)
		main->pid = 0;
	else
		os_family_join(child, pid);
	for (link = main->waiters.next; link != &main->waiters; link = link->next)
		eff_scope_cancel(&eff_container(link, struct main_wait, link)->within);
	return 0;
}

/* ── its end ── */

static struct os_end end_of_status(int status)
{
	return (struct os_end){
		.code = WIFSIGNALED(status) ? -1 : WEXITSTATUS(status),
		.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		.core = WIFSIGNALED(status) && WCOREDUMP(status),
	};
}

static struct os_end end_unknown(void)
{
	return (struct os_end){.code = -1};
}

static void main_ends(struct main_proc *main, struct os_end end)
{
	main->ended = true;
	main->end = end;
}

static struct os_end end_of_info(const siginfo_t *info)
{
	bool exited = info->si_code == CLD_EXITED;

	return (struct os_end){
		.code = exited ? info->si_status & 0xff : -1,
		.signal = exited ? 0 : info->si_status,
		.core = info->si_code == CLD_DUMPED,
	};
}

void os_main_reaped(struct os_linux *os, pid_t pid, const siginfo_t *info)
{
	for (struct eff_list *link = os->children.next; link != &os->children; link = link->next) {
		struct main_proc *main = &eff_container(link, struct os_child, link)->main;

		if (main->pid == pid && !main->ended)
			main_ends(main, end_of_info(info));
	}
}

/* It is dead: how did it end? Returns false when that may yet come to be known. */
static bool main_collect(struct main_proc *main)
{
	struct pidfd_info record = {.mask = PIDFD_INFO_OF_EXIT};
	siginfo_t info = {0};

	if (main->ended)
		return true;
	if (waitid(P_PIDFD, (id_t)main->fd, &info, WEXITED | WNOHANG | __WALL) == 0 && info.si_pid) {
		main_ends(main, end_of_info(&info));
		return true;
	}
	if (ioctl(main->fd, PIDFD_ASK_INFO, &record) < 0 || !(record.mask & PIDFD_INFO_OF_EXIT))
		return false;
	main_ends(main, end_of_status(record.exit_code));
	return true;
}

/* What it looks with is no part of the frames in which all others wait. */
__attribute__((noinline)) static int main_await(struct os_child *child)
{
	struct main_proc *main = &child->main;
	eff_ns late_at, pause = EFF_MS(1);
	int r = main->ended ? 0 : eff_wait_fd(main->fd, EFF_READ);

	late_at = eff_ns_add(eff_now(), RECORD_LATE);
	while (r >= 0 && !main_collect(main)) {
		if (eff_now() >= late_at)
			main_ends(main, end_unknown());
		else
			r = eff_sleep(pause);
		pause *= 2;
	}
	return r < 0 ? r : 0;
}

static int await_present(struct os_child *child, struct os_end *ret_end)
{
	int status;
	int r;

	if (child->main.pid) {
		r = main_await(child);
		*ret_end = child->main.end;
	} else {
		r = eff_proc_await_end(child->proc, &status);
		if (r >= 0)
			*ret_end = eff_proc_lost(child->proc) ? end_unknown()
							      : end_of_status(status);
		if (r >= 0 && child->cgroup)
			child->cgroup->cpu_told = eff_proc_cpu(child->proc);
	}
	return r;
}

int linux_await_end(struct os_child *child, struct os_end *ret_end)
{
	struct main_wait wait;
	bool moved;
	int r;

	do {
		eff_scope_open(&wait.within);
		eff_list_append(&child->main.waiters, &wait.link);
		r = await_present(child, ret_end);
		eff_list_remove(&wait.link);
		/* Another has become the main process meanwhile. */
		moved = eff_scope_close(&wait.within) == -ECANCELED;
	} while (moved);
	if (r >= 0 && ret_end->signal == SIGKILL)
		ret_end->oom = child->cgroup && os_cgroup_oom(child->cgroup);
	return r;
}
