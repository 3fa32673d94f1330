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
