/* SPDX-License-Identifier: MIT */
/* What the machine can do at most, to hold a supervisor against: children made in a loop, awaited by pidfd in one epoll set,
 * made again at their end. No configuration, no log, no safety. SIGTERM ends them all, then the loop.
 *
 *   limit HOW N FIFO SERVICE [crash]   HOW: posix_spawn, clone3 (CLONE_VFORK), overlap (clone3 without it: the next one is
 *                                      made while the last one executes), alike (overlap, and each has what effd gives: a
 *                                      control group, a session, a pipe for its output that is read, an end with ours)
 *   limit echo SOCKET SIZE             SIZE bytes for whatever comes, up to a NUL
 *   limit cat FILE                     standard input into a file, by 64 KiB
 *   limit splice FILE                  the same, without a copy
 *   limit lazy FILE                    the same through a large pipe, a read each two milliseconds unless it is half full
 *   limit nothing                      the least that a command can do */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACKS = 16, STACK_BYTES = 8192, BATCH = 64, PIPE_BYTES = 1 << 20 };

extern char **environ;

struct child {
	pid_t pid;
	int pidfd;
	int group, events, out; /* of one alike */
	char number[12];
};

/* What a child is told, in the lowest words of its stack: our own frame is gone before it has read them. */
struct start {
	char *argv[5];
	bool is_alike;
	int out;
};

static struct child *children;
static unsigned n_children, n_live;
static int epoll_fd, null_fd, base_fd = -1;
static bool ending, is_alike;
static const char *how, *fifo, *program, *crash;

/* For children in our memory: a stack is free when the kernel has cleared its word, which it does at exec. */
static char stacks[STACKS][STACK_BYTES] __attribute__((aligned(64)));
static uint32_t busy[STACKS];

__attribute__((noreturn)) static void die(const char *what)
{
	perror(what);
	_exit(111);
}

static void argv_of(const struct child *child, char *argv[static 5])
{
	argv[0] = (char *)program;
	argv[1] = (char *)fifo;
	argv[2] = (char *)child->number;
	argv[3] = (char *)crash;
	argv[4] = NULL;
}

#if defined(__x86_64__)
static long inline_call(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

/* Beside its parent, in its memory: errno is not its own. */
__attribute__((noreturn)) static void child_main(struct start *start)
{
	const uint64_t none = 0;

	if (start->is_alike) {
		inline_call(SYS_dup3, null_fd, 0, 0, 0);
		inline_call(SYS_dup3, start->out, 1, 0, 0);
		inline_call(SYS_dup3, start->out, 2, 0, 0);
		inline_call(SYS_close_range, 3, ~0U, 0, 0);
		inline_call(SYS_setsid, 0, 0, 0, 0);
		inline_call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	}
	inline_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof(none));
	inline_call(SYS_execve, (long)program, (long)start->argv, (long)environ, 0);
	for (;;)
		inline_call(SYS_exit_group, 127, 0, 0, 0);
}

static long clone_on(struct clone_args *args, struct start *start)
{
	register void (*fn)(struct start *) __asm__("r8") = child_main;
	register struct start *arg __asm__("r9") = start;
	long r;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\t"
			 "mov %%r9, %%rdi\n\tcall *%%r8\n1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(args), "S"(sizeof(*args)), "r"(fn), "r"(arg)
			 : "rcx", "r11", "memory", "cc");
	return r;
}

/* Its group, if it has none yet, and a pipe for its output: returns the child's end. */
static int surround(struct child *child)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uintptr_t)child | 1};
	int ends[2];

	if (!child->group) {
		(void)mkdirat(base_fd, child->number, 0755);
		child->group = openat(base_fd, child->number, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		child->events = openat(child->group, "cgroup.events", O_RDONLY | O_CLOEXEC);
	}
	if (child->events < 0 || pipe2(ends, O_CLOEXEC) < 0)
		die("alike");
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, ends[0], &event);
	child->out = ends[0];
	return ends[1];
}

static void make_by_clone(struct child *child, bool overlap)
{
	static unsigned next;
	unsigned slot = overlap ? next++ % STACKS : 0;
	struct start *start = (struct start *)stacks[slot];
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_PIDFD | (overlap ? CLONE_CHILD_CLEARTID : CLONE_VFORK),
		.pidfd = (uintptr_t)&child->pidfd,
		.child_tid = (uintptr_t)&busy[slot],
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stacks[slot],
		.stack_size = STACK_BYTES,
	};
	uint32_t tid;
	long r;

	while (overlap && (tid = __atomic_load_n(&busy[slot], __ATOMIC_ACQUIRE)))
		(void)syscall(SYS_futex, &busy[slot], 0, tid, NULL, NULL, 0);
	busy[slot] = overlap;
	argv_of(child, start->argv);
	start->is_alike = is_alike;
	if (is_alike) {
		start->out = surround(child);
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)child->group;
	}
	r = clone_on(&args, start);
	if (r < 0)
		die("clone3");
	child->pid = (pid_t)r;
	if (is_alike)
		(void)close(start->out);
}
#else
static void make_by_clone(struct child *child, bool overlap)
{
	(void)child;
	(void)overlap;
	die("not for this machine");
}
#endif

static void make_by_spawn(struct child *child)
{
	char *argv[5];
	posix_spawnattr_t attributes;
	sigset_t none;

	argv_of(child, argv);
	(void)sigemptyset(&none);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	if (posix_spawn(&child->pid, program, NULL, &attributes, argv, environ))
		die("posix_spawn");
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
}

static void make(struct child *child)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = child};

	if (!strcmp(how, "posix_spawn"))
		make_by_spawn(child);
	else
		make_by_clone(child, is_alike || !strcmp(how, "overlap"));
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, child->pidfd, &event) < 0)
		die("epoll_ctl");
	n_live++;
}

static void output_take(struct child *child)
{
	static char bytes[65536];
	ssize_t n;

	while (child->out && (n = read(child->out, bytes, sizeof(bytes))) >= 0) {
		if (n > 0)
			continue;
		(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, child->out, NULL);
		(void)close(child->out);
		child->out = 0;
	}
}

/* Nobody is left of the last run. */
static void await_alone(const struct child *child)
{
	char text[64];

	do
		memset(text, 0, sizeof(text));
	while (pread(child->events, text, sizeof(text) - 1, 0) > 0 && strstr(text, "populated 1"));
}

static void reap(struct child *child)
{
	siginfo_t info = {.si_pid = 0};

	if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) < 0)
		die("waitid");
	/* One that was made beside it has a copy of it until it executes, and the kernel tells of that one, too. */
	if (!info.si_pid)
		return;
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, child->pidfd, NULL);
	(void)close(child->pidfd);
	child->pid = 0;
	n_live--;
	if (is_alike) {
		output_take(child);
		await_alone(child);
	}
	if (!ending)
		make(child);
}

static void end_all(void)
{
	ending = true;
	for (unsigned i = 0; i < n_children; i++)
		if (children[i].pid)
			(void)kill(children[i].pid, SIGTERM);
}

/* A folder below our own group: where that is to be had, the first mount of them is it. */
static void base_make(void)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re"), *own = fopen("/proc/self/cgroup", "re");
	static char line[4096], at[1024], path[4096];
	char name[32];

	while (mounts && fgets(line, sizeof(line), mounts))
		if (!at[0] && strstr(line, " - cgroup2 "))
			(void)sscanf(line, "%*s %*s %*s %*s %1023s", at);
	while (own && fgets(line, sizeof(line), own))
		if (!strncmp(line, "0::", 3))
			(void)snprintf(path, sizeof(path), "%s%.*s", at,
				(int)strcspn(line + 3, "\n"), line + 3);
	(void)snprintf(name, sizeof(name), "limit-%d", (int)getpid());
	base_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base_fd < 0 || mkdirat(base_fd, name, 0755) < 0)
		die(path);
	(void)fchdir(base_fd);
	base_fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void base_remove(void)
{
	char name[32];

	for (unsigned i = 0; i < n_children; i++)
		(void)unlinkat(base_fd, children[i].number, AT_REMOVEDIR);
	(void)snprintf(name, sizeof(name), "limit-%d", (int)getpid());
	(void)rmdir(name);
}

static int loop(unsigned n)
{
	struct epoll_event event = {.events = EPOLLIN}, events[BATCH];
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, signalfd(-1, &set, SFD_CLOEXEC), &event);
	children = calloc(n + 1, sizeof(*children));
	for (; n_children < n; n_children++) {
		(void)snprintf(children[n_children].number, 12, "%u", n_children);
		make(&children[n_children]);
	}
	while (!ending || n_live) {
		int n_events = epoll_wait(epoll_fd, events, BATCH, -1);

		for (int i = 0; i < n_events; i++) {
			if (events[i].data.u64 & 1)
				output_take((struct child *)(uintptr_t)(events[i].data.u64 & ~1UL));
			else if (events[i].data.ptr)
				reap(events[i].data.ptr);
			else if (!ending)
				end_all();
		}
	}
	if (is_alike)
		base_remove();
	return 0;
}

static void answer(int fd, const char *reply, size_t size)
{
	char request[1024];
	ssize_t n = read(fd, request, sizeof(request));

	if (n <= 0) {
		(void)close(fd);
		return;
	}
	while (size > 0) {
		n = write(fd, reply, size);
		if (n <= 0)
			return;
		reply += n;
		size -= (size_t)n;
	}
}

static int echo(const char *path, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
	char *reply = malloc(size);
	int room = 1 << 20;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (!reply || bind(listener, (void *)&address, sizeof(address)) < 0 ||
		listen(listener, 8) < 0)
		die(path);
	memset(reply, 'x', size);
	reply[size - 1] = '\0';
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		if (epoll_wait(epoll_fd, &event, 1, -1) < 1)
			continue;
		if (event.data.fd != listener) {
			answer(event.data.fd, reply, size);
			continue;
		}
		event.data.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		(void)setsockopt(event.data.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
		(void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event);
	}
}

static int cat(int fd)
{
	static char bytes[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0)
		if (write(fd, bytes, (size_t)n) != n)
			die("write");
	return n < 0;
}

static int splice_all(int fd)
{
	ssize_t n;

	while ((n = splice(STDIN_FILENO, NULL, fd, NULL, PIPE_BYTES, SPLICE_F_MOVE)) > 0)
		;
	return n < 0;
}

static int lazy(int fd)
{
	static char bytes[PIPE_BYTES];
	ssize_t n;

	(void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
		if (write(fd, bytes, (size_t)n) != n)
			die("write");
		if (n < PIPE_BYTES / 2)
			(void)usleep(2000);
	}
	return n < 0;
}

static int copy(const char *by, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		die(path);
	if (!strcmp(by, "cat"))
		return cat(fd);
	return !strcmp(by, "splice") ? splice_all(fd) : lazy(fd);
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (argc == 2)
		return strcmp(argv[1], "nothing") != 0;
	if (argc < 3)
		return 100;
	if (argc == 3)
		return copy(argv[1], argv[2]);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!strcmp(argv[1], "echo") && argc == 4)
		return echo(argv[2], strtoul(argv[3], NULL, 10));
	if (argc < 5)
		return 100;
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	how = argv[1];
	fifo = argv[3];
	program = argv[4];
	crash = argc > 5 ? argv[5] : NULL;
	is_alike = !strcmp(how, "alike");
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (is_alike)
		base_make();
	return loop((unsigned)strtoul(argv[2], NULL, 10));
}
