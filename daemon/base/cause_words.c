/* SPDX-License-Identifier: MIT */
/* How a process really ended says the most and comes first where that is all there is to say; else it stands behind what
 * effd ended it for. */
#include <string.h>

#include "base/cause.h"
#include "base/cause_words.h"

/* So much of the first `len` bytes that no character is cut in two. */
static size_t whole_characters(const char *text, size_t len)
{
	size_t good = utf8_span(text, len);

	/* What is wrong before the last three has come so. */
	return good + 3 < len || (unsigned char)text[len] >> 6 != 2 ? len : good;
}

/* "exec_error" as "exec error". */
static void add_kind(struct text *to, const char *kind)
{
	for (; *kind; kind++)
		text_add_bytes(to, *kind == '_' ? " " : kind, 1);
}

static void add_end(struct text *to, const struct cause_words *words)
{
	if (words->signal)
		text_printf(to, "%s%s", words->signal, words->core ? " (core dumped)" : "");
	else
		text_printf(to, "exit %lld", (long long)words->code);
}

void cause_words_add(struct text *to, const struct cause_words *words)
{
	const char *kind = words->kind ? words->kind : "unknown";
	bool is_end = words->signal || words->code >= 0;
	bool is_all = is_end && (!strcmp(kind, "exit") || !strcmp(kind, "signal"));

	if (is_all)
		add_end(to, words);
	else
		add_kind(to, kind);
	if (words->text && *words->text)
		text_printf(to, ": %s", words->text);
	if (is_end && !is_all) {
		text_add(to, " (");
		add_end(to, words);
		text_add(to, ")");
	}
	if (words->pid > 0)
		text_printf(to, " by %s (pid %lld, uid %lld)",
			words->command && *words->command ? words->command : "a program",
			(long long)words->pid, (long long)words->uid);
	else if (words->pid == 0)
		text_printf(to, " by a program that is not seen from here (uid %lld)",
			(long long)words->uid);
}

void cause_add_alone(struct text *to, const struct cause *cause)
{
	char name[16];

	cause_words_add(to,
		&(struct cause_words){
			.kind = cause_kind_name(cause->kind),
			.text = cause->text,
			.signal = cause->signal ? signal_text(cause->signal, name) : NULL,
			.command = cause->by.command,
			.code = cause->code,
			.pid = cause->by.pid || cause->by.unseen ? cause->by.pid : -1,
			.uid = cause->by.uid,
			.core = cause->core,
		});
}

const char *cause_line(const struct cause *cause, char *buf, size_t size)
{
	struct text text = {0};
	size_t i, len;

	if (size == 0)
		return buf;
	if (cause)
		cause_add_alone(&text, cause);
	if (cause && cause->because) {
		text_add(&text, "; because of ");
		cause_add_alone(&text, cause->because);
	}
	len = text.len < size ? text.len : whole_characters(text.bytes, size - 1);
	if (len > 0)
		memcpy(buf, text.bytes, len);
	buf[len] = '\0';
	if (len == 0)
		(void)strncat(buf, cause ? cause_kind_name(cause->kind) : "unknown", size - 1);
	text_done(&text);
	for (i = 0; buf[i]; i++)
		if (buf[i] == '\n' || buf[i] == '\r')
			buf[i] = ' ';
	return buf;
}
