/* SPDX-License-Identifier: MIT */
/* A file is opened without waiting (a FIFO would), looked at by its descriptor, and read once into memory. For root every
 * folder and every link on the way is looked at as well, before it is gone through: a link of root's leads where root said. A
 * sticky folder that all may write is fine, as what root has in it stays root's. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/trust.h"
#include "plan/source_files.h"

#define WRITABLE_BY_OTHERS (S_IWGRP | S_IWOTH)

/* May a tree be in it? What comes next in a folder of the tree is the tree: sticky is not enough. */
static bool is_roots_alone(int fd, const struct stat *st, bool folder)
{
	return st->st_uid == 0 &&
		(!(st->st_mode & WRITABLE_BY_OTHERS) || (folder && trust_mount(fd)));
}

static int check_file(int fd, bool folder)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!folder && S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!folder && !S_ISREG(st.st_mode))
		return -ENOTSUP;
	return geteuid() != 0 || is_roots_alone(fd, &st, folder) ? 0 : -EPERM;
}

static int open_plainly(const char *path, int flags)
{
	int fd = open(path, flags);

	return fd < 0 ? -errno : fd;
}

/* Returns a descriptor that has been looked at, or -errno; and for root where that is, or what is to blame, malloc'd. */
static int open_checked(const char *path, bool folder, char **ret_at)
{
	int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (folder ? O_DIRECTORY : 0);
	int fd, r;

	*ret_at = NULL;
	fd = geteuid() == 0 ? trust_open(path, flags, ret_at) : open_plainly(path, flags);
	if (fd < 0)
		return fd == -ENXIO ? -ENOTSUP : fd;
	r = check_file(fd, folder);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	return fd;
}

/* Read on into a buffer of `room` bytes that holds *size. Returns 1, 0 at the end, -errno. */
static int read_more(int fd, char *bytes, size_t room, size_t *size)
{
	ssize_t n = read(fd, bytes + *size, room - *size);

	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	*size += (size_t)n;
	return n > 0;
}

static int grow(char **bytes, size_t *room)
{
	size_t size = *room ? 2 * *room : 16384;
	char *more = realloc(*bytes, size + 1);

	if (!more)
		return -ENOMEM;
	*bytes = more;
	*room = size;
	return 0;
}

/* Read until the end, or until one byte more than the limit. Returns 0 and what was read, or -errno. */
static int read_whole(int fd, size_t limit, char **ret_bytes, size_t *ret_size)
{
	size_t room = 0;
	size_t size = 0;
	char *bytes = NULL;
	int r = 1;

	while (r > 0 && size <= limit) {
		r = size == room ? grow(&bytes, &room) : 0;
		if (r == 0)
			r = read_more(fd, bytes, room, &size);
	}
	if (r < 0 || size > limit) {
		free(bytes);
		return r < 0 ? r : -EFBIG;
	}
	bytes[size] = '\0';
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

static int file_read(void *context, const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	auto_free char *at = NULL;
	auto_close int fd = open_checked(path, false, &at);

	(void)context;
	return fd < 0 ? fd : read_whole(fd, limit, ret_bytes, ret_size);
}

static bool is_wanted(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && !strcmp(name + len - 5, ".yaml");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_free(char **names, size_t n)
{
	while (n)
		free(names[--n]);
	free(names);
}

/* Put a copy of `name` at the end of a vector that has room for a power of two, and for its NULL. */
static int names_add(char ***names, size_t *n, const char *name)
{
	char *copy;

	if (!(*n & (*n - 1))) {
		char **more = reallocarray(*names, 2 * *n + 2, sizeof(**names));

		if (!more)
			return -ENOMEM;
		*names = more;
	}
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	(*names)[(*n)++] = copy;
	(*names)[*n] = NULL;
	return 0;
}

static int read_names(DIR *dir, char ***names, size_t *n)
{
	int r = 0;

	while (r == 0) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		if (is_wanted(entry->d_name))
			r = names_add(names, n, entry->d_name);
	}
	return r;
}

static int file_list(void *context, const char *path, char ***ret_names)
{
	auto_free char *at = NULL;
	int fd = open_checked(path, true, &at);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char **names = NULL;
	size_t n = 0;
	int r;

	(void)context;
	if (fd < 0)
		return fd;
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	r = read_names(dir, &names, &n);
	if (r < 0) {
		names_free(names, n);
		return r;
	}
	if (!names)
		names = calloc(1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	qsort(names, n, sizeof(*names), by_name);
	*ret_names = names;
	return 0;
}

/* It is gone once more, up to where it was refused. */
static char *file_blame(void *context, const char *path, bool *ret_link)
{
	struct stat st;
	char *at = NULL;
	int fd = open_checked(path, false, &at);

	(void)context;
	if (fd >= 0)
		(void)close(fd);
	*ret_link = at && lstat(at, &st) == 0 && S_ISLNK(st.st_mode);
	return at;
}

/* A filter that does not know faccessat2() says EPERM: then nobody knows, and there is nothing to warn of. */
static bool is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		(faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0 || errno == EPERM);
}

static bool file_executable(void *context, const char *path, const char *search)
{
	(void)context;
	if (strchr(path, '/') || !search)
		return is_executable(path);
	for (;;) {
		int n = (int)strcspn(search, ":");
		auto_free char *full = NULL;

		if (asprintf(&full, "%.*s%s%s", n, search, n ? "/" : "", path) < 0) {
			full = NULL;
			return true; /* not known: nothing to warn of */
		}
		if (is_executable(full))
			return true;
		if (!search[n])
			return false;
		search += n + 1;
	}
}

static bool file_folder(void *context, const char *path)
{
	struct stat st;

	(void)context;
	return stat(path, &st) == 0 ? S_ISDIR(st.st_mode) : errno == EACCES;
}

static bool file_open_to_others(void *context, const char *path)
{
	struct stat st;

	(void)context;
	return stat(path, &st) == 0 && st.st_mode & S_IROTH;
}

/* A number names itself; only the one that the kernel takes for "leave it" is none. */
static bool is_id(const char *name)
{
	char *end;
	unsigned long id;

	if (!*name || strspn(name, "0123456789") != strlen(name))
		return false;
	errno = 0;
	id = strtoul(name, &end, 10);
	return !errno && id < UINT32_MAX;
}

static bool file_user(void *context, const char *name)
{
	(void)context;
	return is_id(name) || getpwnam(name);
}

static bool file_group(void *context, const char *name)
{
	(void)context;
	return is_id(name) || getgrnam(name);
}

/* A user brings its group. */
static bool user_ids(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *entry;

	if (is_id(name)) {
		*ret_uid = *ret_gid = (uid_t)strtoul(name, NULL, 10);
		entry = getpwuid(*ret_uid);
	} else {
		entry = getpwnam(name);
	}
	if (entry) {
		*ret_uid = entry->pw_uid;
		*ret_gid = entry->pw_gid;
	}
	return entry || is_id(name);
}

static bool group_id(const char *name, gid_t *ret_gid)
{
	const struct group *entry = is_id(name) ? NULL : getgrnam(name);

	if (entry)
		*ret_gid = entry->gr_gid;
	else if (is_id(name))
		*ret_gid = (gid_t)strtoul(name, NULL, 10);
	return entry || is_id(name);
}

/* As itself, by whatever name. */
static bool file_may_run_as(void *context, const char *user, const char *group)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	(void)context;
	if ((user && !user_ids(user, &uid, &gid)) || (group && !group_id(group, &gid)))
		return false;
	return uid == geteuid() && gid == getegid();
}

static bool file_zone(void *context, const char *name)
{
	(void)context;
	return zone_is_known(name);
}

static int oom_score_adj(void)
{
	auto_close int fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	return (int)strtol(text, NULL, 10);
}

/* What it may be granted, of one that is not root. */
static void rights_take(struct plan_rights *rights)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct halves[2] = {{0}};
	struct rlimit limit;

	rights->nice = getpriority(PRIO_PROCESS, 0);
	rights->oom_score_adj = oom_score_adj();
	if (syscall(SYS_capget, &head, halves) == 0)
		rights->capabilities = halves[0].permitted | (uint64_t)halves[1].permitted << 32;
	for (int i = 0; i < TERMS_N_LIMITS; i++)
		if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
			rights->hard[i] = limit.rlim_max;
}

eff_ns source_now(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return EFF_S(now.tv_sec) + now.tv_nsec;
}

void source_files(plan_strv environment, struct plan_source *ret_source)
{
	*ret_source = (struct plan_source){
		.read = file_read,
		.list = file_list,
		.blame = file_blame,
		.executable = file_executable,
		.folder = file_folder,
		.open_to_others = file_open_to_others,
		.user = file_user,
		.group = file_group,
		.zone = file_zone,
		.may_run_as = file_may_run_as,
		.read_at = source_now(),
		.environment = environment,
		.privileged = geteuid() == 0,
		.uid = geteuid(),
	};
	rights_take(&ret_source->rights);
}
