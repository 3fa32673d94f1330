/* SPDX-License-Identifier: MIT */
/* The one place that knows the default path, for both programs. An empty variable is as one that is not set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire/address.h"

#define ROOM sizeof(((struct sockaddr_un *)0)->sun_path)

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int address_default(char ret_path[static ROOM])
{
	const char *path = variable("EFFD_SOCKET");
	const char *runtime = variable("XDG_RUNTIME_DIR");
	int n;

	if (path)
		n = snprintf(ret_path, ROOM, "%s", path);
	else if (geteuid() == 0)
		n = snprintf(ret_path, ROOM, "/run/effd/control.sock");
	else if (runtime)
		n = snprintf(ret_path, ROOM, "%s/effd/control.sock", runtime);
	else
		n = snprintf(ret_path, ROOM, "/run/user/%u/effd/control.sock", (unsigned)geteuid());
	return n < 0 || (size_t)n >= ROOM ? -ENAMETOOLONG : 0;
}
