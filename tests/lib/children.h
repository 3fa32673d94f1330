/* SPDX-License-Identifier: MIT */
/* What the tests of processes share: every way a child can be made and watched, and running one to its end. */
#ifndef TESTS_LIB_CHILDREN_H
#define TESTS_LIB_CHILDREN_H

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eff.h>

#include "leak.h"
#include "spawn.h"

static const unsigned ways[] = {
	0,
	EFF__WITH_MANY_FDS,
	EFF__WITHOUT_PIDFD,
	EFF__WITHOUT_CLONE3,
	EFF__WITHOUT_CLONE3 | EFF__WITHOUT_PIDFD,
	EFF__WITHOUT_HOOKS,
	EFF__WITHOUT_CLOSE_RANGE,
};
/* The last two take their time. */
enum { N_WAYS = sizeof ways / sizeof *ways, N_FAST_WAYS = N_WAYS - 2 };

/* A test that closes all descriptors takes libuv's own pipe from it, and at a fork() libuv closes those numbers again,
 * whatever they are then. */
static inline bool libuv_would_close(unsigned way)
{
	return getenv("EFF_BACKEND") && (way & EFF__WITHOUT_CLONE3);
}

static const char *const no_environment[] = {NULL};

/* Run `fn` as the root fiber of a new runtime; nothing may be left. */
static inline void run_root(eff_fn *fn)
{
	struct eff_rt *rt;
	eff_exit exit;
	char text[128];

	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	exit = eff_rt_run(rt, EFF(fn, NULL));
	ck_assert_msg(eff_is_ok(exit), "%s", eff_exit_text(exit, text, sizeof text));
	ck_assert_int_eq(eff_rt_shutdown(rt, EFF_M(1)), 0);
	eff_rt_free(rt);
}

static inline void release_count(void *context)
{
	++*(int *)context;
}

/* A child with nothing but its output, which is thrown away. Its arrays are static, so one at a time. */
static inline struct eff_spawn spawn_of(const char *const *argv, int *n_released)
{
	static int fds[3];

	fds[0] = -1;
	fds[1] = -1;
	fds[2] = 2;
	return (struct eff_spawn){.path = argv[0],
		.argv = argv,
		.envp = no_environment,
		.fds = fds,
		.n_fds = 3,
		.release = release_count,
		.context = n_released};
}

/* What one child did. */
struct outcome {
	int exec, status, n_released;
	struct eff_spawn_fault fault;
	char out[8192];
};

/* Run it to its end with its descriptor 1 being `out`. */
static inline void run_child(struct eff_spawn spawn, int *fds, struct outcome *ret)
{
	struct eff_proc *proc;
	size_t len = 0;
	ssize_t n;
	int ends[2];

	memset(ret, 0, sizeof *ret);
	spawn.context = &ret->n_released;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	fds[1] = ends[1];
	spawn.fds = fds;
	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	close(ends[1]);
	ret->exec = eff_proc_await_exec(proc, &ret->fault);
	ck_assert_int_eq(ret->n_released, 1);
	while ((n = eff_read(ends[0], ret->out + len, sizeof ret->out - 1 - len)) > 0)
		len += (size_t)n;
	ck_assert_int_eq(n, 0);
	eff_fd_close(ends[0]);
	ck_assert_int_eq(eff_proc_await_end(proc, &ret->status), 0);
	ck_assert_int_eq(ret->n_released, 1);
	eff_proc_free(proc);
}

/* As most tests want it: the steps as they are, input and errors as they are here. */
static inline void run_simply(
	const char *const *argv, const struct eff_step *steps, unsigned n, struct outcome *ret)
{
	int fds[3] = {-1, -1, 2}, n_released;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	spawn.steps = steps;
	spawn.n_steps = n;
	run_child(spawn, fds, ret);
}

/* From here on system call `nr` does `action` (SECCOMP_RET_…) in this thread and its children. Returns what seccomp() does:
 * with SECCOMP_RET_USER_NOTIF a descriptor. */
static inline int filter(long nr, unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = 4, .filter = code};
	unsigned flags = action == SECCOMP_RET_USER_NOTIF ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;

	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

#endif
