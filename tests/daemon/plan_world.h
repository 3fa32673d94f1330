/* SPDX-License-Identifier: MIT */
/* A world for plans to be loaded in: one text in memory, or real files; a small environment; programs and users of which
 * all are there whose names do not begin with "missing"; and where effd is not root, a hard limit of 4096 descriptors. */
#ifndef TESTS_PLAN_WORLD_H
#define TESTS_PLAN_WORLD_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <check.h>

#include "base/text.h"
#include "plan/diag.h"

struct plan_world {
	struct plan_source source;
	const char *text;     /* what is at "/tree/effd.yaml"; NULL: real files */
	const char *env_text; /* what is at "/tree/env"; NULL: no such file */
	struct diags *diags;
	struct plan *plan;
	int result;
};

static inline int plan_world__give(const char *text, size_t size, char **ret_bytes, size_t *ret_size)
{
	char *bytes = malloc(size + 1);

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, text, size);
	bytes[size] = '\0';
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

static inline int plan_world__file(const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL;
	struct stat st;
	int r = -ENOENT;

	if (!file)
		return -ENOENT;
	if (fstat(fileno(file), &st) < 0 || (size_t)st.st_size > limit)
		r = -EFBIG;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else
		bytes = malloc((size_t)st.st_size + 1);
	if (bytes) {
		*ret_size = fread(bytes, 1, (size_t)st.st_size, file);
		bytes[*ret_size] = '\0';
		*ret_bytes = bytes;
		r = 0;
	}
	(void)fclose(file);
	return r;
}

static inline int plan_world__read(
	void *context, const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	const struct plan_world *world = context;

	if (!world->text)
		return plan_world__file(path, limit, ret_bytes, ret_size);
	if (strcmp(path, "/tree/effd.yaml") == 0)
		return strlen(world->text) > limit
			? -EFBIG
			: plan_world__give(world->text, strlen(world->text), ret_bytes, ret_size);
	if (strcmp(path, "/tree/env") == 0 && world->env_text)
		return plan_world__give(
			world->env_text, strlen(world->env_text), ret_bytes, ret_size);
	return strcmp(path, "/tree/mine") == 0 ? -EPERM : -ENOENT;
}

static inline int plan_world__is_yaml(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

static inline int plan_world__list(void *context, const char *path, char ***ret_names)
{
	const struct plan_world *world = context;
	struct dirent **entries;
	char **names;
	int n = world->text ? -1 : scandir(path, &entries, plan_world__is_yaml, alphasort);

	if (n < 0)
		return world->text ? -ENOTDIR : -errno;
	names = calloc((size_t)n + 1, sizeof(*names));
	for (int i = 0; i < n; i++) {
		if (names)
			names[i] = strdup(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	*ret_names = names;
	return names ? 0 : -ENOMEM;
}

static inline bool plan_world__executable(void *context, const char *path, const char *search)
{
	const char *slash = strrchr(path, '/');

	(void)context;
	(void)search;
	return strncmp(slash ? slash + 1 : path, "missing", 7) != 0;
}

static inline bool plan_world__folder(void *context, const char *path)
{
	(void)context;
	return !strstr(path, "missing");
}

static inline bool plan_world__open_to_others(void *context, const char *path)
{
	(void)context;
	return strstr(path, "open") != NULL;
}

static inline bool plan_world__who(void *context, const char *name)
{
	(void)context;
	return strncmp(name, "missing", 7) != 0;
}

static const char *const plan_world__environment[] = {"PATH=/usr/bin:/bin", "HOME=/root",
	"LANG=C", "LC_TIME=C", "PORT=8080", "EMPTY=", "DOLLARS=$$ ${PORT} a b",
	"NOTIFY_SOCKET=/run/notify", NULL};

static inline void plan_world_init(struct plan_world *world)
{
	*world = (struct plan_world){.source = {.read = plan_world__read,
					     .list = plan_world__list,
					     .executable = plan_world__executable,
					     .folder = plan_world__folder,
					     .open_to_others = plan_world__open_to_others,
					     .user = plan_world__who,
					     .group = plan_world__who,
					     .zone = plan_world__who,
					     .environment = plan_world__environment,
					     .privileged = true}};
	world->source.context = world;
	for (int i = 0; i < TERMS_N_LIMITS; i++)
		world->source.rights.hard[i] = i == RLIMIT_NOFILE ? 4096 : TERMS_INFINITY;
	world->source.rights.hard[RLIMIT_NICE] = world->source.rights.hard[RLIMIT_RTPRIO] = 0;
	world->diags = diags_new();
	ck_assert_ptr_nonnull(world->diags);
}

static inline void plan_world_done(struct plan_world *world)
{
	plan_unref(world->plan);
	diags_free(world->diags);
}

/* Load a real file or folder. */
static inline void plan_world_load(struct plan_world *world, const char *path)
{
	world->result = plan_load(path, &world->source, &world->plan, world->diags);
}

/* Load a text as /tree/effd.yaml. */
static inline struct plan *plan_world_text(struct plan_world *world, const char *text)
{
	plan_world_init(world);
	world->text = text;
	plan_world_load(world, "/tree/effd.yaml");
	return world->plan;
}

/* Load a text that must be good, without so much as a warning. */
static inline struct plan *plan_world_good(struct plan_world *world, const char *text)
{
	(void)plan_world_text(world, text);
	if (diags_count(world->diags))
		diags_print(world->diags, stderr);
	ck_assert_int_eq(world->result, 0);
	ck_assert_uint_eq(diags_count(world->diags), 0);
	return world->plan;
}

/* The diagnostics, one a line: `[FILE:]LINE:COL: error[E204]: text`, and `help: …` after it; the file only where it is
 * not `path`. The caller ends the text. */
static inline struct text plan_world_report(const struct plan_world *world, const char *path)
{
	struct text report = {0};

	for (uint32_t i = 0; i < diags_count(world->diags); i++) {
		const struct diag *diag = diags_at(world->diags, i);
		const char *slash = strrchr(diag->at.file, '/');

		if (strcmp(diag->at.file, path) != 0)
			text_printf(&report, "%s:", slash ? slash + 1 : diag->at.file);
		text_printf(&report, "%u:%u: %s[%s]: %s\n", diag->at.line, diag->at.column,
			diag->is_error ? "error" : "warning", diag->code, diag->message);
		if (diag->help)
			text_printf(&report, "help: %s\n", diag->help);
	}
	return report;
}

#endif
