/* SPDX-License-Identifier: MIT */
/* A log file: appended to, whole lines or nothing. What is no file or character device is refused, for a pipe would hold
 * effd up. A file that somebody moved away or removed is noticed: removed at once, moved within a quarter of a second;
 * then the path is opened anew, folders and all, and until that works a moved file goes on being written. Nobody's file is
 * ever truncated but by what effd itself has appended last, of a line that a full disk does not let it end.
 *
 * Root writes where somebody else may put links (a unit's own folder, say) only as far as the path goes without one, and
 * into no file that has another name as well: else whoever owns the folder would choose which file root writes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eff/clock.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/trust.h"
#include "os/internal.h"

#define LOOK_EVERY EFF_MS(250)

enum { FILE_MODE = 0640, FOLDER_MODE = 0750 };

int os_folders_make(const char *path, mode_t mode, bool whole)
{
	size_t len = strlen(path);
	auto_free char *part = alloc_new(len + 1);

	if (!part)
		return -ENOMEM;
	memcpy(part, path, len);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && !(i == len && whole))
			continue;
		part[i] = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST) {
			int r = -errno;
			struct stat st;

			/* Where it is there already, some say that it could not be made. */
			if (stat(part, &st) < 0 || !S_ISDIR(st.st_mode))
				return r;
		}
		part[i] = path[i];
	}
	return 0;
}

/* Not to block: a pipe that nobody reads is refused, not waited for. */
#define OPEN_FLAGS \
	(O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int open_at(const char *path)
{
	int fd = open(path, OPEN_FLAGS, FILE_MODE);

	if (fd < 0 && errno == ENOENT) {
		int r = os_folders_make(path, FOLDER_MODE, false);

		if (r < 0)
			return r;
		fd = open(path, OPEN_FLAGS, FILE_MODE);
	}
	return fd < 0 ? -errno : fd;
}

/* One folder down, made when it is missing; a link is none. Takes `folder`. Returns a descriptor or -errno. */
static int step_down(int folder, const char *name)
{
	auto_close int from = folder;
	char byte;
	int fd, r;

	if (mkdirat(from, name, FOLDER_MODE) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : fd;
	/* Who is told that it is no folder would look at it and see one. */
	return r == -ENOTDIR && readlinkat(from, name, &byte, 1) >= 0 ? -ELOOP : r;
}

/* The folder of `path`, a descriptor, without a link on the way; `path` is cut to pieces, *ret_name is its last part. */
static int walk_without_links(char *path, const char **ret_name)
{
	int folder = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *name = strsep(&path, "/");

	if (folder < 0)
		return -errno;
	for (; path && folder >= 0; name = strsep(&path, "/"))
		if (*name)
			folder = step_down(folder, name);
	*ret_name = name;
	return folder;
}

static bool is_roots_way(const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	auto_free char *folder = alloc_new(len + 2);

	if (!folder)
		return false;
	memcpy(folder, path, len ? len : 1);
	return trust_folder(folder) == 0;
}

/* Can nobody but effd's user choose what is at this path? A user's own mistakes are the user's. */
static bool is_ours(const char *path)
{
	return geteuid() != 0 || (*path == '/' && is_roots_way(path));
}

int os_log_folder(char *path, const char **ret_name, bool *ret_is_ours)
{
	char *slash;
	int fd;

	*ret_is_ours = is_ours(path);
	if (!*ret_is_ours)
		return walk_without_links(path, ret_name);
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	*ret_name = slash ? slash + 1 : path;
	fd = open(!slash ? "." : slash == path ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* As open_at(), without a link on the way. */
static int open_without_links(const char *path)
{
	auto_free char *copy = alloc_text(path);
	auto_close int folder = copy ? walk_without_links(copy, &path) : -ENOMEM;
	struct stat st;
	int fd;

	if (folder < 0)
		return folder;
	fd = openat(folder, path, OPEN_FLAGS, FILE_MODE);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_nlink <= 1))
		return fd;
	(void)close(fd);
	return -EMLINK;
}

int os_log_reopen(struct os_file *file)
{
	int fd = is_ours(file->path) ? open_at(file->path) : open_without_links(file->path);
	struct stat st;
	int r = fd < 0 ? fd : 0;

	if (r >= 0 && fstat(fd, &st) < 0)
		r = -errno;
	else if (r >= 0 && !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		r = -EINVAL;
	if (r < 0) {
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	if (file->fd >= 0)
		(void)close(file->fd);
	file->fd = fd;
	file->regular = S_ISREG(st.st_mode);
	(void)pthread_mutex_lock(&file->logs->lock);
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	(void)pthread_mutex_unlock(&file->logs->lock);
	file->looked_at = eff_now();
	return 0;
}

void os_logs_init(struct logs *logs)
{
	(void)pthread_mutex_init(&logs->lock, NULL);
	eff_list_init(&logs->list);
}

bool os_log_is_open(struct logs *logs, const struct stat *st)
{
	bool found = false;

	(void)pthread_mutex_lock(&logs->lock);
	for (struct eff_list *l = logs->list.next; l != &logs->list && !found; l = l->next) {
		const struct os_file *file = eff_container(l, struct os_file, link);

		found = file->dev == st->st_dev && file->ino == st->st_ino;
	}
	(void)pthread_mutex_unlock(&logs->lock);
	return found;
}

int linux_open_log(struct os *os, const char *path, struct os_file **ret_file)
{
	size_t len = strlen(path) + 1;
	struct os_file *file = alloc_new(sizeof(*file) + len);
	int r = -ENOMEM;

	if (file) {
		file->logs = &linux_of(os)->logs;
		file->fd = -1;
		memcpy(file->path, path, len);
		r = os_log_reopen(file);
	}
	if (r < 0) {
		free(file);
		return r;
	}
	(void)pthread_mutex_lock(&file->logs->lock);
	eff_list_append(&file->logs->list, &file->link);
	(void)pthread_mutex_unlock(&file->logs->lock);
	*ret_file = file;
	return 0;
}

void linux_close_log(struct os_file *file)
{
	if (!file)
		return;
	(void)pthread_mutex_lock(&file->logs->lock);
	eff_list_remove(&file->link);
	(void)pthread_mutex_unlock(&file->logs->lock);
	(void)close(file->fd);
	free(file);
}

/* Is another file, or none, at its path? */
static bool was_moved(struct os_file *file)
{
	struct stat st;

	if (eff_now() - file->looked_at < LOOK_EVERY)
		return false;
	file->looked_at = eff_now();
	return lstat(file->path, &st) < 0 || st.st_dev != file->dev || st.st_ino != file->ino;
}

static int file_follow(struct os_file *file, struct stat *ret_st)
{
	bool removed;
	int r;

	if (fstat(file->fd, ret_st) < 0)
		return -errno;
	removed = ret_st->st_nlink == 0;
	if (!removed && !was_moved(file))
		return 0;
	r = os_log_reopen(file);
	if (r >= 0)
		return fstat(file->fd, ret_st) < 0 ? -errno : 0;
	/* A moved file still keeps what it gets; a removed one would swallow it. */
	return removed ? r : 0;
}

int linux_look_at_log(struct os_file *file, struct os_log_look *ret_look)
{
	struct stat st;
	int r = file_follow(file, &st);

	if (r >= 0)
		*ret_look = (struct os_log_look){
			.size = (uint64_t)st.st_size,
			.written_at = EFF_S((eff_ns)st.st_mtim.tv_sec) + st.st_mtim.tv_nsec,
			.regular = file->regular,
		};
	return r;
}

/* Somebody else's lines, should they be behind it, stay. */
int linux_cut_log(struct os_file *file, uint64_t from, uint64_t to)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return -errno;
	if (!file->regular || (uint64_t)st.st_size != from)
		return -EBUSY;
	return ftruncate(file->fd, (off_t)to) < 0 ? -errno : 0;
}

int linux_append(struct os_file *file, const void *bytes, size_t size)
{
	struct stat st;
	size_t written = 0;
	int r = file_follow(file, &st);

	while (r >= 0 && written < size) {
		ssize_t n = write(file->fd, (const char *)bytes + written, size - written);

		if (n > 0)
			written += (size_t)n;
		else if (n == 0)
			r = -EIO;
		else if (errno != EINTR)
			r = -errno;
	}
	/* A full disk takes a part: no torn line may stay. */
	if (r < 0 && written > 0)
		(void)linux_cut_log(file, (uint64_t)st.st_size + written, (uint64_t)st.st_size);
	return r;
}
