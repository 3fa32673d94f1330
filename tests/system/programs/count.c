/* SPDX-License-Identifier: MIT */
/* count FILE COMMAND ARGS…: runs a command and counts what its first thread asks of the kernel; what it starts is not looked
 * at. Ends as the command does; SIGTERM is handed on. FILE is mapped by both: a program that was built with STEPS=1 counts its
 * steps there, where $STEPS_FILE names it. Numbers of 8 bytes, in this order, that a test reads at any moment: */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct counts {
	uint64_t steps;         /* by the command */
	uint64_t pid;           /* of the command */
	uint64_t calls, bytes;  /* system calls; what was read and written by them */
	uint64_t turns, spawns; /* waits for something to do; children made */
	uint64_t most_steps, most_calls, most_spawns; /* between two waits */
	uint64_t sure; /* calls that do not hang on how much comes together in a turn, and is at work at once */
} * counts;

static struct counts turn; /* as it was when the present turn began */
static pid_t command;

static void hand_on(int sig)
{
	(void)kill(command, sig);
}

static bool waits(uint64_t number)
{
	switch (number) {
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return true;
	default:
		return false;
	}
}

/* What is asked for once a turn, or for what several share or take over from each other: the wait itself and what it is told to
 * look at, lines that are written together, and the memory of fibers. */
static bool is_chance(uint64_t number)
{
	switch (number) {
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
	case SYS_epoll_ctl:
	case SYS_timerfd_settime:
	case SYS_write:
	case SYS_futex:
	case SYS_brk:
	case SYS_mmap:
	case SYS_mprotect:
	case SYS_munmap:
	case SYS_madvise:
	case SYS_process_madvise:
		return true;
	default:
		return waits(number);
	}
}

static bool moves_bytes(uint64_t number)
{
	switch (number) {
	case SYS_read:
	case SYS_pread64:
	case SYS_readv:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_getdents64:
	case SYS_write:
	case SYS_writev:
	case SYS_sendto:
	case SYS_sendmsg:
		return true;
	default:
		return false;
	}
}

static void keep_most(uint64_t *most, uint64_t before, uint64_t now)
{
	if (now - before > *most)
		*most = now - before;
}

static void turn_ends(void)
{
	counts->turns++;
	keep_most(&counts->most_steps, turn.steps, counts->steps);
	keep_most(&counts->most_calls, turn.calls, counts->calls);
	keep_most(&counts->most_spawns, turn.spawns, counts->spawns);
	turn = *counts;
}

static void count_call(uint64_t number)
{
	if (waits(number))
		turn_ends();
	counts->calls++;
	counts->sure += !is_chance(number);
	/* Pairs are taken over from one child by the next; one that is made is closed, too. */
	if (number == SYS_socketpair)
		counts->sure -= 3;
#ifdef SYS_vfork
	counts->spawns += number == SYS_vfork;
#endif
	counts->spawns += number == SYS_clone || number == SYS_clone3;
}

static void look(void)
{
	static uint64_t number;
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, command, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		count_call(number = info.entry.nr);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && info.exit.rval > 0 && moves_bytes(number))
		counts->bytes += (uint64_t)info.exit.rval;
	/* What comes a turn later than it was looked for is looked for again. */
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && info.exit.rval == -EAGAIN)
		counts->sure -= !is_chance(number);
}

/* Returns its status. */
static int follow(void)
{
	int status;

	while (waitpid(command, &status, 0) == command) {
		int sig = 0;

		if (!WIFSTOPPED(status))
			return status;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80))
			look();
		else if (WSTOPSIG(status) != SIGTRAP)
			sig = WSTOPSIG(status);
		(void)ptrace(PTRACE_SYSCALL, command, 0, sig);
	}
	return -1;
}

static void begin(char **argv)
{
	int status;

	command = fork();
	if (command == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
		(void)raise(SIGSTOP);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	if (command < 0 || waitpid(command, &status, 0) != command || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, command, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0) {
		perror("count");
		exit(125);
	}
	counts->pid = (uint64_t)command;
	(void)signal(SIGTERM, hand_on);
	(void)ptrace(PTRACE_SYSCALL, command, 0, 0);
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
	int status;

	if (fd < 0 || ftruncate(fd, sizeof(*counts)) < 0 || setenv("STEPS_FILE", argv[1], 1) < 0)
		return 125;
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counts == MAP_FAILED)
		return 125;
	begin(argv + 2);
	status = follow();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
