/* SPDX-License-Identifier: MIT */
/* A Procfile: `NAME: COMMAND` a line, run by a shell. What foreman and Heroku do beside is assumed, and said. */
#include <ctype.h>
#include <string.h>

#include "effctl/import/import.h"

static bool is_name(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)line[i]) && line[i] != '_' && line[i] != '-')
			return false;
	}
	return len > 0;
}

/* Only words and quotes: no shell is needed. */
static bool is_plain(const char *command)
{
	size_t first = strcspn(command, " \t");

	return !strpbrk(command, "|&;<>()$`\\*?[]#~!{}") && !memchr(command, '=', first);
}

/* One program, so that a shell may become it: signals then reach it at once. */
static bool is_one_program(const char *command)
{
	static const char *const words[] = {"exec ", "cd ", "if ", "while ", "for ", "case ",
		"until ", "export ", "set ", "source ", ". ", ": ", "eval ", "trap ", "ulimit ",
		"umask ", "unset ", "{ ", "! ", NULL};
	size_t first = strcspn(command, " \t");

	for (int i = 0; words[i]; i++) {
		if (!strncmp(command, words[i], strlen(words[i])))
			return false;
	}
	return !strpbrk(command, "|&;<>()`\n#") && !memchr(command, '=', first);
}

static void command_set(struct import *im, struct item *unit, const char *command)
{
	const char **words = is_plain(command) ? words_of(im, command) : NULL;

	if (words && words[0] && *words[0])
		item_add_words(im, unit, "command", words);
	else
		item_set(im, unit, "shell",
			is_one_program(command) ? im_printf(im, "exec %s", command) : command);
}

static void process_take(struct import *im, const char *name, const char *command)
{
	struct item *unit = item_new(im, ITEM_MAP, NULL);

	if (!unit || !name || !command)
		return;
	im->unit = name;
	command_set(im, unit, command);
	if (!strcmp(name, "release")) {
		item_set(im, unit, "type", "oneshot");
		item_set(im, unit, "restart", "no");
		assumed(im, "it is the release phase: it runs once, and the others wait for it");
	} else {
		item_set(im, unit, "environment.PORT",
			im_printf(im, "%u", 5000 + 100 * im->n_units));
		im->n_units++;
	}
	unit->key = unit_name(im, im->units, name);
	item_put(im, im->units, unit);
}

static void line_take(struct import *im, const char *line, size_t len)
{
	size_t name = 0, command;

	while (len && isspace((unsigned char)line[len - 1]))
		len--;
	while (len && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	if (!len || *line == '#')
		return;
	while (name < len && line[name] != ':')
		name++;
	for (command = name + 1; command < len && isspace((unsigned char)line[command]);)
		command++;
	if (name == len || !is_name(line, name) || command >= len)
		refused(im, "not `NAME: COMMAND`");
	else
		process_take(im, im_strndup(im, line, name),
			im_strndup(im, line + command, len - command));
	im->unit = NULL;
}

void import_read_procfile(struct import *im, const char *bytes, size_t size)
{
	const char *end = bytes + size, *next;

	for (; bytes < end && !im->failed; bytes = next + 1) {
		next = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!next)
			next = end;
		im->line++;
		line_take(im, bytes, (size_t)(next - bytes));
	}
	im->line = 0;
}

void import_end_procfile(struct import *im)
{
	const struct item *release = item_find(im, im->units, "release");

	im->n_units = 0;
	for (struct item *unit = im->units ? im->units->first : NULL; unit; unit = unit->next) {
		im->n_units++;
		if (release && unit != release)
			item_add(im, item_list(im, unit, "depends_on"), "release");
	}
	if (!im->n_units)
		return;
	item_set(im, im->defaults, "env_file", "?.env");
	item_add(im, item_list(im, im->defaults, "env_inherit"), "*");
	assumed(im, "PORT begins at 5000 and goes up by 100 for each process, as with foreman");
	assumed(im, "each process is started again when it ends; foreman would stop all of them");
	assumed(im, "the tree stands in the folder of the Procfile: paths and `.env` are looked for there");
}
