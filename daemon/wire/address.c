/* SPDX-License-Identifier: MIT */
/* The one place that knows the default path, for both programs. An empty variable is as one that is not set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/address.h"

#define ROOM sizeof(((struct sockaddr_un *)0)->sun_path)

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int path_take(char ret_path[static ROOM], const char *folder, const char *rest)
{
	int n = snprintf(ret_path, ROOM, "%s%s", folder, rest);

	return n < 0 || (size_t)n >= ROOM ? -ENAMETOOLONG : 0;
}

static bool folder_is_own(const char *folder)
{
	struct stat st;

	return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
		!(st.st_mode & 022);
}

int address_folder_in_tmp(char ret_folder[static ADDRESS_FOLDER_ROOM], bool make)
{
	struct stat st;

	(void)snprintf(ret_folder, ADDRESS_FOLDER_ROOM, "/tmp/effd-%u", (unsigned)geteuid());
	if (make)
		(void)mkdir(ret_folder, 0700);
	if (folder_is_own(ret_folder))
		return 0;
	return lstat(ret_folder, &st) < 0 && errno == ENOENT ? -ENOENT : -EPERM;
}

static int path_in_tmp(char ret_path[static ROOM], bool make)
{
	char folder[ADDRESS_FOLDER_ROOM];
	int r = address_folder_in_tmp(folder, make);

	return r == 0 || (r == -ENOENT && !make) ? path_take(ret_path, folder, "/control.sock")
						 : -EPERM;
}

int address_of_user(char ret_path[static ROOM], bool make)
{
	const char *runtime = variable("XDG_RUNTIME_DIR");
	char folder[ADDRESS_FOLDER_ROOM];

	if (geteuid() == 0)
		return path_take(ret_path, "/run/effd", "/control.sock");
	/* The specification says that relative ones are to be ignored. */
	if (runtime && *runtime == '/')
		return path_take(ret_path, runtime, "/effd/control.sock");
	(void)snprintf(folder, sizeof(folder), "/run/user/%u", (unsigned)geteuid());
	if (folder_is_own(folder))
		return path_take(ret_path, folder, "/effd/control.sock");
	return path_in_tmp(ret_path, make);
}

int address_default(char ret_path[static ROOM])
{
	const char *path = variable("EFFD_SOCKET");

	return path ? path_take(ret_path, path, "") : address_of_user(ret_path, false);
}
