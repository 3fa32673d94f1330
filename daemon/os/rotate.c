/* SPDX-License-Identifier: MIT */
/* Log files put aside: PATH.1 is the newest, and what stands there moves on by one. Nothing is copied, and no file cut: it
 * is renamed between two lines, and a new one opened, so that no line is lost or torn. The oldest go first, so that a
 * crash in between leaves a gap, which the next time fills; and what stands behind a gap is not touched. All happens in one
 * folder, which is held by a descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

struct aside {
	int folder;
	const char *name;
};

/* What a file may be called behind its number. */
static const char *const endings[] = {"", ".gz"};
enum { N_ENDINGS = sizeof(endings) / sizeof(endings[0]) };

int os_log_aside(const char *name, unsigned number, const char *ending, char *ret_aside)
{
	int n = snprintf(ret_aside, NAME_MAX + 1, "%s.%u%s", name, number, ending);

	return n > NAME_MAX ? -ENAMETOOLONG : 0;
}

static bool is_taken(const struct aside *a, unsigned number)
{
	char name[NAME_MAX + 1];
	struct stat st;

	for (unsigned i = 0; i < N_ENDINGS; i++)
		if (os_log_aside(a->name, number, endings[i], name) == 0 &&
			fstatat(a->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

/* One file. That there is none is fine. */
static int rename_or_remove(const struct aside *a, const char *from, const char *to)
{
	int r = to ? renameat(a->folder, from, a->folder, to) : unlinkat(a->folder, from, 0);

	return r < 0 && errno != ENOENT ? -errno : 0;
}

/* Give what has this number the next one, or remove it. Returns 0 or -errno. */
static int move_on(const struct aside *a, unsigned number, bool remove)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	int r = 0;

	for (unsigned i = 0; i < N_ENDINGS && r == 0; i++) {
		r = os_log_aside(a->name, number, endings[i], from);
		if (r == 0)
			r = os_log_aside(a->name, number + 1, endings[i], to);
		if (r == 0)
			r = rename_or_remove(a, from, remove ? NULL : to);
	}
	return r;
}

/* Make room for a new PATH.1. */
static int make_room(const struct aside *a, unsigned keep)
{
	unsigned number = 1;
	int r = 0;

	while (number < ASIDE_MOST && is_taken(a, number))
		number++;
	while (--number > 0 && r == 0)
		r = move_on(a, number, number >= keep);
	return r;
}

static int put_aside(const struct aside *a, unsigned keep)
{
	char to[NAME_MAX + 1];
	int r = make_room(a, keep);

	if (r == 0)
		r = os_log_aside(a->name, 1, "", to);
	if (r < 0)
		return r;
	if (keep > 0)
		r = renameat(a->folder, a->name, a->folder, to);
	else
		r = unlinkat(a->folder, a->name, 0);
	return r < 0 ? -errno : 0;
}

/* The new one is whose the old one was, and as open to others. */
static int go_on_with_new(struct os_file *file, const struct stat *old)
{
	int r = os_log_reopen(file);

	if (r < 0)
		return r;
	(void)fchmod(file->fd, old->st_mode & 0777);
	if (geteuid() == 0)
		(void)!fchown(file->fd, old->st_uid, old->st_gid);
	return 0;
}

int linux_rotate_log(struct os_file *file, unsigned keep)
{
	auto_free char *copy = alloc_text(file->path);
	struct aside a = {.folder = -1};
	auto_close int folder = -1;
	struct stat old;
	bool is_ours;
	int r;

	if (!copy)
		return -ENOMEM;
	a.folder = folder = os_log_folder(copy, &a.name, &is_ours);
	if (folder < 0)
		return folder;
	if (fstatat(folder, a.name, &old, AT_SYMLINK_NOFOLLOW) < 0 || old.st_dev != file->dev ||
		old.st_ino != file->ino)
		return os_log_reopen(file);
	r = put_aside(&a, keep);
	return r < 0 ? r : go_on_with_new(file, &old);
}
