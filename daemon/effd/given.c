/* SPDX-License-Identifier: MIT */
/* The control socket, when a service manager has made it, listens there, and starts effd by it (sd_listen_fds(3)). Whoever
 * made it keeps it: who comes while effd is not there waits for the next one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "effd/effd.h"

enum { FIRST_FD = 3, FDS_MOST = 1024 };

static long number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long n;

	if (!text || *text < '0' || *text > '9')
		return -1;
	n = strtol(text, &end, 10);
	return *end ? -1 : n;
}

/* Of several it is the one with that name. -1: none has it. */
static int index_named(const char *names, const char *name)
{
	size_t wanted = strlen(name);

	for (int i = 0; names; i++) {
		size_t len = strcspn(names, ":");

		if (len == wanted && memcmp(names, name, len) == 0)
			return i;
		names = names[len] ? names + len + 1 : NULL;
	}
	return -1;
}

/* Where one listens that control sockets are like. NULL: it is none. */
static char *place_of(int fd)
{
	struct sockaddr_un address = {0};
	socklen_t len = sizeof(address);
	int type = 0, listens = 0;
	socklen_t size = sizeof(int);

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
		return NULL;
	if (address.sun_family != AF_UNIX || address.sun_path[0] != '/' ||
		type != SOCK_STREAM || !listens)
		return NULL;
	return strndup(address.sun_path, sizeof(address.sun_path));
}

static int given_choose(long n)
{
	int i = index_named(getenv("LISTEN_FDNAMES"), "control");

	if (i < 0 || i >= n)
		i = n == 1 ? 0 : -1;
	if (i < 0)
		log_warn("none of the %ld sockets that effd was given is called control", n);
	return i;
}

int given_take(struct given *ret)
{
	long n = number_of("LISTEN_FDS");
	int i = -1;

	*ret = (struct given){0};
	if (number_of("LISTEN_PID") == getpid() && n > 0 && n <= FDS_MOST) {
		for (int fd = FIRST_FD; fd < FIRST_FD + n; fd++)
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		i = given_choose(n);
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (i < 0)
		return 0;
	ret->path = place_of(FIRST_FD + i);
	if (!ret->path) {
		log_error("the socket that effd was given is none that listens at a path, as a control socket does");
		return -EINVAL;
	}
	ret->fd = FIRST_FD + i;
	return 0;
}
