/* SPDX-License-Identifier: MIT */
/* Why a program that is there cannot be found: execve() says ENOENT, too, when the interpreter that a script's first line
 * names is missing, and nothing puzzles people more. Files are read on a thread, for they may lie on a file system that
 * hangs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/text.h"
#include "os/internal.h"

/* The kernel reads no more of the first line. */
enum { LINE_MOST = 256 };

struct question {
	struct text path; /* each place where it may be, NUL-terminated, one behind the other */
	char interpreter[LINE_MOST]; /* "": not the reason */
};

static void question_free(void *arg)
{
	struct question *question = arg;

	if (question)
		text_done(&question->path);
	free(question);
}

/* The first word behind "#!"; false when it is no script. */
static bool first_line(const char *path, char ret_word[static LINE_MOST])
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char line[LINE_MOST];
	const char *word;
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, line, sizeof(line) - 1);
	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = '\0';
	word = line + 2 + strspn(line + 2, " \t");
	(void)snprintf(ret_word, LINE_MOST, "%.*s", (int)strcspn(word, " \t\n"), word);
	return true;
}

static void look(void *arg)
{
	struct question *question = arg;
	const char *path = question->path.bytes;
	const char *end = path + question->path.len;

	for (; path < end; path += strlen(path) + 1) {
		char word[LINE_MOST];

		if (!first_line(path, word))
			continue;
		/* With a carriage return at its end the name is another, and missing as well. */
		if (access(word, F_OK) < 0 && errno == ENOENT)
			memcpy(question->interpreter, word, sizeof(word));
		return;
	}
}

static void add_place(struct text *path, const struct os_spawn *spawn, const char *dir, size_t len)
{
	if ((len ? *dir : *spawn->argv[0]) != '/' && spawn->working_dir)
		text_printf(path, "%s/", spawn->working_dir);
	if (len)
		text_printf(path, "%.*s/", (int)len, dir);
	text_add_bytes(path, spawn->argv[0], strlen(spawn->argv[0]) + 1);
}

static void add_places(struct text *path, const struct os_spawn *spawn, const char *search)
{
	if (strchr(spawn->argv[0], '/')) {
		add_place(path, spawn, NULL, 0);
		return;
	}
	for (const char *dir = search; dir; dir = strchr(dir, ':'), dir = dir ? dir + 1 : NULL)
		add_place(path, spawn, dir, strcspn(dir, ":"));
}

bool os_interpreter_missing(
	const struct os_spawn *spawn, const char *search, char *ret_what, size_t size)
{
	struct question *question = alloc_new(sizeof(*question));
	bool is = false;
	int r = -ENOMEM;

	if (question) {
		add_places(&question->path, spawn, search);
		if (!question->path.failed && question->path.len)
			r = eff_blocking(look, question, question_free);
	}
	if (r == -ECANCELED || r == -ETIMEDOUT)
		return false; /* the thread has it now */
	if (r >= 0 && *question->interpreter) {
		(void)snprintf(ret_what, size, "%s: interpreter %s", spawn->argv[0],
			question->interpreter);
		is = true;
	}
	question_free(question);
	return is;
}
