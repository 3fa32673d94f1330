/* SPDX-License-Identifier: MIT */
/* A child's descriptors: the pipes of its output and of its word that it is ready, and what else it is given. Our ends do not
 * block, and are out of the way of what children get; the child's are its own.
 *
 * A unit that has run more than once in a control group that was kept keeps its pipes, too. That their end is here as well they
 * never tell of the end of their writers; but when nobody is left in the group nobody is left to write. What a program may
 * have done to its end is undone before the next one gets it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/arena.h"
#include "os/internal.h"

/* Half of what a pipe has room for at first, and what one gets that needs more. */
enum { PIPE_HALF = 32 << 10, PIPE_WIDE = 1 << 20 };

void os_streams_init(struct os_child *child)
{
	child->ready_fd = child->their_ready_fd = -1;
	for (int i = 0; i < 2; i++)
		child->streams[i] = child->theirs[i] = -1;
}

static void end_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static bool is_kept(const struct os_child *child, int i)
{
	return child->kept && child->cgroup->used && child->streams[i] >= 0 &&
		child->theirs[i] >= 0 && child->theirs[i] < child->os->cgroups.spare_below;
}

void os_streams_part(struct os_child *child)
{
	for (int i = 0; i < 2; i++) {
		if (is_kept(child, i))
			child->theirs[i] = eff_fd_raise(child->theirs[i]);
		else
			end_close(&child->theirs[i]);
	}
	end_close(&child->their_ready_fd);
}

/* To the next run: nobody writes any more. */
static void stream_keep(struct os_child *child, int i)
{
	child->kept->pipes[i].ours = child->streams[i];
	child->kept->pipes[i].theirs = child->theirs[i];
	child->kept->pipes[i].owner = child->uid;
	child->streams[i] = child->theirs[i] = -1;
}

void os_streams_done(struct os_child *child)
{
	for (int i = 0; i < 2; i++) {
		if (is_kept(child, i) && child->cgroup->empty)
			stream_keep(child, i);
		end_close(&child->theirs[i]);
		eff_fd_close(child->streams[i]);
	}
	end_close(&child->their_ready_fd);
	eff_fd_close(child->ready_fd);
}

void os_streams_close_kept(struct os_kept *kept)
{
	for (int i = 0; i < 2; i++) {
		end_close(&kept->pipes[i].theirs);
		eff_fd_close(kept->pipes[i].ours);
		kept->pipes[i].ours = -1;
	}
}

/* ── made ── */

static int pipe_make(int *ret_ours, int *ret_theirs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		int r = -errno;

		(void)close(ends[0]);
		(void)close(ends[1]);
		return r;
	}
	*ret_ours = eff_fd_raise(ends[0]);
	*ret_theirs = ends[1];
	return 0;
}

/* Who opens /dev/stdout opens the pipe once more, with the rights of his user alone: so it is his. Where that cannot be, what he
 * was given is as good as ever. */
static void pipe_give(const struct os_child *child, int theirs, uid_t owner)
{
	if (owner != child->uid)
		(void)!fchown(theirs, child->uid, (gid_t)-1);
}

static int stream_make(struct os_child *child, enum os_stream stream)
{
	struct os_linux *os = child->os;
	struct os_kept *kept = child->kept;
	int r = 0;

	if (kept && kept->pipes[stream].theirs >= 0 &&
		fcntl(kept->pipes[stream].theirs, F_SETFL, 0) == 0) {
		child->streams[stream] = kept->pipes[stream].ours;
		child->theirs[stream] = kept->pipes[stream].theirs;
		kept->pipes[stream].ours = kept->pipes[stream].theirs = -1;
		pipe_give(child, child->theirs[stream], kept->pipes[stream].owner);
		return 0;
	}
	if (os->spare_pipe[1] < 0) {
		r = pipe_make(&child->streams[stream], &child->theirs[stream]);
	} else {
		child->streams[stream] = os->spare_pipe[0];
		child->theirs[stream] = os->spare_pipe[1];
		os->spare_pipe[0] = os->spare_pipe[1] = -1;
	}
	if (r >= 0)
		pipe_give(child, child->theirs[stream], os->uid);
	return r;
}

void os_streams_prepare(struct os_linux *os)
{
	if (os->spare_pipe[1] < 0)
		(void)pipe_make(&os->spare_pipe[0], &os->spare_pipe[1]);
}

unsigned os_descriptors_of(const struct os_spawn *spawn)
{
	unsigned n = 3;

	for (unsigned i = 0; spawn->sockets && spawn->sockets[i]; i++)
		n++;
	return spawn->ready_fd >= (int)n ? (unsigned)spawn->ready_fd + 1 : n;
}

unsigned os_view_fd(const struct os_spawn *spawn)
{
	bool has_view = spawn->view && *spawn->view && (*spawn->view)->fd >= 0;

	return has_view ? os_descriptors_of(spawn) : 0;
}

static int pipes_make(struct os_child *child, const struct os_spawn *spawn)
{
	int r = 0;

	if (spawn->out == OS_CAPTURE)
		r = stream_make(child, OS_STDOUT);
	if (r >= 0 && spawn->err == OS_CAPTURE)
		r = stream_make(child, OS_STDERR);
	if (r >= 0 && spawn->ready_fd > 2)
		r = pipe_make(&child->ready_fd, &child->their_ready_fd);
	if (child->their_ready_fd >= 0)
		pipe_give(child, child->their_ready_fd, child->os->uid);
	return r;
}

int os_streams_make(struct os_child *child, const struct os_spawn *spawn, struct arena *arena,
	int **ret_fds, unsigned *ret_n)
{
	unsigned view = os_view_fd(spawn);
	unsigned n = view ? view + 1 : os_descriptors_of(spawn);
	int *fds = arena_alloc(arena, n * sizeof(*fds));
	int r = fds ? pipes_make(child, spawn) : -ENOMEM;

	if (r < 0)
		return r;
	for (unsigned i = 3; i < n; i++)
		fds[i] = -1;
	fds[0] = fds[1] = fds[2] = child->os->null_fd;
	if (view)
		fds[view] = (*spawn->view)->fd;
	for (unsigned i = 0; spawn->sockets && spawn->sockets[i]; i++)
		fds[3 + i] = os_socket_fd(spawn->sockets[i]);
	if (spawn->out == OS_CAPTURE)
		fds[1] = child->theirs[OS_STDOUT];
	if (spawn->err == OS_CAPTURE)
		fds[2] = child->theirs[OS_STDERR];
	else if (spawn->err == OS_MERGE)
		fds[2] = fds[1];
	if (spawn->ready_fd > 2)
		fds[spawn->ready_fd] = child->their_ready_fd;
	*ret_fds = fds;
	*ret_n = n;
	return 0;
}

/* ── read ── */

static ssize_t read_once(int fd, void *buf, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Of a pipe whose other end is here as well. */
static bool nobody_writes(const struct os_child *child, enum os_stream stream)
{
	return child->theirs[stream] >= 0 && os_main_ended(child) &&
		os_cgroup_is_empty(child->cgroup);
}

ssize_t linux_read(struct os_child *child, enum os_stream stream, void *buf, size_t size)
{
	/* Before the read: what it wrote before its end is there then. */
	bool is_last = nobody_writes(child, stream);
	int fd = child->streams[stream];
	ssize_t n;

	if (fd < 0)
		return -EBADF;
	n = read_once(fd, buf, size);
	if (n < 0)
		return n == -EAGAIN && is_last ? 0 : n;
	/* It comes faster than it is taken: room for more lets its writer go on meanwhile. It need not be granted. */
	if (n >= PIPE_HALF && !child->is_wide[stream]) {
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_WIDE);
		child->is_wide[stream] = true;
	}
	return n;
}

bool linux_watch(struct os_child *child, enum os_stream stream, struct eff_watch *watch)
{
	int fd = child->streams[stream];

	return fd < 0 || eff_fd_watch(fd, EFF_READ | EFF_WRITE, watch) < 0;
}

int linux_await_ready(struct os_child *child)
{
	char buf[64];
	ssize_t n;

	if (child->ready_fd < 0)
		return -EBADF;
	while ((n = eff_read(child->ready_fd, buf, sizeof(buf))) > 0)
		if (memchr(buf, '\n', (size_t)n))
			return 0;
	return n < 0 ? (int)n : -EPIPE;
}
