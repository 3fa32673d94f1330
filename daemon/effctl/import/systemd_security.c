/* SPDX-License-Identifier: MIT */
/* What a service is kept from. */
#include <string.h>

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
