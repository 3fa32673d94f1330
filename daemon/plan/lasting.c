/* SPDX-License-Identifier: MIT */
/* What effd keeps to until it ends, whatever later plans say: a copy, so that the plan that it began with may go. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plan/changes.h"

static bool lasts(const struct plan_value *value)
{
	return plan_field(value->field)->effect == PLAN_EFFD;
}

struct plan_lasting *plan_lasting_new(const struct plan *plan)
{
	const struct plan_daemon *daemon = plan_daemon(plan);
	struct plan_lasting *lasting;
	size_t n = 0, n_bytes = 0;
	char *text;

	for (uint32_t i = 0; i < daemon->n_values; i++)
		if (lasts(&daemon->values[i])) {
			n++;
			n_bytes += strlen(daemon->values[i].text) + 1;
		}
	lasting = alloc_new(sizeof(*lasting) + n * sizeof(*lasting->values) + n_bytes);
	if (!lasting)
		return NULL;
	text = (char *)&lasting->values[n];
	for (uint32_t i = 0; i < daemon->n_values; i++) {
		const struct plan_value *value = &daemon->values[i];
		size_t len = strlen(value->text) + 1;

		if (!lasts(value))
			continue;
		lasting->values[lasting->n++] = (struct plan_value){
			.field = value->field, .text = memcpy(text, value->text, len)};
		text += len;
	}
	return lasting;
}

void plan_lasting_free(struct plan_lasting *lasting)
{
	free(lasting);
}
