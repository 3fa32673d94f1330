/* SPDX-License-Identifier: MIT */
/* Exits: texts and further causes behind an end.
 *
 * Notes are an immutable list, the newest first, each counted by reference and holding the one before it. So putting one
 * behind an exit never changes what another holder of the same exit sees, and costs one allocation. A cause is a note
 * with a tag and a code; the texts after it belong to it. Joining copies the second exit's notes onto the first's: the
 * list stays flat, however exits were joined, and nothing here recurses. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eff/exit.h>

struct eff_note {
	struct eff_note *before; /* the older ones; NULL */
	unsigned n_refs;
	bool is_cause; /* tag and code count, else the text */
	enum eff_tag tag;
	int code;
	char text[];
};

/* Takes the reference on `before`, unless it returns NULL. */
static struct eff_note *note_new(struct eff_note *before, size_t len)
{
	struct eff_note *note = malloc(sizeof(*note) + len + 1);

	if (!note)
		return NULL;
	note->before = before;
	note->n_refs = 1;
	note->is_cause = false;
	note->tag = EFF_OK;
	note->code = 0;
	note->text[len] = '\0';
	return note;
}

__attribute__((format(printf, 2, 0))) static void add_text(
	eff_exit *e, const char *format, va_list args)
{
	struct eff_note *note;
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	note = len < 0 ? NULL : note_new(e->notes, (size_t)len);
	if (!note)
		return;
	(void)vsnprintf(note->text, (size_t)len + 1, format, args);
	e->notes = note;
}

eff_exit eff_failf(int code, const char *format, ...)
{
	eff_exit e = eff_fail(code);
	va_list args;

	va_start(args, format);
	add_text(&e, format, args);
	va_end(args);
	return e;
}

eff_exit eff_die(const char *format, ...)
{
	eff_exit e = {.tag = EFF_DIE};
	va_list args;

	va_start(args, format);
	add_text(&e, format, args);
	va_end(args);
	return e;
}

eff_exit eff_exit_note(eff_exit e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_text(&e, format, args);
	va_end(args);
	return e;
}

eff_exit eff_exit_of(int64_t result)
{
	if (result >= 0)
		return eff_ok_number(result);
	if (result == -ECANCELED)
		return eff_interrupted();
	return eff_fail((int)-result);
}

eff_exit eff_exit_keep(eff_exit e)
{
	if (e.notes)
		e.notes->n_refs++;
	return e;
}

void eff_exit_drop(eff_exit e)
{
	struct eff_note *note = e.notes;

	while (note && !--note->n_refs) {
		struct eff_note *before = note->before;

		free(note);
		note = before;
	}
}

/* The i-th note, the oldest being 0. Lists are short; walking anew is cheaper than keeping two directions. */
static const struct eff_note *note_at(const struct eff_note *newest, size_t i)
{
	const struct eff_note *note;
	size_t n = 0;

	for (note = newest; note; note = note->before)
		n++;
	if (i >= n)
		return NULL;
	for (note = newest; ++i < n;)
		note = note->before;
	return note;
}

eff_exit eff_exit_join(eff_exit first, eff_exit second)
{
	const struct eff_note *old;
	struct eff_note *cause = eff_is_ok(second) ? NULL : note_new(first.notes, 0);

	if (cause) {
		cause->is_cause = true;
		cause->tag = second.tag;
		cause->code = second.code;
		first.notes = cause;
	}
	for (size_t i = 0; cause && (old = note_at(second.notes, i)); i++) {
		size_t len = strlen(old->text);
		struct eff_note *copy = note_new(first.notes, len);

		if (!copy)
			break;
		memcpy(copy->text, old->text, len);
		copy->is_cause = old->is_cause;
		copy->tag = old->tag;
		copy->code = old->code;
		first.notes = copy;
	}
	eff_exit_drop(second);
	return first;
}

/* ── texts ── */

struct sink {
	char *buf;
	size_t size, len; /* len < size: there is always room for the NUL */
	bool full;
};

static void put(struct sink *sink, const char *text)
{
	for (; *text && !sink->full; text++) {
		unsigned char c = (unsigned char)*text;

		if (sink->len + 1 >= sink->size) {
			sink->full = true;
			break;
		}
		sink->buf[sink->len] = *text;
		if (c < 0x20 || c == 0x7f)
			sink->buf[sink->len] = ' ';
		sink->len++;
	}
	if (!sink->full)
		return;
	/* No half of a character at the end: continuation bytes, and the byte that announced them, go. */
	if (((unsigned char)*text & 0xc0) != 0x80)
		return;
	while (sink->len && ((unsigned char)sink->buf[sink->len - 1] & 0xc0) == 0x80)
		sink->len--;
	if (sink->len)
		sink->len--;
}

static void put_tag(struct sink *sink, enum eff_tag tag, int code)
{
	static const char *const words[] = {"ok", "fail", "die", "interrupt"};
	char number[16];

	put(sink, words[tag]);
	if (tag != EFF_FAIL)
		return;
	(void)snprintf(number, sizeof(number), " %d", code);
	put(sink, number);
}

const char *eff_exit_text(eff_exit e, char *buf, size_t size)
{
	struct sink sink = {.buf = buf, .size = size};
	const struct eff_note *note;
	const char *joint = ": ";

	if (!size)
		return buf;
	put_tag(&sink, e.tag, e.code);
	for (size_t i = 0; !sink.full && (note = note_at(e.notes, i)); i++) {
		put(&sink, note->is_cause ? "; and " : joint);
		joint = note->is_cause ? ": " : ", ";
		if (note->is_cause)
			put_tag(&sink, note->tag, note->code);
		else
			put(&sink, note->text);
	}
	buf[sink.len] = '\0';
	return buf;
}

const char *eff_exit_words(eff_exit e)
{
	const struct eff_note *first = NULL;

	for (const struct eff_note *note = e.notes; note; note = note->before)
		if (!note->is_cause)
			first = note;
	return first ? first->text : "";
}
