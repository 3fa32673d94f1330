/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/trust.h"

bool trust_stat(const struct stat *st)
{
	if (st->st_uid != 0)
		return false;
	if (S_ISLNK(st->st_mode))
		return true;
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX))
		return true;
	return !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* Look at every folder that leads to `path`, from the root on, but not at itself. `path` is written on and left as it
 * was. Returns 0 or -errno. */
static int check_above(char *path)
{
	struct stat st;

	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char after = slash[1];
		int r;

		slash[1] = '\0';
		/* Without the slash at its end a link is seen as one. */
		if (slash > path)
			slash[0] = '\0';
		r = lstat(path, &st) < 0 ? -errno : 0;
		slash[0] = '/';
		slash[1] = after;
		if (r < 0)
			return r;
		if (!trust_stat(&st))
			return -EPERM;
	}
	return 0;
}

int trust_above(const char *path)
{
	auto_free char *written = alloc_text(path);
	auto_free char *real = NULL;
	int r = written ? check_above(written) : -ENOMEM;

	if (r < 0)
		return r;
	real = realpath(path, NULL);
	return real ? check_above(real) : -errno;
}

static int check_folder(const char *folder)
{
	struct stat st;
	int r = trust_above(folder);

	if (r < 0)
		return r;
	if (stat(folder, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return trust_stat(&st) ? 0 : -EPERM;
}

int trust_folder(const char *folder)
{
	auto_free char *part = alloc_text(folder);
	int r = part ? check_folder(part) : -ENOMEM;

	while (r == -ENOENT && strcmp(part, "/") != 0) {
		char *slash = strrchr(part, '/');

		slash[slash == part] = '\0';
		r = check_folder(part);
	}
	return r;
}
