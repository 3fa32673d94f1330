/* SPDX-License-Identifier: MIT */
/* What the processes of one run have besides themselves: a view of the files, and folders below /run, which are to go when
 * the run is over. Where two runs have the same folder, or one within the other's, it goes with the last of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/auto.h"
#include "base/trust.h"
#include "os/internal.h"

/* What the thread works on: nothing of it is anybody else's. */
struct clearing {
	struct arena *arena;
	const char *place;
	char **names; /* cut to pieces on the way; NULL: it stays */
	size_t n;
	int error; /* of the first that was not removed; -errno */
	size_t failed;
};

/* ── on the thread ── */

static int clear(const char *place, char *name)
{
	int r = geteuid() == 0 ? trust_folder(place) : 0;
	auto_close int fd = r < 0 ? -1 : open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *slash;

	if (fd < 0)
		return r < 0 ? r : -errno;
	for (r = os_folder_trust(fd); r == 0 && (slash = strchr(name, '/')); name = slash + 1) {
		int next;

		*slash = '\0';
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return errno == ENOENT ? 0 : -errno;
		(void)close(fd);
		fd = next;
		r = os_folder_trust(fd);
	}
	return r < 0 ? r : os_folder_remove(fd, name);
}

static void clear_all(void *arg)
{
	struct clearing *c = arg;

	for (size_t i = 0; i < c->n; i++) {
		int r = c->names[i] ? clear(c->place, c->names[i]) : 0;

		if (r < 0 && c->error == 0) {
			c->error = r;
			c->failed = i;
		}
	}
}

/* ── on the loop ── */

static void clearing_free(void *arg)
{
	struct clearing *c = arg;

	if (c)
		arena_free(c->arena);
}

static bool is_or_has(const char *name, const char *other)
{
	size_t len = strlen(name);

	return strncmp(name, other, len) == 0 && (other[len] == '\0' || other[len] == '/');
}

static bool is_held(const struct os_linux *os, const char *name)
{
	for (const struct eff_list *l = os->views.next; l != &os->views; l = l->next) {
		const struct os_view *view = eff_container(l, struct os_view, link);

		for (size_t i = 0; view->runtime && view->runtime[i]; i++)
			if (is_or_has(name, view->runtime[i]))
				return true;
	}
	return false;
}

/* Of a view that is in the list no more. NULL: no memory. */
static struct clearing *clearing_new(const struct os_view *view)
{
	struct arena *arena = arena_new();
	struct clearing *c = arena ? arena_alloc(arena, sizeof(*c)) : NULL;
	const char *place = view->os->places[OS_RUNTIME];
	size_t n = 0;

	while (view->runtime[n])
		n++;
	if (c) {
		*c = (struct clearing){.arena = arena,
			.place = arena_strdup(arena, place ? place : ""),
			.names = arena_alloc(arena, (n + 1) * sizeof(*c->names))};
		for (size_t i = 0; c->names && place && i < n; i++) {
			char *name = arena_strdup(arena, view->runtime[i]);

			c->names[c->n++] = name && !is_held(view->os, name) ? name : NULL;
		}
	}
	if (c && c->place && c->names)
		return c;
	arena_free(arena);
	return NULL;
}

static void runtime_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static bool runtime_copy(struct os_view *view, const char *const *names)
{
	size_t n = 0;

	while (names && names[n])
		n++;
	view->runtime = n ? alloc_new((n + 1) * sizeof(*view->runtime)) : NULL;
	for (size_t i = 0; view->runtime && i < n; i++) {
		view->runtime[i] = alloc_text(names[i]);
		if (!view->runtime[i])
			return false;
	}
	return view->runtime || n == 0;
}

int os_view_hold(struct os_linux *os, const struct os_spawn *spawn)
{
	const char *const *names = spawn->directories[OS_RUNTIME];
	struct os_view *view;

	if (!spawn->view || *spawn->view)
		return 0;
	if (!(names && *names) && !spawn->private_tmp && !spawn->read_only)
		return 0;
	view = alloc_new(sizeof(*view));
	if (!view)
		return -ENOMEM;
	view->os = os;
	view->fd = -1;
	if (!runtime_copy(view, names)) {
		runtime_free(view->runtime);
		free(view);
		return -ENOMEM;
	}
	eff_list_append(&os->views, &view->link);
	*spawn->view = view;
	return 0;
}

/* What could not be removed is told by its name. */
static int folders_clear(const struct os_view *view, char *ret_what, size_t size)
{
	struct clearing *c = clearing_new(view);
	int r = c ? eff_blocking(clear_all, c, clearing_free) : -ENOMEM;

	(void)snprintf(ret_what, size, "%s/%s", view->os->places[OS_RUNTIME],
		view->runtime[c && r >= 0 ? c->failed : 0]);
	if (r == -ECANCELED || r == -ETIMEDOUT)
		return r;
	if (r >= 0)
		r = c->error;
	clearing_free(c);
	return r;
}

int linux_close_view(struct os_view *view, char *ret_what, size_t size)
{
	int r = 0;

	if (!view)
		return 0;
	if (view->fd >= 0)
		(void)close(view->fd);
	eff_list_remove(&view->link);
	if (view->runtime)
		r = folders_clear(view, ret_what, size);
	runtime_free(view->runtime);
	free(view);
	return r;
}
