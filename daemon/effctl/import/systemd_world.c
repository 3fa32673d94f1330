/* SPDX-License-Identifier: MIT */
/* What a service finds around it: its environment, its folder, where its output goes. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "effctl/import/systemd.h"

static bool is_variable(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalpha((unsigned char)name[i]) && name[i] != '_' &&
			!(i && isdigit((unsigned char)name[i])))
			return false;
	}
	return len > 0;
}

void systemd_environment(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char *filled = systemd_filled(s, value);
	const char **words = filled ? systemd_words(s->im, filled) : NULL;

	if (filled && !words)
		no_equal(s->im, "a quote has no end");
	for (; words && *words && !s->im->failed; words++) {
		size_t len = strcspn(*words, "=");

		if ((*words)[len] && is_variable(*words, len))
			item_set_key(s->im, item_map(s->im, s->unit->item, row->path),
				im_strndup(s->im, *words, len), literal(s->im, *words + len + 1));
		else
			no_equal(s->im, "`%s` is not NAME=VALUE", *words);
	}
}

void systemd_env_file(struct systemd *s, const char *value, const struct systemd_row *row)
{
	bool may_be_missing = *value == '-';
	const char *text = systemd_filled(s, value + may_be_missing);

	if (text && *text == '/' && !strpbrk(text, "*?["))
		item_add(s->im, item_list(s->im, s->unit->item, row->path),
			literal(s->im, im_printf(s->im, "%s%s", may_be_missing ? "?" : "", text)));
	else if (text && *text)
		no_equal(s->im, "`%s` is not the path of one file", text);
}

void systemd_inherited(struct systemd *s, const char *value, const struct systemd_row *row)
{
	static const char *const usual[] = {"PATH", "HOME", "LANG", "LC_*", "TZ", NULL};
	const char **words = systemd_words(s->im, value);
	struct item *list = item_list(s->im, s->unit->item, row->path);

	if (list && !list->n)
		item_add_words(s->im, s->unit->item, row->path, usual);
	for (; words && *words; words++)
		if (is_variable(*words, strlen(*words)))
			item_add(s->im, list, *words);
}

void systemd_folder(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char *text = systemd_filled(s, *value == '-' ? value + 1 : value);

	if (*value == '-')
		assumed(s->im, "the folder is there");
	if (text && *text == '/')
		item_set(s->im, s->unit->item, row->path, literal(s->im, text));
	else if (text && *text)
		no_equal(s->im, "`%s` is no path", text);
}

void systemd_umask(struct systemd *s, const char *value, const struct systemd_row *row)
{
	size_t n = strlen(value);

	if (n && n < 5 && strspn(value, "01234567") == n)
		item_set(s->im, s->unit->item, row->path,
			im_printf(s->im, "%04lo", strtol(value, NULL, 8) & 0777));
	else
		no_equal(s->im, "`%s` is no octal number", value);
}

void systemd_output(struct systemd *s, const char *value, const struct systemd_row *row)
{
	bool is_err = !strcmp(row->path, "log.stderr");
	const char *file = !strncmp(value, "file:", 5) ? value + 5
		: !strncmp(value, "append:", 7)        ? value + 7
		: !strncmp(value, "truncate:", 9)      ? value + 9
						       : NULL;
	const char *text = file ? systemd_filled(s, file) : NULL;

	if (text && plan_log_is_own_output(text))
		assumed(s->im, "it goes to effd's standard output, as all output does by default");
	else if (text && *text)
		item_set(s->im, s->unit->item, im_printf(s->im, "%s.file", row->path),
			literal(s->im, text));
	else if (!strcmp(value, "null") || !strcmp(value, "syslog"))
		item_set(s->im, s->unit->item, row->path, value);
	else if (!strcmp(value, "inherit"))
		item_set(s->im, s->unit->item, row->path, is_err ? "stdout" : "inherit");
	else if (strncmp(value, "journal", 7) != 0 && !file)
		no_equal(s->im, "effd does not write there");
	if (*value == 't' && text)
		assumed(s->im, "the file is not emptied at a start");
}
