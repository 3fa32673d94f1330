/* SPDX-License-Identifier: MIT */
/* A closed loop of questions: the next one is asked when the last one is answered. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { MOST_ANSWERS = 1 << 20, BUFFER = 1 << 23 };

extern char **environ;

static char buffer[BUFFER] __attribute__((aligned(8)));

int unix_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd = -1;

	if (len < sizeof(address.sun_path))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	memcpy(address.sun_path, path, len);
	if (connect(fd, (const void *)&address, sizeof(address)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Read `wanted` bytes, or with 0 up to a NUL. Returns how many; 0: it broke off. */
static size_t receive(int fd, size_t wanted)
{
	size_t got = 0;

	while (!got || (wanted ? got < wanted : buffer[0] != '\0')) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n <= 0)
			return 0;
		got += (size_t)n;
		buffer[0] = buffer[n - 1];
	}
	return got;
}

/* An answer of HTTP, whole. Returns how many bytes; 0: it broke off. */
static size_t receive_http(int fd)
{
	static const char key[] = "content-length:";
	size_t got = 0;

	for (;;) {
		ssize_t n = read(fd, buffer + got, sizeof(buffer) - 1 - got);
		const char *end, *length;

		if (n <= 0)
			return 0;
		got += (size_t)n;
		buffer[got] = '\0';
		end = strstr(buffer, "\r\n\r\n");
		length = strcasestr(buffer, key);
		if (end && length &&
			got >= (size_t)(end + 4 - buffer) + strtoul(length + strlen(key), NULL, 10))
			return got;
	}
}

static bool greet(const struct query *query, int fd)
{
	if (!query->n_hello)
		return fd >= 0;
	return fd >= 0 && write(fd, query->hello, query->n_hello) == (ssize_t)query->n_hello &&
		receive(fd, query->hello_bytes) > 0;
}

static size_t ask_socket(const struct query *query, int *fd)
{
	size_t n;

	if (*fd < 0) {
		*fd = unix_connect(query->socket);
		if (!greet(query, *fd))
			return 0;
	}
	if (write(*fd, query->request, query->n_request) != (ssize_t)query->n_request)
		return 0;
	n = query->is_http ? receive_http(*fd) : receive(*fd, query->reply_bytes);
	if (query->reconnect) {
		(void)close(*fd);
		*fd = -1;
	}
	return n;
}

static size_t ask_files(const struct query *query)
{
	size_t all = 0;

	for (unsigned i = 0; i < query->words.n; i++) {
		int fd = open(query->words.list[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, buffer, 4096);

		if (n <= 0)
			return 0;
		(void)close(fd);
		all += (size_t)n;
	}
	return all;
}

static size_t ask_part(const struct query *query)
{
	int fd = open(query->words.list[0], O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, buffer, query->part_bytes, (off_t)query->part_at);

	if (fd >= 0)
		(void)close(fd);
	return n == (ssize_t)query->part_bytes && query->part_is_good(buffer, query->part_bytes)
		? query->part_bytes
		: 0;
}

static size_t ask_command(const struct query *query)
{
	static posix_spawn_file_actions_t quiet;
	static bool made;
	pid_t pid;
	int status = 0;

	if (!made) {
		(void)posix_spawn_file_actions_init(&quiet);
		(void)posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
		(void)posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
		made = true;
	}
	if (posix_spawnp(&pid, query->words.list[0], &quiet, NULL, query->words.list, environ))
		return 0;
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) < 5;
}

static int by_value(const void *a, const void *b)
{
	float one = *(const float *)a, other = *(const float *)b;

	return (one > other) - (one < other);
}

static void judge(float *us, struct answers *ret)
{
	qsort(us, ret->n, sizeof(*us), by_value);
	ret->min_us = us[0];
	ret->p50_us = us[ret->n / 2];
	ret->p99_us = us[ret->n * 99 / 100];
}

bool query_run(const struct query *query, double seconds, unsigned gap_us, struct answers *ret)
{
	uint64_t until = now_ns() + (uint64_t)(seconds * 1e9), began;
	float *us = malloc(MOST_ANSWERS * sizeof(*us));
	int fd = -1;

	*ret = (struct answers){0};
	do {
		began = now_ns();
		ret->bytes = query->how == BY_SOCKET ? ask_socket(query, &fd)
			: query->how == BY_FILES     ? ask_files(query)
			: query->how == BY_PART      ? ask_part(query)
						     : ask_command(query);
		if (!us || !ret->bytes)
			break;
		us[ret->n++] = (float)(now_ns() - began) / 1e3F;
		if (gap_us)
			(void)usleep(gap_us);
	} while (began < until && ret->n < MOST_ANSWERS);
	if (fd >= 0)
		(void)close(fd);
	if (ret->n && ret->bytes)
		judge(us, ret);
	free(us);
	return ret->n && ret->bytes;
}

pid_t query_fork(const struct query *query, double seconds, unsigned gap_us, int *ret_fd)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		struct answers answers;
		bool asked = query_run(query, seconds, gap_us, &answers);

		_exit(asked && write(ends[1], &answers, sizeof(answers)) == sizeof(answers) ? 0 : 1);
	}
	(void)close(ends[1]);
	*ret_fd = ends[0];
	return pid;
}

bool query_join(pid_t pid, int fd, struct answers *ret)
{
	bool good = read(fd, ret, sizeof(*ret)) == sizeof(*ret);

	(void)close(fd);
	(void)waitpid(pid, NULL, 0);
	return good;
}
