/* SPDX-License-Identifier: MIT */
/* Where the control group of this process is to be found in the file system. It is never at a fixed place: version 2 may be
 * mounted beside version 1 or instead of it, more than once, and only a part of it; and a cgroup namespace has a root of
 * its own. So the kernel is asked for the group's name and for what is mounted where. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/cgroup.h"

const char *os_cgroup_own(const char *cgroup, size_t *ret_len)
{
	const char *line = cgroup;

	while (line && strncmp(line, "0::/", 4) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return NULL;
	*ret_len = strcspn(line + 3, "\n");
	return line + 3;
}

/* The n-th word of a line, from 0. */
static const char *word_at(const char *line, unsigned n, size_t *ret_len)
{
	for (; n > 0 && line; n--) {
		size_t len = strcspn(line, " \n");

		line = line[len] == ' ' ? line + len + 1 : NULL;
	}
	if (line)
		*ret_len = strcspn(line, " \n");
	return line;
}

/* Blanks and the like are written as three octal digits. */
static size_t unescape(char *to, const char *from, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned byte;

		if (from[i] == '\\' && i + 3 < len && sscanf(from + i + 1, "%3o", &byte) == 1) {
			to[n++] = (char)byte;
			i += 3;
		} else {
			to[n++] = from[i];
		}
	}
	to[n] = '\0';
	return n;
}

static bool is_cgroup2(const char *line)
{
	size_t end = strcspn(line, "\n");
	const char *dash = strstr(line, " - ");

	return dash && dash < line + end && strncmp(dash, " - cgroup2 ", 11) == 0;
}

/* What of `own` is below the root of that mount: where it begins. NULL: it is not in there. */
static const char *below(const char *own, size_t len, const char *root)
{
	size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);

	/* Outside of the namespace's root, which the mount ends at. */
	if (n == 0 && len >= 3 && strncmp(own, "/..", 3) == 0 && (len == 3 || own[3] == '/'))
		return NULL;
	if (n > len || strncmp(own, root, n) != 0 || (n < len && own[n] != '/'))
		return NULL;
	return own + n;
}

/* 1: it is seen here; 0: it is not. */
static int look_at(const char *line, const char *own, size_t len, char **ret_folder)
{
	size_t root_len = 0, at_len = 0, n;
	const char *root = word_at(line, 3, &root_len), *at = word_at(line, 4, &at_len), *rest;
	char *folder = root && at ? alloc_new(root_len + at_len + len + 2) : NULL;

	if (!root || !at)
		return 0;
	if (!folder)
		return -ENOMEM;
	(void)unescape(folder, root, root_len);
	rest = below(own, len, folder);
	if (!rest) {
		free(folder);
		return 0;
	}
	n = unescape(folder, at, at_len);
	len -= (size_t)(rest - own);
	/* A root's "/" would be a second one. */
	if (len > 1)
		memcpy(folder + n, rest, len);
	folder[n + (len > 1 ? len : 0)] = '\0';
	*ret_folder = folder;
	return 1;
}

int os_cgroup_find(const char *own, size_t len, const char *mounts, char **ret_folder)
{
	int r = -EOPNOTSUPP;

	for (const char *line = mounts; *line;) {
		size_t end = strcspn(line, "\n");

		if (is_cgroup2(line)) {
			int found = look_at(line, own, len, ret_folder);

			if (found != 0)
				return found < 0 ? found : 0;
			r = -EXDEV;
		}
		line += end + (line[end] == '\n');
	}
	return r;
}
