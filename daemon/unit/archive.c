/* SPDX-License-Identifier: MIT */
/* Files put aside become archives, one after the other for the whole tree, by a fiber that is there while there is
 * something to do. What it cannot do is said once until it can again, and tried again when the next file is put aside. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "unit/internal.h"

/* A path for which there may be something to do. */
struct archive_wish {
	struct archive_wish *next;
	char path[];
};

/* Where the wish for it is, or would be. */
static struct archive_wish **wish_find(struct archives *a, const char *path)
{
	struct archive_wish **at = &a->wishes;

	while (*at && strcmp((*at)->path, path) != 0)
		at = &(*at)->next;
	return at;
}

static void tell(struct unit_world *world, const char *path, int error)
{
	struct text words = {0};

	if (world->archives.told)
		return;
	world->archives.told = true;
	text_printf(&words, "cannot compress what was %s: %s", path,
		error == ENOENT ? "there is no gzip" : strerror(error));
	world->hooks->on_event(
		world->root, "log_not_compressed", words.bytes ? words.bytes : "out of memory");
	text_done(&words);
}

static eff_exit archives_make(void *arg)
{
	struct unit_world *world = arg;
	struct archives *a = &world->archives;
	int r = 0;

	while (r != -ECANCELED && a->wishes) {
		struct archive_wish *wish = a->wishes;

		r = world->os->ops->compress_log(world->os, wish->path);
		if (r == 1) {
			a->told = false;
			continue;
		}
		if (r < 0 && r != -ECANCELED)
			tell(world, wish->path, -r);
		a->wishes = wish->next;
		free(wish);
	}
	a->is_at_it = false;
	return eff_ok(NULL);
}

void archive_ask(struct unit_world *world, const char *path)
{
	struct archives *a = &world->archives;
	size_t len = strlen(path) + 1;
	struct archive_wish **at = wish_find(a, path), *wish = NULL;

	if (world->beside && !*at)
		wish = alloc_new(sizeof(*wish) + len);
	if (wish) {
		memcpy(wish->path, path, len);
		*at = wish;
	}
	/* One that was asked for before may have found no memory for a fiber. */
	if (world->beside && a->wishes && !a->is_at_it)
		a->is_at_it = eff_fork_in(world->beside, EFF(archives_make, world), NULL) == 0;
}

void archives_done(struct archives *a)
{
	for (struct archive_wish *wish = a->wishes, *next; wish; wish = next) {
		next = wish->next;
		free(wish);
	}
	a->wishes = NULL;
}
