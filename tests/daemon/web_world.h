/* SPDX-License-Identifier: MIT */
/* A world with a built-in fiber that answers HTTP. The tree runs in virtual time, the socket is a real one. */
#ifndef TESTS_DAEMON_WEB_WORLD_H
#define TESTS_DAEMON_WEB_WORLD_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "control/web.h"
#include "fake/world.h"
#include "folder.h"

enum { TURNS_MAX = 2000, ANSWER_MAX = 1 << 22 };

static char dir[32], path[64];
static char *answer; /* the last one */

static inline void place_make(void)
{
	(void)test_folder(dir, sizeof(dir));
	(void)snprintf(path, sizeof(path), "%s/web.sock", dir);
	answer = malloc(ANSWER_MAX);
	ck_assert_ptr_nonnull(answer);
}

static inline void place_remove(void)
{
	free(answer);
	ck_assert_int_lt(access(path, F_OK), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}

static inline int entry_of(const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason)
{
	(void)ret_reason;
	*ret_entry = web_fiber(spec->builtin);
	return *ret_entry ? 0 : -ENOENT;
}

/* `builtin` as the unit `door`, before the other units. Good until the next. */
static inline const char *with_door(const char *builtin, const char *units)
{
	static struct text tree;

	text_done(&tree);
	tree = (struct text){0};
	text_printf(&tree, "door: {fiber: %s, type: notify, with: {listen: \"unix:%s\"}}\n%s",
		builtin, path, units);
	return tree.bytes;
}

static inline struct world *world_with(const char *builtin, const char *units)
{
	struct world *w = world_new(with_door(builtin, units));

	w->tree->world.fiber_entry = entry_of;
	return w;
}

static inline struct world *world_up(const char *builtin, const char *units)
{
	struct world *w = world_with(builtin, units);

	world_run_for(w, EFF_MS(100));
	return w;
}

static inline int client_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)strcpy(address.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void client_say(int fd, const char *bytes, size_t n)
{
	ck_assert_int_eq(send(fd, bytes, n, MSG_NOSIGNAL), (ssize_t)n);
}

/* All that comes until it is closed, without time passing; false: it stays open. */
static inline bool client_hear(struct world *w, int fd)
{
	size_t len = 0;
	bool ended = false;

	for (int i = 0; i < TURNS_MAX && !ended; i++) {
		ssize_t n = recv(fd, answer + len, ANSWER_MAX - 1 - len, MSG_DONTWAIT);

		if (n > 0)
			len += (size_t)n;
		else
			ended = n == 0 || errno != EAGAIN;
		if (n < 0 && !ended)
			world_run_for(w, 0);
	}
	answer[len] = '\0';
	return ended;
}

static inline const char *asked(struct world *w, const char *request)
{
	int fd = client_open();

	client_say(fd, request, strlen(request));
	ck_assert(client_hear(w, fd));
	(void)close(fd);
	world_run_for(w, 0);
	return answer;
}

static inline const char *body(void)
{
	const char *end = strstr(answer, "\r\n\r\n");

	ck_assert_ptr_nonnull(end);
	return end + 4;
}

static inline int got(struct world *w, const char *page)
{
	char request[512];

	(void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", page);
	(void)asked(w, request);
	ck_assert_int_eq(strncmp(answer, "HTTP/1.1 ", 9), 0);
	return atoi(answer + 9);
}

#endif
