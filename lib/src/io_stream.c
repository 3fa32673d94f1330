/* SPDX-License-Identifier: MIT */
/* What is usually done with descriptors: reading, writing, accepting, connecting. It is tried first and waited for then; after
 * a number of successes the others have their turn, so that one busy descriptor cannot hold the loop. */
#include <unistd.h>

#include "internal.h"

/* So many reads, writes and accepts without a wait in between. */
enum { BURST = 64 };

/* Before each try: is this fiber to stop, and is it somebody else's turn? */
static int pace(const char *where)
{
	struct eff_rt *rt = eff__in_fiber(where)->rt;
	int r = eff_check();

	if (r < 0)
		return r;
	if (++rt->io_burst < BURST)
		return 0;
	rt->io_burst = 0;
	return eff_yield();
}

/* After a call that failed: 0 means try again. */
static int retry(int fd, int events, int error)
{
	int r;

	if (error == EINTR)
		return 0;
	if (error != EAGAIN && error != EWOULDBLOCK)
		return -error;
	r = eff_wait_fd(fd, events);
	return r < 0 ? r : 0;
}

ssize_t eff_read(int fd, void *buf, size_t size)
{
	int r = pace("eff_read");

	while (r >= 0) {
		ssize_t n = read(fd, buf, size);

		if (n >= 0)
			return n;
		r = retry(fd, EFF_READ, errno);
	}
	return r;
}

/* send() for a socket, which alone can keep SIGPIPE away; write() for what turns out to be none. */
static ssize_t write_some(int fd, const char *buf, size_t size, bool *is_socket)
{
	if (*is_socket) {
		ssize_t n = send(fd, buf, size, MSG_NOSIGNAL);

		if (n >= 0 || errno != ENOTSOCK)
			return n;
		*is_socket = false;
	}
	return write(fd, buf, size);
}

int eff_write_all(int fd, const void *buf, size_t size)
{
	const char *at = buf;
	bool is_socket = true;
	int r = pace("eff_write_all");

	while (r >= 0 && size > 0) {
		ssize_t n = write_some(fd, at, size, &is_socket);

		if (n < 0) {
			r = retry(fd, EFF_WRITE, errno);
		} else {
			at += n;
			size -= (size_t)n;
			r = size > 0 ? pace("eff_write_all") : 0;
		}
	}
	return r;
}

/* What accept() passes on from a connection that has died already; accept(2) says to go on. */
static bool accept_is_theirs(int error)
{
	switch (error) {
	case ECONNABORTED:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

int eff_accept(int fd)
{
	int r = pace("eff_accept");

	while (r >= 0) {
		int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client >= 0)
			return client;
		r = accept_is_theirs(errno) ? pace("eff_accept") : retry(fd, EFF_READ, errno);
	}
	return r;
}

static int connect_await(int fd)
{
	socklen_t len = sizeof(int);
	int error = 0;
	int r = eff_wait_fd(fd, EFF_WRITE);

	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

int eff_connect(const struct sockaddr *address, socklen_t len)
{
	int r = pace("eff_connect");
	int fd;

	if (r < 0)
		return r;
	fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, address, len) < 0)
		r = errno == EINPROGRESS || errno == EINTR ? connect_await(fd) : -errno;
	if (r < 0) {
		eff_fd_close(fd);
		return r;
	}
	return fd;
}
