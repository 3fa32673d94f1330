/* SPDX-License-Identifier: MIT */
/* Making a child: its stack, its status pipe, and clone3 or fork.
 *
 * One with a memory of its own does not have the stacks of fibers in it, so it is given copies of all that it is told;
 * that goes for fork(), too, which is called on the main stack for the same reason. All signals are blocked around it, so
 * that no handler of the caller ever runs in the child.
 *
 * Where there are hundreds of descriptors, copying the table of them, and closing the copies, is what costs most. There
 * the child begins in the caller's own table, and leaves it for one that has the lowest numbers alone; its own come after
 * it in a message, so that ours may be closed at once. What lives long is raised out of those numbers. */
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"
#include "spawn.h"

enum { MANY_FDS = 128 };

unsigned eff__proc_without;

/* ── its descriptors, sent after it ── */

static bool has_many_fds(const struct eff__stack_pool *pool)
{
	return pool->last_pidfd >= MANY_FDS || eff__proc_without & EFF__WITH_MANY_FDS;
}

static bool carried_send(int fd, const struct eff__child *child)
{
	union eff__carried carried = {0};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &carried};
	int *fds = (int *)CMSG_DATA(&carried.head);
	size_t n = 0;

	for (unsigned i = 0; i < child->spawn.n_fds; i++)
		if (child->moved[i] >= 0)
			fds[n++] = child->moved[i];
	fds[n++] = child->status_fd;
	carried.head.cmsg_level = SOL_SOCKET;
	carried.head.cmsg_type = SCM_RIGHTS;
	carried.head.cmsg_len = CMSG_LEN(n * sizeof *fds);
	message.msg_controllen = CMSG_SPACE(n * sizeof *fds);
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

static bool carrier_take(struct eff__stack_pool *pool, struct eff__carrier *ret_carrier)
{
	int ends[2];

	if (pool->n_carriers > 0) {
		*ret_carrier = pool->carriers[--pool->n_carriers];
		return true;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	*ret_carrier = (struct eff__carrier){.ours = ends[0], .theirs = ends[1]};
	return true;
}

static void carrier_close(struct eff__carrier *carrier)
{
	if (carrier->theirs < 0)
		return;
	close(carrier->ours);
	close(carrier->theirs);
	*carrier = (struct eff__carrier){-1, -1};
}

/* Only where it is known that nothing is left in it may the next child look into it. */
void eff__carrier_give(struct eff__stack_pool *pool, struct eff__making *making)
{
	const struct eff__child *child = making->child;
	bool is_empty = child && child->carrier_fd >= 0 && !child->spawn.own_memory &&
		__atomic_load_n(&child->parted, __ATOMIC_ACQUIRE);

	if (is_empty && pool->n_carriers < EFF__CARRIERS_KEPT) {
		pool->carriers[pool->n_carriers++] = making->carrier;
		making->carrier = (struct eff__carrier){-1, -1};
	}
	carrier_close(&making->carrier);
}

/* Where it cannot be done the child copies the table, and says itself what is wrong with its descriptors. */
static bool carry(struct eff__stack_pool *pool, struct eff__making *making)
{
	struct eff__child *child = making->child;

	if (child->spawn.n_fds > EFF__CARRIED_MOST || child->no_close_range ||
		!carrier_take(pool, &making->carrier))
		return false;
	if (!carried_send(making->carrier.ours, child)) {
		carrier_close(&making->carrier);
		return false;
	}
	child->carrier_fd = making->carrier.theirs;
	return true;
}

/* It comes to life without: what was sent must not live on, with the end of its status pipe in it. */
static void carried_withdraw(struct eff__making *making)
{
	making->child->carrier_fd = -1;
	carrier_close(&making->carrier);
}

/* ── the stack ── */

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Returns the lowest address of the guard; NULL: out of memory. */
static char *stack_take(struct eff__stack_pool *pool)
{
	size_t page = page_bytes();
	char *stack;

	if (pool->n_free > 0)
		return pool->free[--pool->n_free];
	stack = mmap(NULL, page + EFF__CHILD_STACK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return NULL;
	if (mprotect(stack, page, PROT_NONE) < 0) {
		munmap(stack, page + EFF__CHILD_STACK_BYTES);
		return NULL;
	}
	return stack;
}

static void stack_give(struct eff__stack_pool *pool, void *stack)
{
	if (!stack)
		return;
	if (pool->n_free < EFF__CHILD_STACKS_KEPT)
		pool->free[pool->n_free++] = stack;
	else
		munmap(stack, page_bytes() + EFF__CHILD_STACK_BYTES);
}

void eff__stack_pool_done(struct eff__stack_pool *pool)
{
	while (pool->n_carriers > 0)
		carrier_close(&pool->carriers[--pool->n_carriers]);
	while (pool->n_free > 0)
		munmap(pool->free[--pool->n_free], page_bytes() + EFF__CHILD_STACK_BYTES);
	for (int i = 0; i < 2 && pool->pipe[1]; i++)
		close(pool->pipe[i]);
	pool->pipe[0] = pool->pipe[1] = 0;
}

/* ── the birth ── */

/* By the kernel's own call: glibc would leave two signals out, with handlers of its own. */
static void signals_mask(const uint64_t *set, uint64_t *ret_before)
{
	long r = syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, ret_before, sizeof *set);

	assert(r == 0);
}

/* Place it in its control group, if it has one. A kernel that does not know how says so by the flag, or by the size of what
 * it is asked: then the child joins it, with a table of its own, for there it opens a file. */
static long clone_placed(struct eff__clone *clone, struct eff__making *making)
{
	static _Atomic bool cannot_place;
	struct eff__child *child = making->child;
	bool wanted = child->spawn.cgroup_fd != 0;
	long r = -EINVAL;

	if (!cannot_place && !(eff__proc_without & EFF__WITHOUT_INTO_CGROUP))
		clone->cgroup_fd = child->spawn.cgroup_fd;
	if (!wanted || clone->cgroup_fd)
		r = eff__clone(clone, child);
	if (!wanted || (r != -EINVAL && r != -E2BIG))
		return r;
	cannot_place |= clone->cgroup_fd != 0;
	child->joins = true;
	carried_withdraw(making);
	clone->cgroup_fd = 0;
	clone->flags &= ~(uint64_t)CLONE_FILES;
	return eff__clone(clone, child);
}

static long make_by_clone(struct eff__stack_pool *pool, struct eff__making *making)
{
	struct eff__clone clone = {
		.stack_size = EFF__CHILD_STACK_BYTES, .ret_pidfd = &making->pidfd};
	char *stack = stack_take(pool);
	bool shares = !making->child->spawn.own_memory;
	long r;

	if (!stack)
		return -ENOMEM;
	clone.stack = stack + page_bytes();
	making->child->no_handlers = true;
	if (shares)
		clone.flags |= CLONE_VM;
	if (has_many_fds(pool) && carry(pool, making))
		clone.flags |= CLONE_FILES;
	if (eff__proc_without & EFF__WITHOUT_PIDFD)
		clone.ret_pidfd = NULL;
	else
		clone.flags |= CLONE_PIDFD;
	r = clone_placed(&clone, making);
	if (r > 0 && shares)
		making->stack = stack;
	else
		stack_give(pool, stack);
	return r;
}

struct fork_call {
	struct eff__child *child;
	long result;
};

static void fork_now(void *arg)
{
	struct fork_call *call = arg;
	struct eff__child *child = call->child; /* `call` may be on a stack that the copy lacks */
	pid_t pid;

	child->joins = child->spawn.cgroup_fd != 0;
	pid = fork();
	if (pid == 0)
		eff__child_main(child);
	call->result = pid < 0 ? -errno : pid;
}

static long make_by_fork(struct eff__making *making)
{
	struct fork_call call = {.child = making->child};

	eff_deep(fork_now, &call);
	if (call.result > 0 && !(eff__proc_without & EFF__WITHOUT_PIDFD))
		making->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)call.result, 0);
	return call.result;
}

/* Not there: ENOSYS, forbidden by a filter: EPERM, or older than its flags: EINVAL. */
static bool clone3_is_missing(long r)
{
	return r == -ENOSYS || r == -EPERM || r == -EINVAL;
}

static int make_with(struct eff__stack_pool *pool, struct eff__making *making, bool by_fork)
{
	const uint64_t all = UINT64_MAX;
	uint64_t before;
	long r;

	signals_mask(&all, &before);
	r = by_fork ? make_by_fork(making) : make_by_clone(pool, making);
	signals_mask(&before, NULL);
	making->pid = r > 0 ? (pid_t)r : 0;
	return r < 0 ? (int)r : 0;
}

/* ── the status pipe ── */

/* Our end is out of the numbers that a child copies for a moment when it parts from our table: closed meanwhile, it would go on to
 * be told of by epoll, and libev then makes all that it waits for anew. */
static int pipe_make(int ends[static 2])
{
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	ends[0] = eff_fd_raise(ends[0]);
	return 0;
}

static int pipe_take(struct eff__stack_pool *pool, int ends[static 2])
{
	if (!pool->pipe[1])
		return pipe_make(ends);
	memcpy(ends, pool->pipe, sizeof pool->pipe);
	pool->pipe[0] = pool->pipe[1] = 0;
	return 0;
}

/* The next child will not have to wait for it. */
static void pipe_prepare(struct eff__stack_pool *pool)
{
	if (!pool->pipe[1] && pipe_make(pool->pipe) < 0)
		pool->pipe[0] = pool->pipe[1] = 0;
}

int eff__make(struct eff__stack_pool *pool, const struct eff_spawn *spawn,
	struct eff__making *ret_making)
{
	static _Atomic bool clone3_missing;
	struct eff__making making = {.pidfd = -1, .pipe_fd = -1, .carrier = {-1, -1}};
	bool by_fork = clone3_missing || eff__proc_without & EFF__WITHOUT_CLONE3;
	int ends[2] = {-1, -1};
	int r = pipe_take(pool, ends);

	if (r < 0)
		goto fail;
	r = -ENOSYS;
	making.pipe_fd = ends[0];
	if (!by_fork) {
		making.child = eff__child_new(spawn, spawn->own_memory, ends[1]);
		r = making.child ? make_with(pool, &making, false) : -ENOMEM;
		if (clone3_is_missing(r))
			clone3_missing = by_fork = true;
	}
	if (by_fork) {
		carrier_close(&making.carrier); /* and what was sent with it */
		free(making.child);
		making.child = eff__child_new(spawn, true, ends[1]);
		r = making.child ? make_with(pool, &making, true) : -ENOMEM;
	}
	close(ends[1]);
	if (r < 0)
		goto fail;
	making.pidfd = pool->last_pidfd = eff_fd_raise(making.pidfd);
	*ret_making = making;
	return 0;
fail:
	if (making.pipe_fd >= 0)
		close(making.pipe_fd);
	carrier_close(&making.carrier);
	free(making.child);
	if (spawn->release)
		spawn->release(spawn->context);
	return r;
}

void eff__making_done(struct eff__stack_pool *pool, struct eff__making *making)
{
	struct eff__child *child = making->child;

	if (!child)
		return;
	making->child = NULL;
	stack_give(pool, making->stack);
	making->stack = NULL;
	pipe_prepare(pool);
	if (child->spawn.release)
		child->spawn.release(child->spawn.context);
	free(child);
}
