/* SPDX-License-Identifier: MIT */
/* Log files put aside, compressed: gzip reads one and writes another, both of which it is handed, in a process of its own
 * that ends with effd. Meanwhile names may move on, so that the file is found again by what it is when the archive is
 * whole and on the disk; until then that one has a name that nothing else has, and goes with the next try if effd ended amid. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eff/clock.h>
#include <eff/fiber.h>
#include <eff/io.h>
#include <eff/scope.h>

#include "base/alloc.h"
#include "base/text.h"
#include "os/internal.h"

#define SEARCH "/usr/local/bin:/usr/bin:/bin"

/* Its own piece of heap, for work that may wait for a disk goes on when nobody waits for that any more. */
struct archive {
	struct os_linux *os;
	char *path, *in; /* the log's, and its folder's */
	int result;
	int folder;
	const char *name;
	bool is_ours; /* nobody else can put anything into the folder */
	bool is_whole;
	int from, to;
	struct stat st; /* of what is compressed */
	char part[NAME_MAX + 1];
};

static bool look(const struct archive *a, unsigned number, const char *ending, struct stat *ret_st)
{
	char name[NAME_MAX + 1];

	return os_log_aside(a->name, number, ending, name) == 0 &&
		fstatat(a->folder, name, ret_st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The number of the oldest that is no archive; 0: there is none. */
static unsigned find_oldest(const struct archive *a)
{
	struct stat st;
	unsigned found = 0;

	for (unsigned number = 1; number < ASIDE_MOST; number++) {
		bool is_there = look(a, number, "", &st);

		if (is_there && S_ISREG(st.st_mode) && !os_log_is_open(&a->os->logs, &st) &&
			(a->is_ours || st.st_nlink == 1))
			found = number;
		if (!is_there && !look(a, number, ".gz", &st))
			break;
	}
	return found;
}

/* The number that it has by now; 0: it is gone. */
static unsigned find_again(const struct archive *a)
{
	struct stat st;

	for (unsigned number = 1; number < ASIDE_MOST; number++) {
		bool is_there = look(a, number, "", &st);

		if (is_there && st.st_dev == a->st.st_dev && st.st_ino == a->st.st_ino)
			return number;
		if (!is_there && !look(a, number, ".gz", &st))
			break;
	}
	return 0;
}

static int open_both(struct archive *a, unsigned number)
{
	char name[NAME_MAX + 1];
	int r = os_log_aside(a->name, number, "", name);

	if (r < 0)
		return r;
	a->from = openat(a->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (a->from < 0 || fstat(a->from, &a->st) < 0)
		return -errno;
	if (!S_ISREG(a->st.st_mode) || (!a->is_ours && a->st.st_nlink > 1))
		return -EINVAL;
	a->to = openat(
		a->folder, a->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return a->to < 0 ? -errno : 0;
}

/* ── gzip ── */

struct gzip {
	struct eff_spawn spawn;
	int fds[3];
	struct eff_step step;
};

static void gzip_free(void *gzip)
{
	free(gzip);
}

static int gzip_start(const struct archive *a, struct eff_proc **ret_proc)
{
	static const char *const argv[] = {"gzip", "-c", NULL}, *const envp[] = {NULL};
	struct gzip *gzip = alloc_new(sizeof(*gzip));
	const char *search = getenv("PATH");

	if (!gzip)
		return -ENOMEM;
	gzip->fds[0] = a->from;
	gzip->fds[1] = a->to;
	gzip->fds[2] = a->os->null_fd;
	gzip->step = (struct eff_step){
		.kind = EFF_STEP_DEATHSIG, .stage = "fork", .number = SIGKILL};
	gzip->spawn = (struct eff_spawn){.path = argv[0],
		.search = search ? search : SEARCH,
		.argv = argv,
		.envp = envp,
		.fds = gzip->fds,
		.n_fds = 3,
		.steps = &gzip->step,
		.n_steps = 1,
		.ignored = &a->os->ignored,
		.new_session = true,
		.release = gzip_free,
		.context = gzip};
	return eff_spawn(&gzip->spawn, ret_proc);
}

/* Suspends. 0, -ENOENT when there is none, -EIO, -ECANCELED … */
static int gzip_run(const struct archive *a)
{
	struct eff_spawn_fault fault = {0};
	struct eff_proc *proc = NULL;
	int status = 0;
	int r = gzip_start(a, &proc);

	if (r == 0)
		r = eff_proc_await_exec(proc, &fault);
	if (r == 0)
		r = eff_proc_await_end(proc, &status);
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		r = -EIO;
	if (r == -ECHILD)
		r = fault.error ? -fault.error : -EIO;
	eff_proc_free(proc);
	return r;
}

/* ── the archive ── */

static void close_one(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* As old as it was, as open to others, and on the disk: the original is about to go. Both are closed here, which may wait for
 * the disk; the folder, which is no more than a path, goes without. */
static void finish(void *arg)
{
	struct archive *a = arg;
	const struct timespec times[2] = {a->st.st_atim, a->st.st_mtim};

	if (geteuid() == 0)
		(void)!fchown(a->to, a->st.st_uid, a->st.st_gid);
	(void)fchmod(a->to, a->st.st_mode & 0777);
	(void)futimens(a->to, times);
	a->result = fdatasync(a->to) < 0 ? -errno : 0;
	close_one(&a->from);
	close_one(&a->to);
}

/* Give it its name. One that was too old to be kept in the meantime goes. */
static int put_in_place(const struct archive *a)
{
	unsigned number = find_again(a);
	char old[NAME_MAX + 1], new[NAME_MAX + 1];
	int r = number ? os_log_aside(a->name, number, ".gz", new) : -ENOENT;

	if (r == 0)
		r = os_log_aside(a->name, number, "", old);
	if (r == 0 && renameat(a->folder, a->part, a->folder, new) < 0)
		r = -errno;
	if (r == 0 && unlinkat(a->folder, old, 0) < 0)
		r = -errno;
	return r == -ENOENT ? 0 : r;
}

static void archive_close(void *arg)
{
	struct archive *a = arg;

	close_one(&a->from);
	close_one(&a->to);
	close_one(&a->folder);
}

/* What is half-made does not stay. */
static void archive_end(void *arg)
{
	struct archive *a = arg;

	a->result = a->is_whole ? put_in_place(a) : 0;
	(void)unlinkat(a->folder, a->part, 0);
	archive_close(a);
}

static int find_and_open(struct archive *a)
{
	unsigned number;
	int r;

	a->folder = os_log_folder(a->path, &a->name, &a->is_ours);
	if (a->folder < 0)
		return a->folder;
	if (snprintf(a->part, sizeof(a->part), "%s.gz.part", a->name) > NAME_MAX)
		return -ENAMETOOLONG;
	(void)unlinkat(a->folder, a->part, 0);
	number = find_oldest(a);
	if (number == 0)
		return 0;
	r = open_both(a, number);
	return r < 0 ? r : 1;
}

static void archive_begin(void *arg)
{
	struct archive *a = arg;

	a->result = find_and_open(a);
	if (a->result < 1)
		archive_close(a);
}

static void archive_free(void *arg)
{
	struct archive *a = arg;

	archive_close(a);
	free(a->path);
	free(a->in);
	free(a);
}

static struct archive *archive_new(struct os_linux *os, const char *path)
{
	struct archive *a = alloc_new(sizeof(*a));

	if (!a)
		return NULL;
	*a = (struct archive){.os = os, .folder = -1, .from = -1, .to = -1};
	a->path = alloc_text(path);
	a->in = alloc_text(path);
	if (a->path && a->in) {
		a->in[folder_span(path)] = '\0';
		return a;
	}
	archive_free(a);
	return NULL;
}

/* Who ends the wait for an archive waits for this, if the disk answers in time. Suspends. As linux_with_logs(). */
static int archive_end_soon(struct archive *a)
{
	eff_masked before = eff_mask();
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_S(1)));
	r = linux_with_logs(&a->os->os, a->in, archive_end, a, archive_free);
	(void)eff_scope_close(&within);
	eff_unmask(before);
	return r;
}

/* Else its turn comes when it comes. Suspends. As linux_with_logs(). */
static int archive_await_end(struct archive *a)
{
	int r = eff_check();

	if (r == 0)
		r = linux_with_logs(&a->os->os, a->in, archive_end, a, archive_free);
	return r == -ECANCELED || r == -ETIMEDOUT ? archive_end_soon(a) : r;
}

/* It does not get its turn: nothing is touched in that folder out of turn, and the next try removes what is half-made. A close
 * may wait for the disk, too. */
static void archive_leave(struct archive *a)
{
	int r = eff_blocking(archive_close, a, archive_free);

	if (r != -ECANCELED && r != -ETIMEDOUT)
		archive_free(a);
}

/* Takes the archive. One that is left while it is finished is let be too: whoever is told of that runs the loop. */
static int archive_make(struct archive *a)
{
	int end, r = gzip_run(a);

	if (r == 0) {
		r = eff_blocking(finish, a, archive_free);
		if (r == -ECANCELED || r == -ETIMEDOUT)
			return r;
		r = r < 0 ? r : a->result;
	}
	a->is_whole = r == 0;
	end = archive_await_end(a);
	if (end == -EINPROGRESS)
		return r < 0 ? r : -ECANCELED;
	if (end < 0) {
		archive_leave(a);
		return r < 0 ? r : end == -ETIMEDOUT ? -ECANCELED : end;
	}
	r = r < 0 ? r : a->result;
	archive_free(a);
	return r < 0 ? r : 1;
}

int linux_compress_log(struct os *os, const char *path)
{
	struct archive *a = archive_new(linux_of(os), path);
	int r = a ? linux_with_logs(os, a->in, archive_begin, a, archive_free) : -ENOMEM;

	if (r == -EINPROGRESS)
		return -ECANCELED;
	if (r == 0)
		r = a->result;
	if (r == 1)
		return archive_make(a);
	if (a)
		archive_free(a);
	return r;
}
