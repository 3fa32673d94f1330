/* SPDX-License-Identifier: MIT */
/* The leak guard. Before a test it notes what each descriptor of the process refers to, after it the two lists must be
 * the same: one more is a leak, one less or another in its place is somebody closing what is not theirs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leak.h"

enum { MOST = 256, TARGET_SIZE = 112 };

struct descriptor {
	int fd;
	char target[TARGET_SIZE];
};

static struct descriptor before[MOST];
static struct descriptor after[MOST];
static int n_before;

static int by_number(const void *a, const void *b)
{
	return ((const struct descriptor *)a)->fd - ((const struct descriptor *)b)->fd;
}

/* Fill `list` with what is open now, sorted, less the descriptor that looks. */
static int look(struct descriptor *list)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		char *end;
		long fd = strtol(entry->d_name, &end, 10);
		ssize_t len;

		if (*end || end == entry->d_name || fd == dirfd(dir))
			continue;
		ck_assert_int_lt(n, MOST);
		list[n].fd = (int)fd;
		len = readlinkat(dirfd(dir), entry->d_name, list[n].target, TARGET_SIZE - 1);
		list[n].target[len < 0 ? 0 : len] = '\0';
		n++;
	}
	(void)closedir(dir);
	qsort(list, (size_t)n, sizeof(*list), by_number);
	return n;
}

static void guard_setup(void)
{
	n_before = look(before);
}

static void check_children(void)
{
	int status = 0;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	ck_assert_msg(pid <= 0, "a child is left unreaped: pid %d, status %#x", (int)pid,
		(unsigned)status);
	ck_assert_msg(pid < 0 && errno == ECHILD, "a child is left running");
}

static void guard_teardown(void)
{
	int n_after = look(after);
	int i = 0;
	int j = 0;

	while (i < n_before || j < n_after) {
		const struct descriptor *was = &before[i];
		const struct descriptor *is = &after[j];

		if (i == n_before || (j < n_after && is->fd < was->fd))
			ck_abort_msg("descriptor %d is left open: %s", is->fd, is->target);
		if (j == n_after || was->fd < is->fd)
			ck_abort_msg("descriptor %d was closed: %s", was->fd, was->target);
		ck_assert_msg(!strcmp(was->target, is->target),
			"descriptor %d was %s and is %s", was->fd, was->target, is->target);
		i++;
		j++;
	}
	check_children();
}

void test_leak_guard(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, guard_setup, guard_teardown);
}
