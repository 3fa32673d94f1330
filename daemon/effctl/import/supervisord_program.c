/* SPDX-License-Identifier: MIT */
/* One `[program:x]`: each setting has a row, and a function that knows what it is here. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "effctl/import/ini.h"
#include "effctl/import/supervisord.h"

#define PROCESSES_MOST 1000 /* of one program */

/* What a taker needs beside the setting. */
struct making {
	struct percents with;
	bool no_start; /* startsecs=0 */
	bool is_all;   /* its processes are alike: one unit with replicas */
};

/* ── settings ── */

static struct making *making_of(struct import *im)
{
	return im->more;
}

static void as_text(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	const char *text = percent(im, value, &making_of(im)->with);

	if (text && *text)
		item_set(im, unit, taker->path, text);
}

static void as_seconds(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	const char *text = seconds(im, value);

	if (text)
		item_set(im, unit, taker->path, text);
	else
		no_equal(im, "`%s` is no number of seconds", value);
}

static void as_count(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	size_t n = strlen(value);

	if (n && n < 9 && strspn(value, "0123456789") == n)
		item_set_plain(
			im, unit, taker->path, im_printf(im, "%ld", strtol(value, NULL, 10)));
	else
		no_equal(im, "`%s` is no number", value);
}

static void as_signal(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	char buffer[16];
	int number = signal_parse(value);

	if (number < 0 && isdigit((unsigned char)*value) && strlen(value) < 3)
		number = atoi(value);
	if (number > 0 && number < 32)
		item_set(im, unit, taker->path, im_printf(im, "%s", signal_text(number, buffer)));
	else
		no_equal(im, "`%s` is no signal", value);
}

static void as_command(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	const char *text = percent(im, value, &making_of(im)->with);
	const char **words = text ? words_of(im, text) : NULL;

	if (words && words[0])
		item_add_words(im, unit, taker->path, words);
	else if (text)
		no_equal(im, words ? "it is empty" : "a quote has no end");
}

static void take_autostart(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	if (truth(value) < 0)
		no_equal(im, "`%s` is neither true nor false", value);
	else if (!truth(value))
		item_set(im, unit, taker->path, "manual");
}

static void take_autorestart(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	if (!strcasecmp(value, "unexpected"))
		item_set(im, unit, taker->path, "on-failure");
	else if (truth(value) < 0)
		no_equal(im, "`%s` is neither true, false nor unexpected", value);
	else
		item_set(im, unit, taker->path, truth(value) ? "always" : "no");
}

static void take_startsecs(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	const char *text = seconds(im, value);

	if (!text) {
		no_equal(im, "`%s` is no number of seconds", value);
	} else if (!strcmp(text, "0")) {
		making_of(im)->no_start = true;
		assumed(im, "an end at once is no failed start: no number of restarts is too many");
	} else {
		item_set(im, unit, taker->path, text);
	}
}

static void take_exitcodes(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	char *list = im_strndup(im, value, strlen(value));
	char *rest = NULL;

	for (char *code = list ? strtok_r(list, ", \t\n", &rest) : NULL; code;
		code = strtok_r(NULL, ", \t\n", &rest)) {
		if (strspn(code, "0123456789") == strlen(code) && strlen(code) < 4 && atoi(code) < 256)
			item_add_plain(im, item_list(im, unit, taker->path),
				im_printf(im, "%d", atoi(code)));
		else
			no_equal(im, "`%s` is no exit code", code);
	}
}

static void take_all_of_it(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	if (truth(value) < 0)
		no_equal(im, "`%s` is neither true nor false", value);
	else if (truth(value) && taker->path)
		item_set(im, unit, taker->path, "group");
}

static void take_log(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	const char *text = percent(im, value, &making_of(im)->with);

	if (!text || !*text || !strcasecmp(text, "AUTO") || !strcmp(text, "/dev/stdout") ||
		!strcmp(text, "/dev/fd/1"))
		return;
	if (!strcasecmp(text, "syslog"))
		item_set(im, unit, taker->path, "syslog");
	else if (plan_log_is_own_output(text))
		assumed(im, "it goes to effd's standard output, as all output does by default");
	else if (!strcasecmp(text, "NONE") || !strcmp(text, "/dev/null"))
		item_set(im, unit, taker->path, "ring");
	else
		item_set(im, unit, im_printf(im, "%s.file", taker->path), text);
}

/* Of supervisord's the output then goes to both; a file that was said before stays. */
static void take_syslog(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	const struct item *log = item_find(im, unit, "log");

	if (truth(value) < 0)
		no_equal(im, "`%s` is neither true nor false", value);
	if (truth(value) <= 0)
		return;
	if (item_find(im, log, strchr(taker->path, '.') + 1))
		no_equal(im, "output goes to one place, and the ring: it has a file");
	else
		item_set(im, unit, taker->path, "syslog");
}

static void take_size(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	size_t n = strspn(value, "0123456789");
	const char *suffix = n < 10 && n ? value + n : "?";
	const char *unit_text = !*suffix    ? "B"
		: !strcasecmp(suffix, "KB") ? "KiB"
		: !strcasecmp(suffix, "MB") ? "MiB"
		: !strcasecmp(suffix, "GB") ? "GiB"
					    : NULL;

	if (!unit_text)
		no_equal(im, "`%s` is no size", value);
	else if (strspn(value, "0") == n)
		return; /* Never: as it is without a word about it. */
	else
		item_set_value(im, unit, taker->path,
			im_printf(im, "%.*s%s", (int)n, value, unit_text));
}

void umask_take(struct import *im, struct item *unit, const char *value)
{
	size_t n = strlen(value);

	if (n && n < 5 && strspn(value, "01234567") == n)
		item_set(im, unit, "umask", im_printf(im, "%04lo", strtol(value, NULL, 8) & 0777));
	else
		no_equal(im, "`%s` is no octal number", value);
}

static void take_umask(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	(void)taker;
	umask_take(im, unit, value);
}

static void take_environment(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	(void)taker;
	environment_take(im, unit, value, &making_of(im)->with);
}

static void take_elsewhere(
	struct import *im, struct item *unit, const struct taker *taker, const char *value)
{
	/* Looked at before, or with the settings that it belongs to. */
	(void)im;
	(void)unit;
	(void)taker;
	(void)value;
}

static const struct taker takers[] = {{"command", as_command, "command"},
	{"process_name", take_elsewhere, NULL}, {"numprocs", take_elsewhere, NULL},
	{"numprocs_start", take_elsewhere, NULL}, {"priority", take_elsewhere, NULL},
	{"autostart", take_autostart, "activate"},
	{"startsecs", take_startsecs, "restart.backoff.reset_after"},
	{"startretries", as_count, "restart.max_restarts"},
	{"autorestart", take_autorestart, "restart.policy"},
	{"exitcodes", take_exitcodes, "success_exit"}, {"stopsignal", as_signal, "stop.signal"},
	{"stopwaitsecs", as_seconds, "stop.timeout"},
	{"stopasgroup", take_all_of_it, "stop.mode"}, {"killasgroup", take_all_of_it, NULL},
	{"user", as_text, "user"}, {"redirect_stderr", take_elsewhere, NULL},
	{"stdout_logfile", take_log, "log.stdout"}, {"stderr_logfile", take_log, "log.stderr"},
	{"stdout_logfile_maxbytes", take_size, "log.rotate.size"},
	{"stdout_logfile_backups", take_elsewhere, NULL},
	{"stderr_logfile_maxbytes", take_elsewhere, NULL},
	{"stderr_logfile_backups", take_elsewhere, NULL}, {"environment", take_environment, NULL},
	{"directory", as_text, "working_dir"}, {"umask", take_umask, NULL},
	{"stdout_capture_maxbytes", NULL, "effd has no process communication events"},
	{"stderr_capture_maxbytes", NULL, "effd has no process communication events"},
	{"stdout_events_enabled", NULL, "`effctl logs -f --json` follows the output"},
	{"stderr_events_enabled", NULL, "`effctl logs -f --json` follows the output"},
	{"stdout_syslog", take_syslog, "log.stdout"}, {"stderr_syslog", take_syslog, "log.stderr"},
	{"serverurl", NULL, "programs find effd's socket by EFFD_SOCKET"}, {NULL, NULL, NULL}};

/* ── the whole ── */

static void setting_take(struct import *im, struct item *unit, const struct setting *s)
{
	const struct taker *taker = taker_find(takers, s->key);

	im->line = s->line;
	im->setting = s->key;
	if (!taker)
		no_equal(im, "no setting of supervisord's that is known here");
	else if (!taker->take)
		no_equal(im, "%s", taker->path);
	else
		taker->take(im, unit, taker, s->value);
}

static void unit_settle(struct import *im, struct item *unit, const struct section *section)
{
	const struct setting *joined = setting_find(section, "redirect_stderr");
	const struct item *log = item_find(im, unit, "log");

	if (making_of(im)->no_start)
		item_set(im, unit, "restart.max_restarts", "infinity");
	/* Else supervisord would give it a file of its own. */
	if (joined && truth(joined->value) > 0)
		item_set(im, unit, "log.stderr", "stdout");
	else if (item_find(im, log, "stdout") && !item_find(im, log, "stderr"))
		item_set(im, unit, "log.stderr", "inherit");
}

/* One process of a program. `making` says which. */
static void process_take(struct import *im, struct item *units, const struct section *section,
	struct making *making)
{
	const struct setting *called = setting_find(section, "process_name");
	struct item *unit = item_new(im, ITEM_MAP, NULL);
	const char *name = making->with.program;

	im->more = making;
	for (const struct setting *s = section->first; s && !im->failed; s = s->next) {
		if (table_get(&im->table, section, s->key) == s)
			setting_take(im, unit, s);
	}
	im->line = section->line;
	im->setting = NULL;
	if (!unit || im->failed)
		return;
	if (!item_find(im, unit, "command")) {
		refused(im, "there is no `command` that effd could run");
		return;
	}
	unit_settle(im, unit, section);
	if (making->is_all)
		item_set_plain(im, unit, "replicas", im_printf(im, "%ld", making->with.of));
	else if (called && making->with.of > 1)
		name = percent(im, called->value, &making->with);
	unit->key = unit_name(im, units, name ? name : making->with.program);
	if (making->is_all)
		assumed(im, "its processes are `%s@1` to `%s@%ld` here", unit->key, unit->key,
			making->with.of);
	item_put(im, units, unit);
	im->n_units++;
}

static long processes_of(struct import *im, const struct section *section)
{
	const struct setting *number = table_get(&im->table, section, "numprocs");
	size_t size = 64;

	for (const struct setting *s = section->first; s; s = s->next)
		size += strlen(s->key) + strlen(s->value);
	if (!number)
		return 1;
	if (strspn(number->value, "0123456789") != strlen(number->value) ||
		strlen(number->value) > 4 || atoi(number->value) > PROCESSES_MOST ||
		im->made_bytes + size * (size_t)atoi(number->value) > MADE_MOST) {
		im->line = number->line;
		im->setting = "numprocs";
		refused(im, "`%s` processes are too many, or no number", number->value);
		return 0;
	}
	im->made_bytes += size * (size_t)atoi(number->value);
	return atoi(number->value);
}

void program_take(struct import *im, struct item *units, const struct section *section,
	const char *name, const char *group)
{
	const struct setting *from;
	struct making making = {.with = {section->file, name, group, 0, 1}};
	long n, first;

	for (const struct setting *s = section->first; s && !im->failed; s = s->next) {
		void **at = table_at(&im->table, section, s->key);

		if (at)
			*at = (void *)s;
		else
			im->failed = true;
	}
	n = im->failed ? 0 : processes_of(im, section);
	from = table_get(&im->table, section, "numprocs_start");
	first = from && strlen(from->value) < 6 ? strtol(from->value, NULL, 10) : 0;
	making.is_all = n > 1 && !percent_differs(im, section);
	if (n > 1 && !making.is_all) {
		struct item *all = item_new(im, ITEM_MAP, unit_name(im, units, name));

		item_put(im, units, all);
		units = item_map(im, all, "units");
		im->n_units++;
	}
	making.with.of = n;
	for (long i = 0; i < (making.is_all ? 1 : n) && !im->failed; i++) {
		making.with.number = first + i;
		making.no_start = false;
		im->quiet = i > 0;
		process_take(im, units, section, &making);
	}
	im->quiet = false;
}
