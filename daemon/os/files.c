/* SPDX-License-Identifier: MIT */
/* Looking at files that belong to units. They may lie on a file system that hangs, so it is done on a thread; what is asked
 * for is a piece of heap that the thread has to itself until it has answered. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

enum { TEXT_MOST = 256 };

struct question {
	int result;
	pid_t pid;
	char text[TEXT_MOST];
	char path[];
};

static void look(void *arg)
{
	struct question *q = arg;
	struct stat st;

	q->result = stat(q->path, &st) < 0 ? -errno : 0;
}

/* "123" and the end of the line, with blanks around; what is in further lines, as PostgreSQL has them, is the program's. */
static int number_of(const char *text, pid_t *ret_pid)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || errno || n <= 0 || n > INT32_MAX)
		return -EINVAL;
	end += strspn(end, " \t\r");
	if (*end != '\n' && *end != '\0')
		return -EINVAL;
	*ret_pid = (pid_t)n;
	return 0;
}

static void read_pid(void *arg)
{
	struct question *q = arg;
	char text[64];
	struct stat st;
	auto_close int fd = open(q->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		q->result = -errno;
		return;
	}
	n = S_ISREG(st.st_mode) ? read(fd, text, sizeof(text) - 1) : 0;
	text[n > 0 ? n : 0] = '\0';
	q->result = n < 0 ? -errno : number_of(text, &q->pid);
}

static void read_text(void *arg)
{
	struct question *q = arg;
	auto_close int fd = open(q->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, q->text, sizeof(q->text) - 1);

	q->result = n < 0 ? -errno : 0;
	q->text[n > 0 ? n : 0] = '\0';
}

static int write_whole(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		return errno ? -errno : -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

/* Beside it, and then in its place: whoever reads it finds the old text or the new one. */
static void write_text(void *arg)
{
	struct question *q = arg;
	size_t len = strlen(q->path);
	auto_free char *beside = alloc_new(len + 5);

	q->result = beside ? os_folders_make(q->path, 0700, false) : -ENOMEM;
	if (q->result < 0)
		return;
	memcpy(beside, q->path, len);
	memcpy(beside + len, ".new", 5);
	errno = 0;
	q->result = write_whole(beside, q->text);
	if (q->result == 0 && rename(beside, q->path) < 0)
		q->result = -errno;
}

/* The answer is the caller's to free; NULL: none came, and *ret_result says why. `text`: what to write; NULL: nothing. */
static struct question *ask(void (*fn)(void *arg), const char *path, const char *text, int *ret_result)
{
	size_t len = strlen(path) + 1;
	struct question *q = alloc_new(sizeof(*q) + len);

	*ret_result = -ENOMEM;
	if (!q)
		return NULL;
	memcpy(q->path, path, len);
	if (text)
		(void)strncpy(q->text, text, sizeof(q->text) - 1);
	*ret_result = eff_blocking(fn, q, free);
	if (*ret_result >= 0) {
		*ret_result = q->result;
		return q;
	}
	/* One that was begun is freed when it has ended. */
	if (*ret_result != -ECANCELED && *ret_result != -ETIMEDOUT)
		free(q);
	return NULL;
}

int linux_file_there(struct os *os, const char *path)
{
	int r;

	(void)os;
	free(ask(look, path, NULL, &r));
	return r;
}

int linux_pid_file(struct os *os, const char *path, pid_t *ret_pid)
{
	int r;
	struct question *q = ask(read_pid, path, NULL, &r);

	(void)os;
	if (r >= 0)
		*ret_pid = q->pid;
	free(q);
	return r;
}

int linux_read_state(struct os *os, const char *path, char *buf, size_t size)
{
	int r;
	struct question *q = ask(read_text, path, NULL, &r);

	(void)os;
	if (r >= 0 && size > 0) {
		(void)strncpy(buf, q->text, size - 1);
		buf[size - 1] = '\0';
	}
	free(q);
	return r;
}

int linux_write_state(struct os *os, const char *path, const char *text)
{
	int r;

	(void)os;
	free(ask(write_text, path, text, &r));
	return r;
}
