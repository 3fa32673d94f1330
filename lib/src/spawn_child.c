/* SPDX-License-Identifier: MIT */
/* The child, from clone to its program. It may share its parent's memory, which goes on running at the same time: so it
 * makes system calls inline (libc's would write the parent's errno), writes nothing but its stack, its record's
 * scratch and the status pipe, calls no function of any library, and no checker or profiler adds code to it. The order:
 * it joins its control group if it was not born into it, parts from its parent's descriptors where it began with those,
 * every descriptor but its own is closed, so that nobody waits for this child's copies; then session, dispositions, the
 * caller's steps; signals are let in last, when whatever they do can only be done to the program itself. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bare.h"
#include "spawn.h"

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

/* ── being made ── */

BARE long eff__clone(const struct eff__clone *clone, struct eff__child *child)
{
#if defined(__x86_64__) || defined(__aarch64__)
	struct clone_args args = {
		.flags = clone->flags | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)clone->ret_pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)clone->stack,
		.stack_size = clone->stack_size,
	};

#ifdef CLONE_INTO_CGROUP
	if (clone->cgroup_fd) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)clone->cgroup_fd;
	}
#else
	if (clone->cgroup_fd)
		return -EINVAL;
#endif
#endif
#if defined(__x86_64__)
	register void (*fn)(void *) __asm__("r8") = eff__child_main;
	register void *arg __asm__("r9") = child;
	long r;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%r8\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(&args), "S"(sizeof args), "r"(fn), "r"(arg)
			 : "rcx", "r11", "memory", "cc");
	return r;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)&args;
	register long x1 __asm__("x1") = sizeof args;
	register void (*fn)(void *) __asm__("x10") = eff__child_main;
	register void *arg __asm__("x11") = child;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x11\n\t"
			 "blr x10\n\t"
			 "brk 0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(fn), "r"(arg)
			 : "memory", "cc");
	return x0;
#else
	(void)clone;
	(void)child;
	return -ENOSYS;
#endif
}

/* ── what every child does ── */

_Noreturn BARE static void give_up(const struct eff__child *c, int step, long error)
{
	struct eff__fault fault = {.step = step, .error = (int32_t)-error};

	CALL(SYS_write, c->status_fd, (long)&fault, sizeof fault);
	for (;;)
		CALL(SYS_exit_group, 127);
}

/* Nothing that it makes is to be elsewhere, so it joins before all else; 0 is who writes. */
BARE static long cgroup_join(const struct eff__child *c)
{
	static const char procs[] = "cgroup.procs", zero[] = "0";
	long fd = CALL(SYS_openat, c->spawn.cgroup_fd, (long)procs, O_WRONLY | O_CLOEXEC);
	long r = fd;

	if (fd >= 0) {
		r = CALL(SYS_write, fd, (long)zero, 1);
		CALL(SYS_close, fd);
	}
	return r;
}

/* The status pipe is not its own yet: in the parent's table its number may be another file's by now. */
_Noreturn BARE static void give_up_mute(long error)
{
	for (;;)
		CALL(SYS_exit_group, -error);
}

/* It begins in its parent's table: leave that for one with the lowest numbers alone, make room there, and take what was
 * sent after it. What comes gets the lowest numbers in its turn, which as a rule are the ones that it is to have. */
BARE static long fds_part(struct eff__child *c)
{
	long r = -ENOSYS;
#ifdef SYS_close_range
	union eff__carried carried;
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &carried,
		.msg_controllen = sizeof carried.bytes};
	const int *fd = (const int *)CMSG_DATA(&carried.head), *end;

	carried.head.cmsg_len = 0;
	r = CALL(SYS_close_range, (unsigned)c->carrier_fd + 1, ~0U, CLOSE_RANGE_UNSHARE);
	if (r >= 0 && c->carrier_fd > 0)
		r = CALL(SYS_close_range, 0, c->carrier_fd - 1, 0);
	if (r >= 0)
		r = CALL(SYS_recvmsg, c->carrier_fd, (long)&message, MSG_DONTWAIT);
	if (r < 0)
		return r;
	if (message.msg_controllen < sizeof carried.head || message.msg_flags & MSG_CTRUNC)
		return -EMFILE;
	end = (const int *)(carried.bytes + carried.head.cmsg_len);
	for (unsigned i = 0; i < c->spawn.n_fds; i++)
		if (c->moved[i] >= 0 && fd + 1 < end)
			c->moved[i] = *fd++;
	c->status_fd = *fd;
#else
	(void)c;
#endif
	return r;
}

/* Of its parent's own, the one that has its number already would be closed with the others. */
BARE static bool is_in_place(const struct eff__child *c, unsigned i)
{
	return c->carrier_fd >= 0 && c->moved[i] == (int)i;
}

/* Copies above the child's numbers first, so that none is in another's way. */
BARE static long fds_place(struct eff__child *c)
{
	unsigned n = c->spawn.n_fds;
	long r = 0;

	if (c->status_fd < (int)n) {
		r = CALL(SYS_fcntl, c->status_fd, F_DUPFD_CLOEXEC, n);
		if (r >= 0)
			c->status_fd = (int)r;
	} else if (c->carrier_fd >= 0) {
		r = CALL(SYS_fcntl, c->status_fd, F_SETFD, FD_CLOEXEC);
	}
	for (unsigned i = 0; r >= 0 && i < n; i++) {
		int fd = c->moved[i];

		if (fd >= 0 && fd < (int)n && !is_in_place(c, i)) {
			r = CALL(SYS_fcntl, fd, F_DUPFD_CLOEXEC, n);
			fd = (int)r;
		}
		c->moved[i] = fd;
	}
	for (unsigned i = 0; r >= 0 && i < n; i++) {
		if (is_in_place(c, i))
			continue;
		if (c->moved[i] >= 0)
			r = CALL(SYS_dup3, c->moved[i], i, 0);
		else
			CALL(SYS_close, i); /* may have been closed before */
	}
	return r;
}

BARE static long fds_close(const struct eff__child *c)
{
	unsigned n = c->spawn.n_fds, status = (unsigned)c->status_fd;
	long r = -ENOSYS;

#ifdef SYS_close_range
	if (!c->no_close_range) {
		r = status > n ? CALL(SYS_close_range, n, status - 1, 0) : 0;
		if (r >= 0)
			r = CALL(SYS_close_range, status + 1, ~0U, 0);
	}
#endif
	if (r != -ENOSYS)
		return r;
	for (unsigned fd = n; fd < c->fds_limit; fd++)
		if (fd != status)
			CALL(SYS_close, fd);
	return 0;
}

/* As the kernel has it: handler, flags, restorer, mask. */
struct disposition {
	unsigned long words[4];
};

/* CLONE_CLEAR_SIGHAND leaves ignored signals ignored, and fork() leaves all as it was. */
BARE static void dispositions_reset(const struct eff__child *c)
{
	const struct disposition standard = {{0, 0, 0, 0}};
	uint64_t set = c->no_handlers && c->spawn.ignored ? *c->spawn.ignored : ~UINT64_C(0);

	/* The C library keeps two for itself, tells nobody of them, and ignores them in what posix_spawn() makes. */
	set |= UINT64_C(3) << 31;
	for (int sig = 1; sig < _NSIG; sig++)
		if (set >> (sig - 1) & 1)
			CALL(SYS_rt_sigaction, sig, (long)&standard, 0, _NSIG / 8); /* KILL and STOP refuse */
}

/* ── the program ── */

BARE static long execute(const struct eff__child *c, const char *path)
{
	return CALL(SYS_execve, (long)path, (long)c->spawn.argv, (long)c->spawn.envp);
}

/* Write the entry that begins at `entry`, a slash, and the path. Returns where the next entry begins; NULL: none. */
BARE static const char *candidate_write(const struct eff__child *c, const char *entry)
{
	const char *path = c->spawn.path;
	char *to = c->candidate;

	while (*entry && *entry != ':') {
		*to++ = *entry++;
		NO_IDIOM();
	}
	if (to != c->candidate) /* an empty entry is the working directory */
		*to++ = '/';
	while (*path) {
		*to++ = *path++;
		NO_IDIOM();
	}
	*to = '\0';
	return *entry ? entry + 1 : NULL;
}

BARE static bool has_slash(const char *path)
{
	for (; *path; path++) {
		if (*path == '/')
			return true;
		NO_IDIOM();
	}
	return false;
}

/* There may be another one further on, as execvp(3) sees it. */
BARE static bool goes_on(long r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -EACCES || r == -ESTALE || r == -ENODEV ||
		r == -ETIMEDOUT || r == -ENAMETOOLONG;
}

/* Without execvp's shell for what is no program. One that may not be executed is told before one that is not there. */
BARE static long execute_searched(const struct eff__child *c)
{
	const char *entry = *c->spawn.path ? c->spawn.search : NULL;
	long told = -ENOENT;

	while (entry) {
		long r;

		entry = candidate_write(c, entry);
		r = execute(c, c->candidate);
		if (!goes_on(r))
			return r;
		if (r == -EACCES)
			told = r;
	}
	return told;
}

_Noreturn BARE void eff__child_main(void *arg)
{
	struct eff__child *c = arg;
	const unsigned long no_signals = 0;
	long r;

	__atomic_store_n(&c->began, true, __ATOMIC_RELEASE);
	r = c->joins ? cgroup_join(c) : 0;
	if (r < 0)
		give_up(c, EFF__AT_CGROUP, r);
	r = c->carrier_fd >= 0 ? fds_part(c) : 0;
	if (r < 0)
		give_up_mute(r);
	__atomic_store_n(&c->parted, true, __ATOMIC_RELEASE);
	r = fds_place(c);
	if (r >= 0)
		r = fds_close(c);
	if (r < 0)
		give_up(c, EFF__AT_FDS, r);
	if (c->spawn.new_session) {
		r = CALL(SYS_setsid);
		if (r < 0)
			give_up(c, EFF__AT_SESSION, r);
	}
	dispositions_reset(c);
	for (unsigned i = 0; i < c->spawn.n_steps; i++) {
		r = eff__step_take(c, &c->spawn.steps[i]);
		if (r < 0)
			give_up(c, (int)i, r);
	}
	r = CALL(SYS_rt_sigprocmask, SIG_SETMASK, (long)&no_signals, 0, _NSIG / 8);
	if (r < 0)
		give_up(c, EFF__AT_SIGNALS, r);
	if (c->spawn.search && !has_slash(c->spawn.path))
		r = execute_searched(c);
	else
		r = execute(c, c->spawn.path);
	give_up(c, EFF__AT_EXEC, r);
}
