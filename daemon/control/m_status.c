/* SPDX-License-Identifier: MIT */
/* Status: the units as they are, in one look without a wait, so that what it shows was true at one moment. What can be made
 * ready for that is made ready before. */
#include <errno.h>

#include "base/text.h"
#include "control/methods.h"

int units_look(struct request *req, const struct json *names, struct json **ret_units)
{
	struct rows *rows = &req->control->rows;
	struct text text = {0};
	struct selection s;
	int r = select_units(req, names, true, &s);

	if (r < 0)
		return r;
	r = rows_renew(rows, req->tree, s.index, s.n);
	selection_done(&s);
	if (r == -ECANCELED)
		return r;
	/* Others may be there now. */
	r = select_units(req, names, true, &s);
	if (r < 0)
		return r;
	text_add(&text, "[");
	for (uint32_t i = 0; i < s.n; i++) {
		text_add(&text, i > 0 ? "," : "");
		status_add(&text, rows, req->tree, s.index[i]);
	}
	text_add(&text, "]");
	selection_done(&s);
	*ret_units = text.failed ? NULL : json_raw(text.bytes);
	text_done(&text);
	return 0;
}

void m_status(struct request *req)
{
	struct json *parameters, *units;

	if (units_look(req, json_get(req->parameters, "units"), &units) < 0)
		return;
	parameters = json_object();
	(void)json_set(parameters, "units", units);
	request_reply(req, parameters);
}
