/* SPDX-License-Identifier: MIT */
/* Control groups of version 2 for tests: a folder of one's own where they are to be had. */
#ifndef TESTS_CGROUPS_H
#define TESTS_CGROUPS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"

/* The group that this process is in, as a folder; false: it has none, or may make none below it. */
static inline bool cgroup_own(char *ret_path, size_t size)
{
	char line[4096], at[2048] = "", own[2048] = "";
	FILE *file = fopen("/proc/self/mountinfo", "re");

	while (file && fgets(line, sizeof line, file))
		if (strstr(line, " - cgroup2 "))
			(void)sscanf(line, "%*s %*s %*s %*s %2047s", at);
	if (file)
		fclose(file);
	file = fopen("/proc/self/cgroup", "re");
	while (file && fgets(line, sizeof line, file))
		(void)sscanf(line, "0::%2047[^\n]", own);
	if (file)
		fclose(file);
	if (!at[0] || own[0] != '/' || strncmp(own, "/..", 3) == 0)
		return false;
	(void)snprintf(ret_path, size, "%s%s", at, own[1] ? own : "");
	return access(ret_path, W_OK) == 0;
}

/* Put this process, and what comes of it, into the group of that folder. */
static inline bool cgroup_join(const char *path)
{
	char procs[4200];
	FILE *file;
	bool joined;

	(void)snprintf(procs, sizeof procs, "%s/cgroup.procs", path);
	file = fopen(procs, "we");
	joined = file && fputs("0", file) >= 0;
	return file && fclose(file) == 0 && joined;
}

/* Have one's own group give a controller ("+NAME") to those below it, or not ("-NAME"). The root's can, others but while nobody is in them. */
static inline bool cgroup_gives(const char *controller)
{
	char own[4096], path[4200];
	FILE *file;
	bool given;

	if (!cgroup_own(own, sizeof own))
		return false;
	(void)snprintf(path, sizeof path, "%s/cgroup.subtree_control", own);
	file = fopen(path, "we");
	given = file && fputs(controller, file) >= 0;
	return file && fclose(file) == 0 && given;
}

/* A new group below it, of a name that nobody has, nor has left. Returns its folder as a descriptor, or -1 where none can be had. */
static inline int cgroup_new(char *ret_path, size_t size)
{
	size_t len;

	if (!cgroup_own(ret_path, size))
		return -1;
	len = strlen(ret_path);
	(void)snprintf(ret_path + len, size - len, "/%s.XXXXXX", test_folder_name());
	if (!mkdtemp(ret_path))
		return -1;
	return open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

#endif
