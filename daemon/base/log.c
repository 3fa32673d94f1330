/* SPDX-License-Identifier: MIT */
/* effd's own log. What is written at once is at most what a pipe that polls writable takes (PIPE_BUF), so a write after such
 * a poll never blocks, without O_NONBLOCK on a description that others share. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <eff/fiber.h>

#include "base/log.h"

#define LINE_MAX_BYTES 1024

static enum log_level shown = LOG_LEVEL_INFO;
static int journal;
static uint64_t lost, untold;

static struct {
	char bytes[PIPE_BUF];
	size_t len;
	unsigned n; /* lines */
	bool on;
} gathered;
static struct {
	void (*fn)(void *arg);
	void *arg;
} before;

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

/* As much as a pipe takes at once: whole or not at all. */
static int lines_write(const char *lines, size_t len)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
		return -EAGAIN;
	return write(STDERR_FILENO, lines, len) == (ssize_t)len ? 0 : -EAGAIN;
}

/* Returns its length, 0: none. */
static size_t __attribute__((format(printf, 3, 0))) line_make(char line[static LINE_MAX_BYTES],
	enum log_level level, const char *format, va_list args)
{
	size_t len = (size_t)prefix(level, line, LINE_MAX_BYTES), i;

	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it comes in a struct line, which the analyzer does not follow. */
	if (vsnprintf(line + len, LINE_MAX_BYTES - len - 1, format, args) < 0)
		return 0;
	len += strlen(line + len);
	/* What a unit or a client named must not be able to forge a line of its own. */
	for (i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = ' ';
	line[len++] = '\n';
	return len;
}

static void lost_count(uint64_t n)
{
	lost += n;
	untold += n;
}

static void __attribute__((format(printf, 2, 3)))
line_print(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	size_t len;

	va_start(args, format);
	len = line_make(line, level, format, args);
	va_end(args);
	if (lines_write(line, len) == 0)
		untold = 0;
}

/* What is before it was lost. */
static void lost_tell(void)
{
	if (untold > 0)
		line_print(LOG_LEVEL_WARN, "%llu lines of this log were lost",
			(unsigned long long)untold);
}

static void gathered_write(void)
{
	if (!gathered.len)
		return;
	lost_tell();
	if (lines_write(gathered.bytes, gathered.len) < 0)
		lost_count(gathered.n);
	gathered.len = gathered.n = 0;
}

struct line {
	enum log_level level;
	const char *format;
	va_list args;
};

static void line_log(void *arg)
{
	struct line *line = arg;
	char bytes[LINE_MAX_BYTES];
	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): whoever wrote it was checked by log_line()'s declaration. */
	size_t len = line_make(bytes, line->level, line->format, line->args);

	if (!len) {
		lost_count(1);
		return;
	}
	if (gathered.len + len > sizeof(gathered.bytes))
		gathered_write();
	memcpy(gathered.bytes + gathered.len, bytes, len);
	gathered.len += len;
	gathered.n++;
	if (!gathered.on)
		gathered_write();
}

void log_line(enum log_level level, const char *format, ...)
{
	int saved = errno;
	struct line line = {.level = level, .format = format};

	if (level > shown)
		return;
	/* To print takes more stack than all else that a unit does. */
	if (before.fn && !gathered.on)
		eff_deep(before.fn, before.arg);
	va_start(line.args, format);
	eff_deep(line_log, &line);
	va_end(line.args);
	errno = saved;
}

void log_before(void (*fn)(void *arg), void *arg)
{
	before.fn = fn;
	before.arg = arg;
}

void log_gather(void)
{
	gathered.on = true;
}

static void gathered_end(void *arg)
{
	(void)arg;
	gathered_write();
}

void log_write_gathered(void)
{
	int saved = errno;

	gathered.on = false;
	eff_deep(gathered_end, NULL);
	errno = saved;
}
