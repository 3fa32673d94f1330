/* SPDX-License-Identifier: MIT */
/* Looking at files that belong to units. They may lie on a file system that hangs, so it is done on a thread; what is asked
 * for is a piece of heap that the thread has to itself until it has answered. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "os/internal.h"

struct question {
	int result;
	pid_t pid;
	char path[];
};

static void look(void *arg)
{
	struct question *q = arg;
	struct stat st;

	q->result = stat(q->path, &st) < 0 ? -errno : 0;
}

/* "123" and a newline, or blanks around. */
static int number_of(const char *text, pid_t *ret_pid)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || errno || n <= 0 || n > INT32_MAX || end[strspn(end, " \t\r\n")] != '\0')
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

/* The answer is the caller's to free; NULL: none came, and *ret_result says why. */
static struct question *ask(void (*fn)(void *arg), const char *path, int *ret_result)
{
	size_t len = strlen(path) + 1;
	struct question *q = alloc_new(sizeof(*q) + len);

	*ret_result = -ENOMEM;
	if (!q)
		return NULL;
	memcpy(q->path, path, len);
	*ret_result = eff_blocking(fn, q, free);
	if (*ret_result >= 0) {
		*ret_result = q->result;
		return q;
	}
	/* One that was begun is freed when it has ended. */
	if (*ret_result == -ENOMEM || *ret_result == -EAGAIN)
		free(q);
	return NULL;
}

int linux_file_there(struct os *os, const char *path)
{
	int r;

	(void)os;
	free(ask(look, path, &r));
	return r;
}

int linux_pid_file(struct os *os, const char *path, pid_t *ret_pid)
{
	int r;
	struct question *q = ask(read_pid, path, &r);

	(void)os;
	if (r >= 0)
		*ret_pid = q->pid;
	free(q);
	return r;
}
