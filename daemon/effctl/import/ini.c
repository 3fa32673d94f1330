/* SPDX-License-Identifier: MIT */
/* Python's configparser as supervisord sets it up: `=` or `:`, keys in any case, a `;` or `#` behind a blank begins a
 * comment, lines that are indented go on with the value above. And systemd's units: `=` alone, a backslash at the end goes on
 * with the next line, comments only as lines of their own. */
#include <ctype.h>
#include <string.h>

#include "effctl/import/ini.h"

struct reading {
	struct import *im;
	const char *at, *end;
	struct section *before, *section; /* the last of other texts; the present one */
	struct setting *setting;          /* that a further line may belong to */
	struct text value;                /* of that */
	bool is_bad;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line, without the blanks at its end. */
static bool line_next(struct reading *in, const char **ret_line, size_t *ret_len)
{
	const char *line = in->at;
	const char *newline;
	size_t len;

	if (line >= in->end || in->im->failed)
		return false;
	newline = memchr(line, '\n', (size_t)(in->end - line));
	len = (size_t)((newline ? newline : in->end) - line);
	in->at = newline ? newline + 1 : in->end;
	in->im->line++;
	while (len && is_blank(line[len - 1]))
		len--;
	*ret_line = line;
	*ret_len = len;
	return true;
}

static void setting_end(struct reading *in)
{
	if (in->setting)
		in->setting->value = im_text(in->im, &in->value);
	in->setting = NULL;
}

static void section_begin(struct reading *in, const char *line, size_t len)
{
	struct import *im = in->im;
	const char *close = memchr(line, ']', len);
	struct section *section;

	setting_end(in);
	if (!close) {
		refused(im, "`[` without `]`");
		in->is_bad = true;
		return;
	}
	section = arena_alloc(im->arena, sizeof(*section));
	if (!section) {
		im->failed = true;
		return;
	}
	section->file = im->file;
	section->line = im->line;
	section->name = im_strndup(im, line + 1, (size_t)(close - line) - 1);
	if (im->last_section)
		im->last_section->next = section;
	else
		im->sections = section;
	im->last_section = section;
	in->section = section;
}

static void setting_begin(struct reading *in, const char *line, size_t len, const char *delimiters)
{
	struct import *im = in->im;
	struct setting *setting;
	size_t n = 0;
	size_t key;

	setting_end(in);
	while (n < len && !strchr(delimiters, line[n]))
		n++;
	for (key = n; key && is_blank(line[key - 1]);)
		key--;
	if (n == len || !key || !in->section) {
		refused(im,
			!in->section ? "a setting before any [section]"
				     : "neither a [section] nor a setting, which has `=`");
		in->is_bad = true;
		return;
	}
	setting = arena_alloc(im->arena, sizeof(*setting));
	if (!setting) {
		im->failed = true;
		return;
	}
	setting->key = im_strndup(im, line, key);
	setting->line = im->line;
	for (n++; n < len && is_blank(line[n]);)
		n++;
	text_add_bytes(&in->value, line + n, len - n);
	if (in->section->last)
		in->section->last->next = setting;
	else
		in->section->first = setting;
	in->section->last = setting;
	in->setting = setting;
}

/* What is left of a line of Python's before a comment. */
static size_t without_comment(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && !((line[n] == ';' || line[n] == '#') && (n == 0 || is_blank(line[n - 1]))))
		n++;
	while (n && is_blank(line[n - 1]))
		n--;
	return n;
}

static bool reading_end(struct reading *in)
{
	setting_end(in);
	text_done(&in->value);
	if (!in->is_bad)
		return !in->im->failed;
	in->im->last_section = in->before;
	if (in->before)
		in->before->next = NULL;
	else
		in->im->sections = NULL;
	return false;
}

static size_t blanks_before(const char *line, size_t len)
{
	size_t n = 0;

	while (n < len && is_blank(line[n]))
		n++;
	return n;
}

/* A line of Python's that says something. */
static void python_line(struct reading *in, const char *line, size_t len)
{
	size_t blanks = blanks_before(line, len);

	if (blanks && in->setting) {
		text_add(&in->value, "\n");
		text_add_bytes(&in->value, line + blanks, len - blanks);
		return;
	}
	if (line[blanks] == '[')
		section_begin(in, line + blanks, len - blanks);
	else
		setting_begin(in, line + blanks, len - blanks, "=:");
	for (char *c = in->setting ? (char *)in->setting->key : NULL; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

bool ini_read_python(struct import *im, const char *bytes, size_t size)
{
	struct reading in = {im, bytes, bytes + size, im->last_section, NULL, NULL, {0}, false};
	const char *line;
	size_t len;

	while (!in.is_bad && line_next(&in, &line, &len)) {
		len = without_comment(line, len);
		if (len)
			python_line(&in, line, len);
	}
	return reading_end(&in);
}

bool ini_read_systemd(struct import *im, const char *bytes, size_t size)
{
	struct reading in = {im, bytes, bytes + size, im->last_section, NULL, NULL, {0}, false};
	bool goes_on = false;
	const char *line;
	size_t len;

	while (!in.is_bad && line_next(&in, &line, &len)) {
		size_t blanks = blanks_before(line, len);
		bool more;

		if (blanks < len && strchr("#;", line[blanks]))
			continue;
		more = len && line[len - 1] == '\\';
		len -= more;
		if (goes_on) {
			text_add(&in.value, " ");
			text_add_bytes(&in.value, line, len);
		} else if (blanks < len && line[blanks] == '[') {
			section_begin(&in, line + blanks, len - blanks);
		} else if (blanks < len) {
			setting_begin(&in, line + blanks, len - blanks, "=");
		}
		goes_on = more && in.setting;
	}
	return reading_end(&in);
}

const struct setting *setting_find(const struct section *section, const char *key)
{
	const struct setting *found = NULL;

	for (const struct setting *s = section->first; s; s = s->next) {
		if (!strcmp(s->key, key))
			found = s;
	}
	return found;
}
