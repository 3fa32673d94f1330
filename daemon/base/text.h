/* SPDX-License-Identifier: MIT */
/* Text: a growing buffer, and the values of the tree's language, both ways. Nothing here suspends or logs. */
#ifndef EFFD_TEXT_H
#define EFFD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <eff/time.h>

/* A growing string. {0} is an empty one. After a failed allocation `failed` stays set, further calls do nothing. */
struct text {
	char *bytes; /* NUL-terminated once anything was added; NULL before */
	size_t len, room;
	bool failed;
};
void text_done(struct text *text);
void text_add(struct text *text, const char *s);
void text_add_bytes(struct text *text, const void *bytes, size_t len);
/* One byte, which mostly has room. */
static inline void text_add_char(struct text *text, char c)
{
	if (text->failed || text->len + 1 >= text->room) {
		text_add_bytes(text, &c, 1);
		return;
	}
	text->bytes[text->len++] = c;
	text->bytes[text->len] = '\0';
}
/* Where the next `most` bytes go; text_wrote() says how many came. NULL: no memory, and the text has failed. */
char *text_room(struct text *text, size_t most);
void text_wrote(struct text *text, size_t n);
/* The digits of a number, 20 at most. Returns their end. */
char *number_write(char *to, uint64_t number);
/* Seconds to the millisecond, what is below is noise to people and digits to machines; 24 bytes at most. Returns their end. */
char *seconds_write(char *to, eff_ns ns);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "1m30s", "250ms", "infinity", "0". Returns 0, or -EINVAL (malformed), -EDOM (a bare number that is not 0),
 * -ERANGE (too large). */
int duration_parse(const char *s, eff_ns *ret_ns);
/* As a person writes it: "1m30s", "infinity". Needs 32 bytes. */
const char *duration_text(eff_ns ns, char buf[static 32]);
/* "64KiB", "50MB", "10B"; -EINVAL, -EDOM (bare number, or a bare K, M, G), -ERANGE. */
int size_parse(const char *s, uint64_t *ret_bytes);
/* "TERM", "SIGTERM"; a number, or -EINVAL. */
int signal_parse(const char *s);
/* "HUP" for "hup", "SIGTERM" for "SIGTREM": the name that may be meant by what is none. NULL: none is near. Static storage. */
const char *signal_nearest(const char *s);
/* "SIGTERM"; "SIG33" for one without a name. Static storage for named ones, else `buf`. */
const char *signal_text(int sig, char buf[static 16]);
/* "ENOENT", or "E123" for one without a name. */
const char *errno_name(int err);
/* Damerau-Levenshtein, bounded: stops counting at `most` + 1. */
uint32_t text_distance(const char *a, const char *b, uint32_t most);
/* Shell-like glob in which `*` and `?` do not cross `/` and `**` does; [..] sets. No back-tracking without bound. */
bool glob_match(const char *pattern, const char *name);
/* Cut what says nothing out of a path, in place: "/a//b/./c" is "/a/b/c". What `..` leads to only the disk knows. */
void path_tidy(char *path);
/* Is `s` (len bytes) UTF-8 as RFC 3629 has it? Returns the offset of the first byte that is not, or len. */
size_t utf8_span(const char *s, size_t len);
/* How many bytes of ASCII it begins with. */
size_t ascii_span(const char *s, size_t len);
/* How many bytes of a path name the folder that it is in, without the last slash. */
static inline size_t folder_span(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}
/* How many bytes a control at the beginning of `s` (UTF-8) has; 0: it is none. U+0080 to U+009F are controls too, and some terminals
 * obey them. */
static inline size_t control_span(const char *s, size_t len)
{
	unsigned char c = len > 0 ? (unsigned char)s[0] : ' ';
	unsigned char d = len > 1 ? (unsigned char)s[1] : 0;

	if (c < 0x20 || c == 0x7f)
		return 1;
	return c == 0xc2 && d >= 0x80 && d <= 0x9f ? 2 : 0;
}
/* RFC 3339 with milliseconds, UTC. */
const char *wall_text(eff_ns wall_ns, char buf[static 32]);

#endif
