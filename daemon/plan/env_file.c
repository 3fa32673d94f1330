/* SPDX-License-Identifier: MIT */
/* Files of NAME=value: a line each, comments with # or ;, an `export` before the name, quotes around the value, in which it may go
 * on over lines. Each file is read once for a load, however many units name it. */
#include <errno.h>
#include <string.h>

#include "plan/env.h"

struct line {
	struct load *load;
	struct file *file;
	uint32_t number;
	const char *begin;
	const char *at, *end;
	const char *file_end;
};

static const char *line_fault(const struct line *line, const char *what)
{
	struct plan_place at = {line->file->path, line->number, 1};
	size_t before = (size_t)(line->at - line->begin), i;

	for (i = 0; i < before; i++)
		at.column += ((unsigned char)line->begin[i] & 0xc0) != 0x80;
	(void)fault_at(line->load, at, "E101", "%s", what);
	return NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct line *line)
{
	while (line->at < line->end && is_blank(*line->at))
		line->at++;
}

static size_t name_length(const struct line *line)
{
	const char *p = line->at;

	while (p < line->end &&
		((*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || *p == '_' ||
			(p > line->at && *p >= '0' && *p <= '9')))
		p++;
	return (size_t)(p - line->at);
}

static char escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	default:
		return c;
	}
}

/* The closing quote is as likely to be missing as to be on a line to come: so it is sought first. */
static const char *quote_end(const struct line *line, char quote)
{
	const char *p = line->at + 1;

	while (p < line->file_end && *p != quote)
		p += quote == '"' && *p == '\\' && p + 1 < line->file_end ? 2 : 1;
	return p < line->file_end ? p : NULL;
}

/* In double quotes a backslash makes n, t, r; before anything else it just goes. */
static void quoted_add(struct text *text, const char *p, const char *end, char quote)
{
	for (; p < end; p++) {
		char c = *p;
		bool escapes = quote == '"' && c == '\\';

		if (escapes)
			c = escaped(*++p);
		/* A line may be one with the next; and none ends with a carriage return. */
		if ((escapes && *p == '\n') || (c == '\r' && p[1] == '\n'))
			continue;
		text_add_bytes(text, &c, 1);
	}
}

/* Stand at that place, on whichever line it is. */
static void line_go_on(struct line *line, const char *to)
{
	for (; line->at < to; line->at++) {
		if (*line->at != '\n')
			continue;
		line->begin = line->at + 1;
		line->number++;
	}
	line->end = memchr(to, '\n', (size_t)(line->file_end - to));
	if (!line->end)
		line->end = line->file_end;
}

static const char *nul_fault(struct line *line, const char *nul)
{
	line_go_on(line, nul);
	return line_fault(line, "a NUL character");
}

static const char *quoted_read(struct line *line, char quote)
{
	const char *open = line->at, *close = quote_end(line, quote), *nul;
	struct text text = {0};

	if (!close)
		return line_fault(line, "a quote without its end");
	nul = memchr(open, '\0', (size_t)(close - open));
	if (nul)
		return nul_fault(line, nul);
	line_go_on(line, close);
	line->at++;
	skip_blanks(line);
	if (line->at < line->end && *line->at != '#')
		return line_fault(line, "text behind the closing quote");
	quoted_add(&text, open + 1, close, quote);
	line->load->failed |= text.failed;
	return keep_text(line->load, &text);
}

static const char *value_of(struct line *line)
{
	const char *end = line->at, *p;
	char *kept;

	if (line->at < line->end && (*line->at == '"' || *line->at == '\''))
		return quoted_read(line, *line->at);
	/* A # begins a comment where a blank is before it. */
	for (p = line->at; p < line->end && !(*p == '#' && p > line->at && is_blank(p[-1])); p++)
		if (!is_blank(*p))
			end = p + 1;
	kept = arena_strndup(line->load->arena, line->at, (size_t)(end - line->at));
	if (!kept)
		line->load->failed = true;
	return kept;
}

static bool pair_read(struct line *line, struct plan_pair *pair)
{
	size_t len;

	if (line->end - line->at > 7 && strncmp(line->at, "export", 6) == 0 &&
		is_blank(line->at[6])) {
		line->at += 7;
		skip_blanks(line);
	}
	len = name_length(line);
	if (len == 0)
		return line_fault(line, "not NAME=value");
	pair->name = arena_strndup(line->load->arena, line->at, len);
	if (!pair->name) {
		line->load->failed = true;
		return false;
	}
	line->at += len;
	if (line->at == line->end || *line->at != '=')
		return line_fault(line, "`=` is missing behind the name");
	line->at++;
	pair->value = value_of(line);
	return pair->value;
}

static void lines_read(struct load *load, struct file *file, struct env_pairs *env)
{
	struct line line = {.load = load, .file = file, .file_end = file->bytes + file->size};
	const char *p = file->bytes, *end = file->bytes + file->size, *next, *nul;
	struct plan_pair *pairs;
	size_t n = 1;

	for (next = p; next < end; next++)
		n += *next == '\n';
	pairs = keep_alloc(load, n * sizeof(*pairs));
	if (!pairs)
		return;
	env->pairs = pairs;
	for (; p < end && !load->failed; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		if (!next)
			next = end;
		line.begin = line.at = p;
		line.end = next;
		line.number++;
		skip_blanks(&line);
		if (line.at == line.end || *line.at == '#' || *line.at == ';')
			continue;
		nul = memchr(p, '\0', (size_t)(next - p));
		if (nul)
			(void)nul_fault(&line, nul);
		else if (pair_read(&line, &pairs[env->n]))
			env->n++;
		next = line.end;
	}
}

/* It may come, and then it is to be read. */
static void absent_note(struct load *load, const char *path)
{
	struct file *file = scratch_alloc(load, sizeof(*file));

	if (!file)
		return;
	file->path = path;
	file->next = load->absent;
	load->absent = file;
	load->n_absent++;
}

const struct env_pairs *env_file_read(struct load *load, struct node *node, const char *path)
{
	bool may_be_missing = path[0] == '?';
	const char *whole = path_from(load, node->at.file, path + may_be_missing);
	void **at = whole ? table_at(&load->paths, &load->files, whole) : NULL;
	struct env_pairs *env;
	struct file *file;
	int r;

	if (!at) {
		load->failed = true;
		return NULL;
	}
	if (*at)
		return *at;
	env = scratch_alloc(load, sizeof(*env));
	if (!env)
		return NULL;
	*at = env;
	file = file_read(load, whole, &r);
	if (file)
		lines_read(load, file, env);
	else if (!load->failed && may_be_missing && r == -ENOENT)
		absent_note(load, whole);
	else if (!load->failed)
		read_error_help(load,
			fault(load, node, "E107", "cannot read %s: %s", whole, read_error_text(r)),
			whole, r);
	return env;
}
