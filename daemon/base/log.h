/* SPDX-License-Identifier: MIT */
/* effd's own log: one line a call, to stderr (with <N> levels when it goes to the journal). Never blocks the loop: when
 * stderr cannot take a line it is dropped and counted, and the count is told with the next one that fits. */
#ifndef EFFD_LOG_H
#define EFFD_LOG_H

#include <stdarg.h>
#include <stdint.h>

enum log_level {
#define LEVEL(symbol, name, priority) LOG_LEVEL_##symbol,
#include "base/levels.def"
#undef LEVEL
};

void log_set_level(enum log_level level);
int log_level_parse(const char *name);    /* "error" …, or -EINVAL */
const char *const *log_level_names(void); /* NULL-terminated */
void log_set_journal(int on);             /* levels as <3> … for the journal */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t log_lost(void);
/* Have fn(arg) called before anybody's line is written: it may have lines of its own that come first, which it gathers. NULL:
 * nobody has. */
void log_before(void (*fn)(void *arg), void *arg);
/* Gather lines from now on, and write them together: for who has several at once. Nothing is to be waited for in between. */
void log_gather(void);
void log_write_gathered(void);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
