/* SPDX-License-Identifier: MIT */
/* `%(name)s` in supervisord's values, as Python fills them in; and its way of writing an environment. */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "effctl/import/supervisord.h"

static const char *folder_of(struct import *im, const char *file)
{
	const char *slash = strrchr(file, '/');

	if (*file != '/' && im->folder && slash)
		return im_printf(im, "%s/%.*s", im->folder, (int)(slash - file), file);
	if (!slash && im->folder)
		return im->folder;
	return slash ? im_strndup(im, file, slash == file ? 1 : (size_t)(slash - file)) : ".";
}

static const char *percent_value(struct import *im, const char *name, const char *conversion,
	const struct percents *with)
{
	char host[256] = "";

	if (!name || !conversion)
		return NULL;
	if (!strncmp(name, "ENV_", 4) && isalpha((unsigned char)name[4]))
		return im_printf(im, "${%s}", name + 4);
	if (!strcmp(name, "here"))
		return literal(im, folder_of(im, with->file));
	if (!strcmp(name, "program_name") && with->program)
		return literal(im, with->program);
	if (!strcmp(name, "group_name") && with->program)
		return literal(im, with->group ? with->group : with->program);
	if (!strcmp(name, "host_node_name") && gethostname(host, sizeof(host) - 1) == 0) {
		assumed(im, "`%%(host_node_name)s` is `%s`, the name of this machine", host);
		return literal(im, host);
	}
	if (!strcmp(name, "process_num") && with->program)
		return im_printf(im, strcmp(conversion, "02d") ? "%ld" : "%02ld", with->number);
	if (!strcmp(name, "numprocs") && with->program)
		return im_printf(im, "%ld", with->of);
	return NULL;
}

/* One `%…`; how long it is, 0: it is none. */
static size_t percent_one(
	struct import *im, struct text *to, const char *s, const struct percents *with)
{
	size_t name = s[1] == '(' ? strcspn(s + 2, ")") : 0;
	const char *end = s + 2 + name;
	size_t digits;
	const char *value;

	if (s[1] == '%') {
		text_add(to, "%");
		return 2;
	}
	if (s[1] != '(' || *end != ')' || name > 255)
		return 0;
	digits = strspn(end + 1, "0123456789");
	if (!end[1 + digits] || !strchr("sd", end[1 + digits]))
		return 0;
	value = percent_value(
		im, im_strndup(im, s + 2, name), im_strndup(im, end + 1, digits + 1), with);
	if (!value)
		return 0;
	/* A long name that is filled in again and again. */
	im->made_bytes += strlen(value);
	if (im->made_bytes > MADE_MOST)
		return 0;
	text_add(to, value);
	return name + digits + 4;
}

const char *percent(struct import *im, const char *s, const struct percents *with)
{
	struct text text = {0};

	while (*s && !im->failed) {
		size_t used = 1;

		if (*s == '%')
			used = percent_one(im, &text, s, with);
		else
			text_add_bytes(&text, s, 1);
		if (*s == '$' && (s[1] == '$' || s[1] == '{'))
			text_add(&text, "$");
		if (!used) {
			if (im->made_bytes > MADE_MOST)
				no_equal(im, "what is filled in is too long in all");
			else
				no_equal(im, "`%.40s` is no expansion that is known here", s);
			text_done(&text);
			return NULL;
		}
		s += used;
	}
	return im_text(im, &text);
}

static bool is_file(const char *target)
{
	static const char *const others[] = {"", "AUTO", "NONE", "syslog", "/dev/stdout",
		"/dev/fd/1", "/dev/stderr", "/dev/fd/2", "/dev/null", NULL};

	for (int i = 0; others[i]; i++)
		if (!strcasecmp(target, others[i]))
			return false;
	return true;
}

bool percent_differs(const struct import *im, const struct section *section)
{
	for (const struct setting *s = section->first; s; s = s->next) {
		bool is_log = !strcmp(s->key, "stdout_logfile") ||
			!strcmp(s->key, "stderr_logfile");

		if (!strcmp(s->key, "process_name") || table_get(&im->table, section, s->key) != s)
			continue;
		if (strstr(s->value, "%(process_num)") || (is_log && is_file(s->value)))
			return true;
	}
	return false;
}

/* ── an environment ── */

/* `A="1",B=2`: the next name and value; behind it, or NULL when there is none. */
static const char *pair_next(
	struct import *im, const char *s, const char **ret_name, const char **ret_value)
{
	size_t name, value;
	const char *end;

	s += strspn(s, ", \t\r\n");
	name = strcspn(s, "=");
	if (!*s || !s[name])
		return NULL;
	*ret_name = s;
	s += name + 1;
	while (name && strchr(" \t\r\n", (*ret_name)[name - 1]))
		name--;
	*ret_name = im_strndup(im, *ret_name, name);
	s += strspn(s, " \t\r\n");
	end = *s == '"' ? "\"" : *s == '\'' ? "'" : NULL;
	s += end != NULL;
	value = strcspn(s, end ? end : ", \t\r\n");
	*ret_value = im_strndup(im, s, value);
	return s + value + (end && s[value]);
}

static bool is_variable(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

	return *name && !isdigit((unsigned char)*name) && !name[strspn(name, letters)];
}

void environment_take(
	struct import *im, struct item *unit, const char *value, const struct percents *with)
{
	const char *s = percent(im, value, with);
	const char *name, *text;

	while (s && !im->failed && (s = pair_next(im, s, &name, &text))) {
		if (name && text && is_variable(name))
			item_set_key(im, item_map(im, unit, "environment"), name, text);
		else
			no_equal(im, "`%s` is no name of a variable", name ? name : "");
	}
}
