/* SPDX-License-Identifier: MIT */
/* Files of systemd's: services become units, timers the schedules of theirs, sockets what starts them. */
#include <string.h>

#include "effctl/import/systemd.h"

void import_read_systemd(struct import *im, const char *bytes, size_t size)
{
	const struct section *last = im->last_section;

	if (!ini_read_systemd(im, bytes, size))
		return;
	im->line = 0;
	if (im->last_section == last)
		refused(im,
			size ? "there is no section in it"
			     : "it is masked: an empty file, or a link to /dev/null, is what nobody may start");
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && !strcmp(name + n - k, suffix);
}

static struct systemd_unit *unit_of(struct systemd *s, const struct section *section)
{
	struct import *im = s->im;
	struct systemd_unit *unit = arena_alloc(im->arena, sizeof(*unit));
	const char *slash = strrchr(section->file, '/');
	const char *name = slash ? slash + 1 : section->file;
	const char *dot = strrchr(name, '.');
	const char *at = strchr(name, '@');
	void **named;

	if (!unit) {
		im->failed = true;
		return NULL;
	}
	unit->name = name;
	unit->first = section;
	unit->stem = dot ? im_strndup(im, name, (size_t)(dot - name)) : name;
	unit->prefix = at ? im_strndup(im, name, (size_t)(at - name)) : unit->stem;
	unit->instance = at && dot && dot > at ? im_strndup(im, at + 1, (size_t)(dot - at) - 1)
					       : NULL;
	if (s->last)
		s->last->next = unit;
	else
		s->units = unit;
	s->last = unit;
	named = table_at(&s->names, NULL, name);
	if (named)
		*named = unit;
	else
		im->failed = true;
	return unit;
}

static void look_at(struct systemd *s, struct systemd_unit *unit)
{
	s->unit = unit;
	s->im->file = unit->first->file;
	s->im->line = 0;
	s->im->unit = unit->stem;
	s->im->setting = NULL;
}

static void service_make(struct systemd *s)
{
	struct systemd_unit *unit = s->unit;
	struct import *im = s->im;

	unit->item = item_new(im, ITEM_MAP, NULL);
	if (!unit->item)
		return;
	if (unit->instance && !*unit->instance) {
		refused(im, "it is a template: copy it to %s@NAME.service, and import that",
			unit->prefix);
		unit->item = NULL;
		return;
	}
	systemd_service(s);
	if (im->failed || !unit->item || !exec_make(s)) {
		unit->item = NULL;
		return;
	}
	im->line = 0;
	im->setting = NULL;
	unit->item->key = unit_name(im, im->units, unit->stem);
	item_put(im, im->units, unit->item);
	im->n_units++;
}

/* What nobody starts at boot, and no timer: the first who comes, or somebody by hand. */
static void wish_settle(struct systemd *s)
{
	if (s->unit->is_wanted || s->unit->by_timer)
		return;
	if (s->unit->by_socket) {
		item_set(s->im, s->unit->item, "activate", "on-demand");
		return;
	}
	item_set(s->im, s->unit->item, "activate", "manual");
	assumed(s->im, "nothing wants it at boot: it is started by hand, or when another needs it");
}

void systemd_clean(struct import *im, struct item *unit)
{
	static const char *const signals[] = {"SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE", NULL};

	item_add_plain(im, item_list(im, unit, "success_exit"), "0");
	item_add_words(im, unit, "success_exit", signals);
}

static void defaults_make(struct import *im)
{
	item_set(im, im->defaults, "restart.policy", "no");
	item_set(im, im->defaults, "stop.timeout", "1m30s");
	item_set(im, im->defaults, "working_dir", "/");
	systemd_clean(im, im->defaults);
}

void import_end_systemd(struct import *im)
{
	struct systemd s = {.im = im};
	const char *file = NULL;

	for (const struct section *section = im->sections; section && !im->failed;
		section = section->next) {
		if (section->file != file)
			(void)unit_of(&s, section);
		file = section->file;
	}
	defaults_make(im);
	for (struct systemd_unit *unit = s.units; unit && !im->failed; unit = unit->next) {
		look_at(&s, unit);
		if (ends_in(unit->name, ".service"))
			service_make(&s);
		else if (!ends_in(unit->name, ".timer") && !ends_in(unit->name, ".socket"))
			refused(im, "only services, timers and sockets have an equal, not `%s`",
				unit->name);
	}
	for (struct systemd_unit *unit = s.units; unit && !im->failed; unit = unit->next) {
		look_at(&s, unit);
		if (ends_in(unit->name, ".timer"))
			systemd_timer(&s);
		else if (ends_in(unit->name, ".socket"))
			systemd_socket(&s);
	}
	for (struct systemd_unit *unit = s.units; unit && !im->failed; unit = unit->next) {
		look_at(&s, unit);
		if (!unit->item)
			continue;
		systemd_needs(&s);
		look_at(&s, unit);
		wish_settle(&s);
	}
	table_done(&s.names);
}
