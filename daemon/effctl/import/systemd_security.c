/* SPDX-License-Identifier: MIT */
/* What a service is kept from. */
#include <string.h>

#include "base/filter.h"
#include "effctl/import/systemd.h"

void systemd_true(struct systemd *s, const char *value, const struct systemd_row *row)
{
	if (truth(value) > 0)
		item_set_plain(s->im, s->unit->item, row->path, "true");
}

void systemd_private_tmp(struct systemd *s, const char *value, const struct systemd_row *row)
{
	if (truth(value) <= 0 && strcmp(value, "disconnected") != 0)
		return;
	item_set_plain(s->im, s->unit->item, row->path, "true");
	assumed(s->im, "its /tmp is in memory");
}

/* `-` before one that may be missing, `+` before one that is in the root directory, as all of effd's are. */
void systemd_read_only(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char *filled = systemd_filled(s, value);
	const char **words = filled ? systemd_words(s->im, filled) : NULL;

	if (filled && !words && *filled)
		no_equal(s->im, "a quote has no end");
	for (; words && *words && !s->im->failed; words++) {
		const char *path = *words + strspn(*words, "-+");
		bool may_be_missing = memchr(*words, '-', (size_t)(path - *words));

		if (*path == '/')
			item_add(s->im, item_list(s->im, s->unit->item, row->path),
				literal(s->im,
					im_printf(s->im, "%s%s", may_be_missing ? "?" : "", path)));
		else
			no_equal(s->im, "`%s` is no path", *words);
	}
}

/* A set that is known here, or a call; what becomes of one by its own is not. */
static const char *call_name(struct import *im, const char *word)
{
	size_t len = strcspn(word, ":");
	const char *name = im_strndup(im, word, len);

	if (!name)
		return NULL;
	if (!filter_knows(name)) {
		no_equal(im, "`%s` is no system call that is known here", name);
		return NULL;
	}
	if (word[len])
		assumed(im, "what becomes of `%s` is what becomes of the others", name);
	return name;
}

/* With a `~` they are those that it may not make. Of a service without any before, the kernel makes an end. */
void systemd_calls(struct systemd *s, const char *value, const struct systemd_row *row)
{
	bool denied = *value == '~';
	const char **words = systemd_words(s->im, value + denied);
	struct item *map = item_map(s->im, s->unit->item, row->path);
	struct item *list;

	if (map && !words) {
		item_drop(s->im, map, "allow");
		item_drop(s->im, map, "deny");
		return;
	}
	if (map && !denied && item_find(s->im, map, "deny") && !item_find(s->im, map, "allow")) {
		no_equal(s->im, "what is allowed after all: leave it out of `deny`");
		return;
	}
	list = map ? item_list(s->im, map, denied ? "deny" : "allow") : NULL;
	for (; list && *words && !s->im->failed; words++) {
		const char *name = call_name(s->im, *words);

		if (name)
			item_add(s->im, list, literal(s->im, name));
	}
	if (map && !item_find(s->im, map, "action"))
		item_set(s->im, map, "action", s->unit->call_action ? s->unit->call_action : "kill");
}

void systemd_call_error(struct systemd *s, const char *value, const struct systemd_row *row)
{
	bool same = !strcmp(value, "EPERM") || !strcmp(value, "ENOSYS") || !strcmp(value, "kill");
	struct item *map = item_find(s->im, s->unit->item, "security");

	if (!same)
		assumed(s->im, "`%s` is taken as EPERM", value);
	s->unit->call_action = same ? value : "EPERM";
	map = map ? item_find(s->im, map, "seccomp") : NULL;
	if (map)
		item_set(s->im, map, row->path, s->unit->call_action);
}
