/* SPDX-License-Identifier: MIT */
/* effd's own log. A line is at most LINE_MAX_BYTES, less than what a pipe that polls writable takes at once (PIPE_BUF),
 * so a write after such a poll never blocks, without O_NONBLOCK on a description that others share. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <eff/fiber.h>

#include "base/log.h"

#define LINE_MAX_BYTES 1024

static enum log_level shown = LOG_LEVEL_INFO;
static int journal;
static uint64_t lost, untold;

static const char *const level_names[] = {
#define LEVEL(symbol, name, priority) name,
#include "base/levels.def"
#undef LEVEL
	NULL,
};

void log_set_level(enum log_level level)
{
	shown = level;
}

int log_level_parse(const char *name)
{
	int i;

	for (i = 0; level_names[i]; i++)
		if (strcmp(level_names[i], name) == 0)
			return i;
	return -EINVAL;
}

const char *const *log_level_names(void)
{
	return level_names;
}

void log_set_journal(int on)
{
	journal = on;
}

uint64_t log_lost(void)
{
	return lost;
}

static int prefix(enum log_level level, char *buf, size_t size)
{
	static const int priorities[] = {
#define LEVEL(symbol, name, priority) priority,
#include "base/levels.def"
#undef LEVEL
	};

	if (journal)
		return snprintf(buf, size, "<%d>", priorities[level]);
	if (level == LOG_LEVEL_INFO)
		return snprintf(buf, size, "effd: ");
	return snprintf(buf, size, "effd: %s: ", level_names[level]);
}

/* One line, whole or not at all. */
static int __attribute__((format(printf, 2, 0)))
line_write(enum log_level level, const char *format, va_list args)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[LINE_MAX_BYTES];
	size_t len, i;
	int n;

	len = (size_t)prefix(level, line, sizeof(line));
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it comes in a struct line, which the analyzer does not follow. */
	n = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	if (n < 0)
		return -EINVAL;
	len += strlen(line + len);
	/* What a unit or a client named must not be able to forge a line of its own. */
	for (i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	line[len++] = '\n';
	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
		return -EAGAIN;
	return write(STDERR_FILENO, line, len) == (ssize_t)len ? 0 : -EAGAIN;
}

static int __attribute__((format(printf, 2, 3)))
line_print(enum log_level level, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = line_write(level, format, args);
	va_end(args);
	return r;
}

struct line {
	enum log_level level;
	const char *format;
	va_list args;
};

static void line_log(void *arg)
{
	struct line *line = arg;

	if (untold > 0 &&
		line_print(LOG_LEVEL_WARN, "%llu lines of this log were lost",
			(unsigned long long)untold) == 0)
		untold = 0;
	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): whoever wrote it was checked by log_line()'s declaration. */
	if (line_write(line->level, line->format, line->args) < 0) {
		lost++;
		untold++;
	}
}

void log_line(enum log_level level, const char *format, ...)
{
	int saved = errno;
	struct line line = {.level = level, .format = format};

	if (level > shown)
		return;
	va_start(line.args, format);
	/* To print takes more stack than all else that a unit does. */
	eff_deep(line_log, &line);
	va_end(line.args);
	errno = saved;
}
