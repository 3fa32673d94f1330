/* SPDX-License-Identifier: MIT */
/* The one place that knows the default paths, for both programs. An empty variable is as one that is not set.
 *
 * effd takes the first place that it can write to, and effctl the first in which a socket is. In a folder in which all may make
 * something a name is only good when what is there is this user's alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int folder_below(const char *shared, char ret_folder[static ADDRESS_FOLDER_ROOM], bool make)
{
	struct stat st;

	(void)snprintf(ret_folder, ADDRESS_FOLDER_ROOM, "%s/effd-%u", shared, (unsigned)geteuid());
	if (make)
		/* Units of other users than root pass through it, to where they say that they are ready. */
		(void)mkdir(ret_folder, geteuid() == 0 ? 0711 : 0700);
	if (folder_is_own(ret_folder))
		return 0;
	return lstat(ret_folder, &st) < 0 && errno == ENOENT ? -ENOENT : -EPERM;
}

int address_folder_in_tmp(char ret_folder[static ADDRESS_FOLDER_ROOM], bool make)
{
	return folder_below("/tmp", ret_folder, make);
}

static int path_below(const char *shared, char ret_path[static ROOM], bool make)
{
	char folder[ADDRESS_FOLDER_ROOM];
	int r = folder_below(shared, folder, make);

	return r == 0 || (r == -ENOENT && !make) ? path_take(ret_path, folder, "/control.sock") : r;
}

static int path_of_root(char ret_path[static ROOM])
{
	return geteuid() == 0 ? path_take(ret_path, "/run/effd", "/control.sock") : -ENOENT;
}

/* The specification says that relative ones are to be ignored. */
static int path_of_session(char ret_path[static ROOM])
{
	const char *runtime = variable("XDG_RUNTIME_DIR");

	return geteuid() != 0 && runtime && *runtime == '/'
		? path_take(ret_path, runtime, "/effd/control.sock")
		: -ENOENT;
}

static int path_of_login(char ret_path[static ROOM])
{
	char folder[ADDRESS_FOLDER_ROOM];

	(void)snprintf(folder, sizeof(folder), "/run/user/%u", (unsigned)geteuid());
	return geteuid() != 0 && folder_is_own(folder)
		? path_take(ret_path, folder, "/effd/control.sock")
		: -ENOENT;
}

int address_place(unsigned n, char ret_path[static ROOM], bool make)
{
	switch (n) {
	case 0:
		return path_of_root(ret_path);
	case 1:
		return path_of_session(ret_path);
	case 2:
		return path_of_login(ret_path);
	case 3:
		return path_below("/tmp", ret_path, make);
	default:
		return path_below("/dev/shm", ret_path, make);
	}
}

static bool socket_is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* The first of all, or the first in which a socket is. */
static int place_find(char ret_path[static ROOM], bool there)
{
	char path[ROOM];

	for (unsigned n = 0; n < ADDRESS_PLACES; n++) {
		if (address_place(n, path, false) < 0 || (there && !socket_is_there(path)))
			continue;
		return path_take(ret_path, path, "");
	}
	return -ENOENT;
}

bool address_is_given(void)
{
	return variable("EFFD_SOCKET") != NULL;
}

int address_default(char ret_path[static ROOM])
{
	const char *path = variable("EFFD_SOCKET");

	if (path)
		return path_take(ret_path, path, "");
	return place_find(ret_path, true) == 0 ? 0 : place_find(ret_path, false);
}
