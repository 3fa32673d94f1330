/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "control/errand.h"

void errand_init(struct errand *errand, struct control *control,
	int (*carry_out)(struct errand *errand), void (*free)(struct errand *errand))
{
	eff_list_init(&errand->link);
	errand->n_refs = 1;
	errand->result = -ECANCELED;
	errand->control = control;
	errand->carry_out = carry_out;
	errand->free = free;
	eff_event_init(&errand->ended);
}

void errand_unref(struct errand *errand)
{
	if (errand && --errand->n_refs == 0)
		errand->free(errand);
}

static eff_exit errand_run(void *arg)
{
	struct errand *errand = arg;

	eff_list_remove(&errand->link);
	errand->result = errand->carry_out(errand);
	eff_event_set(&errand->ended);
	errand_unref(errand);
	return eff_ok(NULL);
}

int errand_begin(struct errand *errand)
{
	struct control *control = errand->control;
	int r = eff_fork_in(control->scope, EFF(errand_run, errand), NULL);

	if (r == 0) {
		errand->n_refs++;
		eff_list_append(&control->errands, &errand->link);
	}
	return r;
}

void errands_drop(struct control *control)
{
	struct eff_list *link;

	while ((link = eff_list_pop(&control->errands)) != NULL)
		errand_unref(eff_container(link, struct errand, link));
}

int errand_await(struct errand *errand, eff_ns until)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, until);
	r = eff_event_await(&errand->ended);
	(void)eff_scope_close(&within);
	return r < 0 ? r : errand->result;
}
