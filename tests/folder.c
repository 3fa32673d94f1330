/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroups.h"
#include "folder.h"

#define PLACE "/tmp/"
#define NAME "effd-unit."

/* Tests count from the lowest descriptor that is free. */
enum { LOCK_FD = 500 };

static char own[64];

static int entry_remove(const char *path, const struct stat *st, int what, struct FTW *at)
{
	(void)st;
	(void)at;
	(void)(what == FTW_DP ? rmdir(path) : unlink(path));
	return 0;
}

static void tree_remove(const char *path)
{
	(void)nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void group_remove(const char *path)
{
	char kill[4500];
	FILE *file;

	(void)snprintf(kill, sizeof(kill), "%s/cgroup.kill", path);
	file = fopen(kill, "we");
	if (file) {
		(void)fputs("1", file);
		(void)fclose(file);
	}
	tree_remove(path);
}

/* Control groups that its tests have made: they are named by it. */
static void groups_remove(const char *name)
{
	char path[4096], group[4400];
	DIR *dir = cgroup_own(path, sizeof(path)) ? opendir(path) : NULL;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, name, strlen(name)) == 0) {
			(void)snprintf(group, sizeof(group), "%s/%s", path, entry->d_name);
			group_remove(group);
		}
	if (dir)
		(void)closedir(dir);
}

/* Locked, until it is closed; -1: somebody else has it, or it is not ours. */
static int folder_lock(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
		flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static void dead_remove(const char *name)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), PLACE "%s", name);
	fd = folder_lock(path);
	if (fd < 0)
		return;
	groups_remove(name);
	tree_remove(path);
	(void)close(fd);
}

static void all_dead_remove(void)
{
	DIR *dir = opendir(PLACE);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, NAME, strlen(NAME)) == 0)
			dead_remove(entry->d_name);
	if (dir)
		(void)closedir(dir);
}

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* It has its name when it is locked: what has that name, and no lock, is dead. */
void test_folder_begin(void)
{
	char unlocked[] = PLACE "." NAME "XXXXXX";
	int fd;

	all_dead_remove();
	if (!mkdtemp(unlocked) || chmod(unlocked, 0755) < 0)
		die(unlocked);
	fd = folder_lock(unlocked);
	(void)snprintf(own, sizeof(own), PLACE "%s", unlocked + strlen(PLACE "."));
	if (fd < 0 || rename(unlocked, own) < 0)
		die(own);
	if (fcntl(fd, F_DUPFD_CLOEXEC, LOCK_FD) >= 0)
		(void)close(fd);
}

void test_folder_end(void)
{
	groups_remove(test_folder_name());
	tree_remove(own);
}

const char *test_folder_name(void)
{
	return own + strlen(PLACE);
}

char *test_folder(char *ret_path, size_t size)
{
	(void)snprintf(ret_path, size, "%s/XXXXXX", own);
	if (!mkdtemp(ret_path))
		die(ret_path);
	return ret_path;
}

int test_file(char *ret_path, size_t size)
{
	int fd;

	(void)snprintf(ret_path, size, "%s/XXXXXX", own);
	fd = mkstemp(ret_path);
	if (fd < 0)
		die(ret_path);
	return fd;
}
