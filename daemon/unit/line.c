/* SPDX-License-Identifier: MIT */
/* What a line looks like where it goes. Its head is made once for all that were read together: they have one time. */
#include "unit/internal.h"
#include "wire/escape.h"

/* Of syslog. */
enum { PRIORITY_ERR = 3, PRIORITY_INFO = 6 };

void line_head(struct text *head, const struct unit *u, enum os_stream stream, bool is_file)
{
	bool is_json = u->spec->ways->format == PLAN_JSON;
	char at[32];

	head->len = 0;
	head->failed = false;
	(void)wall_text(eff_wall(), at);
	if (is_json)
		text_printf(head, "{\"at\":\"%s\",\"unit\":\"%s\",\"stream\":\"%s\",\"text\":\"",
			at, u->name, stream == OS_STDERR ? "stderr" : "stdout");
	else
		text_printf(head, "%s%s%s%s", is_file ? "" : u->name, is_file ? "" : " | ",
			u->spec->ways->timestamps ? at : "", u->spec->ways->timestamps ? " " : "");
}

int record_add(struct text *to, const struct line *line, int priority, enum os_stream stream)
{
	const char *text = line->text;
	bool has_own = priority < 0 && line->len >= 3 && text[0] == '<' && text[1] >= '0' &&
		text[1] <= '7' && text[2] == '>';

	if (has_own)
		priority = text[1] - '0';
	else if (priority < 0)
		priority = stream == OS_STDERR ? PRIORITY_ERR : PRIORITY_INFO;
	text_printf(to, "%d", priority);
	text_add_bytes(to, text + (has_own ? 3 : 0), line->len - (has_own ? 3 : 0));
	text_add(to, "\n");
	return priority;
}

void line_add(struct text *to, const struct text *head, const struct line *line)
{
	text_add_bytes(to, head->bytes, line->goes_on && !line->is_json ? 0 : head->len);
	if (line->is_json) {
		escape_json(to, line->text, line->len);
		text_add(to, line->partial ? "\",\"partial\":true}\n" : "\"}\n");
		return;
	}
	text_add_bytes(to, line->text, line->len);
	if (!line->partial || !line->is_file)
		text_add(to, "\n");
}
