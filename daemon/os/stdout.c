/* SPDX-License-Identifier: MIT */
/* effd's own stdout, which it shares with whoever started it: its flags belong to all of them, so it is never made
 * non-blocking. A pipe or a terminal is opened once more, to have flags of its own; a socket is sent to without waiting;
 * a file takes everything. Where a pipe cannot be opened again it is asked before each piece that fits into it for sure.
 * What takes only a part of a line gets the rest before anything else. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/internal.h"

/* So much at most in one call, then the loop goes on. */
enum { PIECES_MOST = 64 };

static int stdout_open(struct os_linux *os)
{
	const int flags = O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	struct stat st;

	if (os->stdout_known)
		return 0;
	if (fstat(STDOUT_FILENO, &st) < 0)
		return -errno;
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		os->stdout_fd = open("/proc/self/fd/1", flags);
	os->stdout_known = true;
	return 0;
}

static ssize_t write_asking(const void *bytes, size_t size)
{
	struct pollfd ask = {.fd = STDOUT_FILENO, .events = POLLOUT};

	if (poll(&ask, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(STDOUT_FILENO, bytes, size < PIPE_BUF ? size : PIPE_BUF);
}

static ssize_t write_some(const struct os_linux *os, const void *bytes, size_t size)
{
	ssize_t n;

	if (os->stdout_fd >= 0)
		return write(os->stdout_fd, bytes, size);
	n = send(STDOUT_FILENO, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 && errno == ENOTSOCK ? write_asking(bytes, size) : n;
}

/* Returns how much was taken, or -errno. */
static ssize_t write_pieces(const struct os_linux *os, const char *bytes, size_t size)
{
	size_t written = 0;

	for (int i = 0; i < PIECES_MOST && written < size; i++) {
		ssize_t n = write_some(os, bytes + written, size - written);

		if (n > 0)
			written += (size_t)n;
		else if (n < 0 && errno != EINTR)
			return errno == EAGAIN || written ? (ssize_t)written : -errno;
	}
	return (ssize_t)written;
}

static int write_rest(struct os_linux *os)
{
	ssize_t n;

	if (!os->stdout_rest)
		return 0;
	n = write_pieces(os, os->stdout_rest, os->stdout_rest_len);
	if (n < 0)
		return (int)n;
	os->stdout_rest_len -= (size_t)n;
	memmove(os->stdout_rest, os->stdout_rest + n, os->stdout_rest_len);
	if (os->stdout_rest_len)
		return -EAGAIN;
	free(os->stdout_rest);
	os->stdout_rest = NULL;
	return 0;
}

int linux_write_stdout(struct os *os, const void *bytes, size_t size)
{
	struct os_linux *own = linux_of(os);
	ssize_t n;
	int r = stdout_open(own);

	if (r >= 0)
		r = write_rest(own);
	if (r < 0 || !size)
		return r;
	n = write_pieces(own, bytes, size);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -EAGAIN;
	if ((size_t)n == size)
		return 0;
	own->stdout_rest_len = size - (size_t)n;
	own->stdout_rest = alloc_new(own->stdout_rest_len);
	if (!own->stdout_rest)
		return -ENOMEM;
	memcpy(own->stdout_rest, (const char *)bytes + n, own->stdout_rest_len);
	return 0;
}

void os_stdout_done(struct os_linux *os)
{
	(void)write_rest(os);
	free(os->stdout_rest);
	os->stdout_rest = NULL;
	if (os->stdout_fd >= 0)
		(void)close(os->stdout_fd);
	os->stdout_fd = -1;
}
