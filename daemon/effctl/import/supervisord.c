/* SPDX-License-Identifier: MIT */
/* supervisord's files. A program becomes a unit, a group a supervisor of its programs, one with several processes has
 * replicas, or is a supervisor of those if they differ. What supervisord does where nothing is said stands in `defaults`. */
#include <stdlib.h>
#include <string.h>

#include "effctl/import/ini.h"
#include "effctl/import/supervisord.h"

/* The files that an [include] names. Its own patterns are from the folder of the file. */
static void include_take(struct import *im, const struct section *section)
{
	const struct setting *files = setting_find(section, "files");
	const char **patterns = files ? words_of(im, files->value) : NULL;

	im->file = section->file;
	im->line = files ? files->line : section->line;
	if (files && (!patterns || !im->include))
		refused(im, "`include` is not followed here: name the files, too");
	for (; patterns && *patterns && im->include && !im->failed; patterns++) {
		im->include(im, percent(im, *patterns, &(struct percents){.file = section->file}));
		im->file = section->file;
		im->line = files->line;
	}
}

void import_read_supervisord(struct import *im, const char *bytes, size_t size)
{
	const struct section *before = im->last_section;
	const struct section *s, *last;

	if (!ini_read_python(im, bytes, size))
		return;
	/* Those of the files that are included come behind. */
	last = im->last_section;
	for (s = before ? before->next : im->sections; s; s = s == last ? NULL : s->next) {
		if (!strcmp(s->name, "include"))
			include_take(im, s);
	}
}

/* ── what is to become of each section ── */

struct program {
	const struct section *section;
	const char *name;  /* behind `program:` */
	const char *group; /* NULL: none */
	long priority;
	uint32_t order;
};

struct programs {
	struct import *im;
	struct program *items;
	uint32_t n;
	struct table groups; /* (NULL, program): its group's name */
};

static long priority_of(const struct section *section)
{
	const struct setting *priority = setting_find(section, "priority");

	return priority ? strtol(priority->value, NULL, 10) : 999;
}

static int by_priority(const void *a, const void *b)
{
	const struct program *one = a;
	const struct program *other = b;

	if (one->priority != other->priority)
		return one->priority < other->priority ? -1 : 1;
	return one->order < other->order ? -1 : one->order > other->order;
}

static const char *behind(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) ? NULL : name + len;
}

/* A section of the same name goes on with the first, as configparser has it. */
static bool is_joined(struct import *im, struct section *section)
{
	void **at = table_at(&im->table, &im->sections, section->name);
	struct section *first = at ? *at : NULL;

	if (!at) {
		im->failed = true;
		return true;
	}
	if (!first) {
		*at = section;
		return false;
	}
	if (section->first && first->last)
		first->last->next = section->first;
	else if (section->first)
		first->first = section->first;
	if (section->last)
		first->last = section->last;
	return true;
}

static void group_note(struct programs *all, const struct section *section, const char *group)
{
	struct import *im = all->im;
	const struct setting *programs = setting_find(section, "programs");
	char *list = programs ? im_strndup(im, programs->value, strlen(programs->value)) : NULL;
	char *rest = NULL;

	im->file = section->file;
	im->unit = group;
	im->line = programs ? programs->line : section->line;
	if (!programs)
		refused(im, "a group without `programs`");
	for (char *name = list ? strtok_r(list, ", \t\n", &rest) : NULL; name;
		name = strtok_r(NULL, ", \t\n", &rest)) {
		void **at = table_at(&all->groups, NULL, name);

		if (at)
			*at = (void *)group;
		else
			im->failed = true;
	}
	im->unit = NULL;
}

static void program_note(struct programs *all, const struct section *section, const char *name)
{
	all->items[all->n] = (struct program){section, name, NULL, priority_of(section), all->n};
	all->n++;
}

static void elsewhere_note(struct import *im, const struct section *section)
{
	static const struct taker own[] = {
		{"unix_http_server", NULL, "effd has a control socket: `daemon: {socket: …}`"},
		{"inet_http_server", NULL, "effd is asked over its unix socket alone"},
		{"supervisorctl", NULL,
			"effctl finds effd's socket by itself, by --socket or EFFD_SOCKET"},
		{NULL, NULL, NULL}};
	const struct taker *taker = taker_find(own, section->name);

	im->file = section->file;
	im->line = section->line;
	im->setting = section->name;
	if (behind(section->name, "eventlistener:"))
		refused(im, "an event listener speaks with supervisord: `effctl events -f --json` tells as much");
	else if (behind(section->name, "fcgi-program:"))
		refused(im, "it needs a socket as its standard input, and effd hands none over there");
	else if (behind(section->name, "rpcinterface:"))
		no_equal(im, "what may be asked of effd is in effd-control(7)");
	else if (taker)
		no_equal(im, "%s", taker->path);
	else if (strcmp(section->name, "include") != 0 && strcmp(section->name, "supervisord") != 0)
		no_equal(im, "no section of supervisord's that is known here");
	im->setting = NULL;
}

static void sections_sort(struct programs *all)
{
	struct import *im = all->im;

	for (struct section *s = im->sections; s && !im->failed; s = s->next) {
		const char *group = behind(s->name, "group:");
		const char *program = behind(s->name, "program:");

		if (is_joined(im, s))
			continue;
		if (group)
			group_note(all, s, group);
		else if (program)
			program_note(all, s, program);
		else
			elsewhere_note(im, s);
	}
	for (uint32_t i = 0; i < all->n; i++)
		all->items[i].group = table_get(&all->groups, NULL, all->items[i].name);
	if (all->n)
		qsort(all->items, all->n, sizeof(*all->items), by_priority);
}

/* ── what supervisord says of itself, and means without saying ── */

static void daemon_take(struct import *im, const struct section *section)
{
	static const struct taker own[] = {
		{"logfile", NULL, "effd's own log is its standard error, or the journal"},
		{"loglevel", NULL, "`daemon: {log_level: …}` has other words"},
		{"pidfile", NULL, "effd writes no pid file: `effctl ping` tells whether it runs"},
		{"nodaemon", NULL, "effd always stays in the foreground"},
		{"user", NULL, "effd keeps its user; units have `user`"},
		{"minfds", NULL, "effd takes as many descriptors as it may"},
		{"childlogdir", NULL, "`daemon: {log_dir: …}` is where log files go by default"},
		{"directory", NULL, "units have `working_dir`"}, {NULL, NULL, NULL}};

	im->file = section->file;
	for (const struct setting *s = section->first; s; s = s->next) {
		const struct taker *taker = taker_find(own, s->key);

		im->line = s->line;
		im->setting = s->key;
		if (!strcmp(s->key, "environment"))
			environment_take(im, im->defaults, s->value,
				&(struct percents){.file = im->file});
		else if (!strcmp(s->key, "umask"))
			umask_take(im, im->defaults, s->value);
		else
			no_equal(im, "%s", taker ? taker->path : "effd has no such setting");
	}
	im->setting = NULL;
}

static void defaults_make(struct import *im)
{
	item_set(im, im->defaults, "restart.policy", "on-failure");
	item_set_plain(im, im->defaults, "restart.max_restarts", "3");
	item_set(im, im->defaults, "restart.backoff.initial", "1s");
	item_set(im, im->defaults, "restart.backoff.reset_after", "1s");
	item_set(im, im->defaults, "stop.mode", "mixed");
	item_add(im, item_list(im, im->defaults, "env_inherit"), "*");
}

/* The mapping that a program's unit belongs into. */
static struct item *units_of(struct import *im, const char *group)
{
	struct item *unit;
	void **at;

	if (!group)
		return im->units;
	at = table_at(&im->table, &im->units, group);
	if (!at) {
		im->failed = true;
		return NULL;
	}
	if (!*at) {
		unit = item_new(im, ITEM_MAP, unit_name(im, im->units, group));
		item_put(im, im->units, unit);
		at = table_at(&im->table, &im->units, group);
		if (at)
			*at = item_map(im, unit, "units");
		im->n_units++;
	}
	return at ? *at : NULL;
}

void import_end_supervisord(struct import *im)
{
	struct programs all = {.im = im};
	uint32_t n = 1;

	for (const struct section *s = im->sections; s; s = s->next)
		n++;
	all.items = arena_alloc(im->arena, n * sizeof(*all.items));
	if (!all.items) {
		im->failed = true;
		return;
	}
	defaults_make(im);
	sections_sort(&all);
	for (const struct section *s = im->sections; s; s = s->next) {
		if (!strcmp(s->name, "supervisord") && !im->failed)
			daemon_take(im, s);
	}
	for (uint32_t i = 0; i < all.n && !im->failed; i++) {
		const struct program *p = &all.items[i];

		im->file = p->section->file;
		im->line = p->section->line;
		im->unit = p->name;
		program_take(im, units_of(im, p->group), p->section, p->name, p->group);
	}
	table_done(&all.groups);
}
