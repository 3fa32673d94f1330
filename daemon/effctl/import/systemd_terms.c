/* SPDX-License-Identifier: MIT */
/* The terms of a service: its groups, its rights, its processors and how it is scheduled, and the folders that are made for it. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/terms.h"
#include "effctl/import/systemd.h"

#define FOLDER_MOST 255 /* bytes */

/* The words of a value; none when there are none, or when that was said. */
static const char **words_of_value(struct systemd *s, const char *value)
{
	static const char *none[] = {NULL};
	const char *filled = systemd_filled(s, value);
	const char **words = filled ? systemd_words(s->im, filled) : NULL;

	if (filled && !words && *filled)
		no_equal(s->im, "a quote has no end");
	return words ? words : none;
}

static void item_take(struct systemd *s, const struct systemd_row *row, const char *text)
{
	item_add(s->im, item_list(s->im, s->unit->item, row->path), literal(s->im, text));
}

void systemd_names(struct systemd *s, const char *value, const struct systemd_row *row)
{
	for (const char **words = words_of_value(s, value); *words && !s->im->failed; words++)
		item_take(s, row, *words);
}

static const char *capability_of(const char *word)
{
	const char *name = strncasecmp(word, "CAP_", 4) == 0 ? word + 4 : "";

	for (unsigned n = 0; terms_capability_name(n); n++)
		if (strcasecmp(terms_capability_name(n), name) == 0)
			return terms_capability_name(n);
	return NULL;
}

void systemd_capabilities(struct systemd *s, const char *value, const struct systemd_row *row)
{
	if (*value == '~') {
		no_equal(s->im, "all but these: `security` has a list of those that it may have");
		return;
	}
	for (const char **words = words_of_value(s, value); *words && !s->im->failed; words++) {
		const char *name = capability_of(*words);

		if (name)
			item_take(s, row, name);
		else
			no_equal(s->im, "`%s` is no capability that is known here", *words);
	}
}

/* ── processors and schedulers ── */

/* "3", "0-2". */
static bool is_range(const char *text)
{
	size_t first = strspn(text, "0123456789");
	const char *rest = text + first + (text[first] == '-');
	size_t last = text[first] == '-' ? strspn(rest, "0123456789") : 0;
	long low = strtol(text, NULL, 10), high = last ? strtol(rest, NULL, 10) : low;

	return first > 0 && first < 5 && last < 5 && !rest[last] && (last || !text[first]) &&
		low <= high && high < TERMS_N_CPUS;
}

void systemd_cpus(struct systemd *s, const char *value, const struct systemd_row *row)
{
	char *list = im_strndup(s->im, value, strlen(value)), *rest = NULL;

	for (char *word = list ? strtok_r(list, ", \t", &rest) : NULL; word && !s->im->failed;
		word = strtok_r(NULL, ", \t", &rest)) {
		if (is_range(word))
			item_take(s, row, word);
		else
			no_equal(s->im, "`%s` is no processor, nor a range of them", word);
	}
}

/* A word that effd has too; classes of input and output may be numbers. */
void systemd_word(struct systemd *s, const char *value, const struct systemd_row *row)
{
	static const char *const words[] = {"none", "realtime", "best-effort", "idle", "other",
		"batch", "fifo", "rr", NULL};
	bool is_class = strstr(row->path, "ionice") != NULL;
	int i = is_class ? 0 : 3, end = is_class ? 4 : 8;

	if (is_class && *value >= '0' && *value <= '3' && !value[1])
		value = words[*value - '0'];
	while (i < end && strcmp(words[i], value) != 0)
		i++;
	if (i < end)
		item_set(s->im, s->unit->item, row->path, value);
	else
		no_equal(s->im, "`%s` is nothing that `%s` takes", value, row->path);
}

static bool says(const struct import *im, const struct item *map, const char *key, const char *text)
{
	const struct item *item = item_find(im, map, key);

	return item && (!text || !strcmp(item->text, text));
}

/* A level or a priority is for some of them alone; systemd has one for those where none is given. */
void systemd_priorities_settle(struct systemd *s)
{
	struct import *im = s->im;
	struct item *priority = item_find(im, s->unit->item, "priority");
	struct item *ionice = item_find(im, priority, "ionice"),
		    *sched = item_find(im, priority, "sched");
	bool real_time = says(im, sched, "policy", "fifo") || says(im, sched, "policy", "rr");

	if (ionice && !says(im, ionice, "class", NULL))
		item_set(im, ionice, "class", "best-effort");
	if (says(im, ionice, "class", "idle") || says(im, ionice, "class", "none"))
		item_drop(im, ionice, "level");
	if (real_time && !says(im, sched, "priority", NULL))
		item_set_plain(im, sched, "priority", "1");
	if (sched && !real_time)
		item_drop(im, sched, "priority");
	if (sched && !sched->n)
		item_drop(im, priority, "sched");
	if (priority && !priority->n)
		item_drop(im, s->unit->item, "priority");
}

/* ── folders ── */

/* Names, and all that they lie in. */
struct folders {
	struct import *im;
	const struct item *list; /* the scope of names; one behind it: of what they lie in */
};

static void folder_mark(struct folders *f, const void *scope, const char *name)
{
	void **at = table_at(&f->im->table, scope, name);

	if (at)
		*at = f->im;
	else
		f->im->failed = true;
}

/* Whether it may stand beside those before: effd makes none that lies in another. */
static bool folder_fits(struct folders *f, const char *name)
{
	const void *within = (const char *)f->list + 1;

	if (table_get(&f->im->table, f->list, name) || table_get(&f->im->table, within, name))
		return false;
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *above = im_strndup(f->im, name, (size_t)(slash - name));

		if (above && table_get(&f->im->table, f->list, above))
			return false;
		if (above)
			folder_mark(f, within, above);
	}
	folder_mark(f, f->list, name);
	return !f->im->failed;
}

/* Below where it begins: no part of it is empty, `.` or `..`. */
static bool is_below(const char *path)
{
	size_t len;

	for (;; path += len + 1) {
		len = strcspn(path, "/");
		if (!len || (path[0] == '.' && (len == 1 || (len == 2 && path[1] == '.'))))
			return false;
		if (!path[len])
			return true;
	}
}

void systemd_folders(struct systemd *s, const char *value, const struct systemd_row *row)
{
	struct folders f = {s->im, item_list(s->im, s->unit->item, row->path)};

	for (const char **words = words_of_value(s, value); *words && !s->im->failed && f.list;
		words++) {
		if (strlen(*words) > FOLDER_MOST || strchr(*words, ':') || !is_below(*words))
			no_equal(s->im, "`%s` is no folder that effd makes", *words);
		else if (folder_fits(&f, *words))
			item_take(s, row, *words);
		else
			no_equal(s->im,
				"`%s` lies in another, or another in it: only one of them is made",
				*words);
	}
	assumed(s->im, "no variable tells the program where they are");
}

/* One mode is for all of them. */
void systemd_folder_mode(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const struct item *map = item_find(s->im, s->unit->item, "directories");
	const struct item *before = item_find(s->im, map, "mode");
	size_t n = strlen(value);
	const char *mode = n && n < 5 && strspn(value, "01234567") == n
		? im_printf(s->im, "%04lo", strtol(value, NULL, 8) & 0777)
		: NULL;

	if (!mode && !s->im->failed)
		no_equal(s->im, "`%s` is no octal number", value);
	else if (before && mode && strcmp(before->text, mode) != 0)
		no_equal(s->im, "one mode is for all folders of a unit: `%s`", before->text);
	else
		item_set(s->im, s->unit->item, row->path, mode);
}
