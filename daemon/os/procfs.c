/* SPDX-License-Identifier: MIT */
/* One process, as /proc tells it. The files are small and the kernel makes them up on the spot, so they are read in one
 * go and at once; a process that is gone is an ordinary answer. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "os/internal.h"

/* Fields of stat, counted from the state, which is the first after the name. */
enum { STAT_STATE, STAT_PPID, STAT_PGID, STAT_SID, STAT_BORN = 19 };

/* Read all of a small file, NUL-terminated; false when there is none. */
static bool read_small(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	auto_close int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

bool os_procfs_stat(pid_t pid, struct procfs_stat *ret_stat)
{
	struct procfs_stat st = {0};
	char text[1024];
	char *open_at, *close_at, *rest, *field;

	if (pid <= 0 || !read_small(pid, "stat", text, sizeof(text)))
		return false;
	/* The name may hold anything, brackets and blanks too: it ends at the last one. */
	open_at = strchr(text, '(');
	close_at = strrchr(text, ')');
	if (!open_at || !close_at || close_at < open_at)
		return false;
	*close_at = '\0';
	(void)snprintf(st.command, sizeof(st.command), "%.15s", open_at + 1);
	rest = close_at + 1;
	for (int i = 0; i <= STAT_BORN; i++) {
		field = strsep(&rest, " ");
		if (field && !*field)
			field = strsep(&rest, " ");
		if (!field)
			return false;
		if (i == STAT_STATE)
			st.state = *field;
		else if (i == STAT_PPID)
			st.ppid = (pid_t)strtol(field, NULL, 10);
		else if (i == STAT_SID)
			st.sid = (pid_t)strtol(field, NULL, 10);
		else if (i == STAT_BORN)
			st.born = strtoull(field, NULL, 10);
	}
	*ret_stat = st;
	return true;
}

bool os_procfs_is_there(const struct procfs_stat *st)
{
	return (st->state != 'Z' && st->state != 'X') || st->ppid == getpid();
}

bool os_procfs_is(pid_t pid, uint64_t born)
{
	struct procfs_stat st;

	return os_procfs_stat(pid, &st) && st.born == born && os_procfs_is_there(&st);
}

void os_procfs_waits_in(pid_t pid, char *ret_name, size_t size)
{
	char text[128];

	*ret_name = '\0';
	if (!read_small(pid, "wchan", text, sizeof(text)) || !strcmp(text, "0"))
		return;
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(ret_name, size, "%.*s", (int)size - 1, text);
}

void os_procfs_left(pid_t pid, struct os_left *ret_left)
{
	struct procfs_stat st;

	*ret_left = (struct os_left){.pid = pid};
	if (os_procfs_stat(pid, &st))
		memcpy(ret_left->command, st.command, sizeof(ret_left->command));
	os_procfs_waits_in(pid, ret_left->waits_in, sizeof(ret_left->waits_in));
}

uint64_t os_procfs_memory(pid_t pid)
{
	char text[128];
	char *rest = text;

	if (!read_small(pid, "statm", text, sizeof(text)))
		return 0;
	(void)strsep(&rest, " ");
	return rest ? strtoull(rest, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
