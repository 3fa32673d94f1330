/* SPDX-License-Identifier: MIT */
/* A world with one unit that writes to /log/web, and what is in its files. */
#ifndef TESTS_DAEMON_LOG_WORLD_H
#define TESTS_DAEMON_LOG_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

static inline const char *log_file(struct world *w, const char *path)
{
	const char *text = os_fake_file(w->fake, path);

	return text ? text : "(none)";
}

/* A unit that writes to /log/web, and is up. */
static inline struct world *log_world(const char *log)
{
	char tree[512];
	struct world *w;

	(void)snprintf(tree, sizeof(tree),
		"web: {command: web, log: {stdout: {file: /log/web}, %s}}", log);
	w = world_new(tree);
	world_run_for(w, EFF_S(1));
	return w;
}

static inline void log_print(struct world *w, const char *text)
{
	os_fake_print(w->fake, "web", OS_STDOUT, text);
	world_run_for(w, EFF_MS(10));
}

/* A line of `size` bytes with its end. */
static inline void log_line(struct world *w, int of, size_t size)
{
	char *line = calloc(1, size + 1);

	memset(line, of, size - 1);
	line[size - 1] = '\n';
	log_print(w, line);
	free(line);
}

/* "aaa\nbb\n" as "a4 b3". */
static inline const char *log_shape(struct world *w, const char *path)
{
	static char texts[4][256];
	static unsigned turn;
	char *text = texts[turn++ % 4];
	const char *at = os_fake_file(w->fake, path);
	int len = 0;

	if (!at)
		return "(none)";
	text[0] = '\0';
	while (*at) {
		const char *end = strchr(at, '\n');
		size_t n = end ? (size_t)(end + 1 - at) : strlen(at);

		len += snprintf(text + len, sizeof(texts[0]) - (size_t)len, "%s%c%zu%s",
			len ? " " : "", *at, n, end ? "" : "…");
		at += n;
	}
	return text;
}

#endif
