/* SPDX-License-Identifier: MIT */
/* What a line looks like where it goes. Its head is made once for all that were read together: they have one time. */
#include "unit/internal.h"
#include "wire/escape.h"

void line_head(struct text *head, const struct unit *u, enum os_stream stream, bool is_file)
{
	bool is_json = u->spec->format == PLAN_JSON;
	char at[32];

	head->len = 0;
	(void)wall_text(eff_wall(), at);
	if (is_json)
		text_printf(head, "{\"at\":\"%s\",\"unit\":\"%s\",\"stream\":\"%s\",\"text\":\"",
			at, u->name, stream == OS_STDERR ? "stderr" : "stdout");
	else
		text_printf(head, "%s%s%s%s", is_file ? "" : u->name, is_file ? "" : " | ",
			u->spec->timestamps ? at : "", u->spec->timestamps ? " " : "");
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
