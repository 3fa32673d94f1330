/* SPDX-License-Identifier: MIT */
/* Status: the units as they are, in one look without a wait, so that what it shows was true at one moment. Where much has
 * changed, what can be made ready for that is made ready before. */
#include <errno.h>

#include "base/text.h"
#include "control/methods.h"

/* As an array. False: too many of them have changed since the last look to be told in one turn; the text is as it was. */
static bool rows_add(
	struct text *text, struct request *req, const struct selection *s, struct look *look)
{
	size_t begin = text->len;

	/* Else it is copied each time that it has doubled. */
	(void)text_room(text, (size_t)s->n * ROW_BYTES);
	for (uint32_t i = 0; i < s->n && look->n_made <= look->most; i++) {
		text_add_char(text, i > 0 ? ',' : '[');
		status_add(text, &req->control->rows, req->tree, s->index[i], look);
	}
	text_add(text, s->n > 0 ? "]" : "[]");
	if (look->n_made > look->most)
		text->len = begin;
	return look->n_made <= look->most;
}

/* The same, whatever has changed: that is made ready in parts, and then told of one moment. Others may be there by then. */
static int rows_add_all(struct text *text, struct request *req, const struct json *names)
{
	struct look look;
	struct selection s;
	int r = select_units(req, names, true, &s);

	if (r < 0)
		return r;
	r = rows_renew(&req->control->rows, req->tree, s.index, s.n);
	selection_done(&s);
	if (r != -ECANCELED)
		r = select_units(req, names, true, &s);
	if (r < 0)
		return r;
	look = (struct look){.now = eff_now(), .usage_age = LOOK_GOOD, .most = UINT32_MAX};
	(void)rows_add(text, req, &s, &look);
	selection_done(&s);
	return 0;
}

/* As units_look(), as text. */
static int units_add(struct text *text, struct request *req, const struct json *names)
{
	struct look look = {.now = eff_now(), .usage_age = LOOK_NEW, .most = ROWS_A_TURN};
	struct selection s;
	int r = select_units(req, names, true, &s);
	bool all_added;

	if (r < 0)
		return r;
	all_added = rows_add(text, req, &s, &look);
	selection_done(&s);
	return all_added ? 0 : rows_add_all(text, req, names);
}

int units_look(struct request *req, const struct json *names, struct json **ret_units)
{
	struct text text = {0};
	int r = units_add(&text, req, names);

	if (r == 0)
		*ret_units = text.failed ? NULL : json_raw(text.bytes);
	text_done(&text);
	return r;
}

/* Of many units it is long: it is put together in one piece, which goes to the client as it is. */
void m_status(struct request *req)
{
	struct text reply = request_text(req);

	text_add(&reply, "{\"parameters\":{\"units\":");
	if (units_add(&reply, req, json_get(req->parameters, "units")) < 0) {
		text_done(&reply);
		return;
	}
	text_add(&reply, "}}");
	request_reply_text(req, &reply);
}
