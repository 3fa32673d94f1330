/* SPDX-License-Identifier: MIT */
/* Status: the units as they are, in one look without a wait, so that what it shows was true at one moment. */
#include "control/methods.h"

void m_status(struct request *req)
{
	struct json *parameters, *units;
	struct selection s;

	if (select_units(req, json_get(req->parameters, "units"), true, &s) < 0)
		return;
	parameters = json_object();
	units = json_array();
	for (uint32_t i = 0; i < s.n; i++)
		(void)json_add(units, json_status(&req->control->rows, req->tree, s.index[i]));
	(void)json_set(parameters, "units", units);
	selection_done(&s);
	request_reply(req, parameters);
}
