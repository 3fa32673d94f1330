/* SPDX-License-Identifier: MIT */
/* Supervision in a few lines: both are a supervisor opened, run and stopped in a scope of its own. */
#include <eff/services.h>

#include "internal.h"

static enum eff_verdict judge_supervised(struct eff_child *child, eff_exit exit)
{
	(void)child;
	return exit.tag == EFF_INTERRUPT ? EFF_AT_REST : EFF_BY_POLICY;
}

static struct eff_child child_of(eff e, const struct eff_supervision *how)
{
	bool in_a_row = how->window <= 0;

	return (struct eff_child){
		.name = e.name,
		.run = e,
		.up_at_once = true,
		.policy = {.restart = how->restart,
			.backoff = how->schedule,
			.reset_after = how->stable_for > 0 ? how->stable_for : EFF_FOREVER,
			.max_restarts = in_a_row ? how->max_restarts : UINT32_MAX,
			.critical = true,
			.significant = true},
	};
}

/* `waited`: it was not in a run when it was stopped. */
static eff_exit exit_of_supervised(
	const struct eff_sup *sup, const struct eff_child *c, int r, bool waited)
{
	eff_exit last = eff_exit_keep(c->last);

	if (r < 0 && waited)
		return eff_exit_join(eff_exit_of(r), last);
	if (sup->end == EFF_SUP_INTENSITY || c->rest == EFF_REST_MAX_RESTARTS)
		return eff_exit_note(
			last, "gave up after %llu restarts", (unsigned long long)c->restarts);
	return last;
}

eff_exit eff_supervise(eff e, const struct eff_supervision *how)
{
	static const struct eff_sup_hooks hooks = {.judge = judge_supervised};
	struct eff_child child = child_of(e, how);
	struct eff_sup_opts opts = {.auto_shutdown = EFF_AUTO_ANY,
		.max_restarts = how->max_restarts,
		.period = how->window,
		.hooks = &hooks};
	struct eff_scope scope;
	struct eff_sup sup;
	eff_exit exit;
	bool waited;
	int r;

	eff_scope_open(&scope);
	r = eff_sup_open(&sup, &opts);
	if (r < 0) {
		(void)eff_scope_close(&scope);
		return eff_exit_of(r);
	}
	eff_sup_add(&sup, &child);
	r = eff_child_start(&child);
	if (r == 0)
		r = eff_sup_await(&sup);
	waited = !child.life;
	eff_sup_stop(&sup);
	exit = exit_of_supervised(&sup, &child, r, waited);
	(void)eff_scope_close(&scope);
	return exit;
}

/* Until it ends. A round, and that alone, takes a set that was up out of it. */
static int services_await(struct eff_sup *sup)
{
	struct eff_child *self = eff_child_self();
	int r = 0;

	while (r == 0 && !sup->end) {
		r = eff_sup_await_up(sup);
		if (r != 0)
			break;
		if (self)
			eff_child_up(self);
		while (r == 0 && !sup->end && !sup->rounding)
			r = eff_pulse_await(&sup->changed);
		if (self)
			eff_child_not_up(self);
	}
	return r < 0 ? r : 0;
}

eff_exit eff_services_run(void *arg)
{
	const struct eff_services *services = arg;
	struct eff_scope scope;
	struct eff_sup sup;
	eff_exit exit;
	int r;

	eff_scope_open(&scope);
	r = eff_sup_open(&sup, &services->opts);
	if (r < 0) {
		(void)eff_scope_close(&scope);
		return eff_exit_of(r);
	}
	for (size_t i = 0; i < services->n_children; i++)
		eff_sup_add(&sup, &services->children[i]);
	r = eff_sup_start(&sup);
	if (r == 0)
		r = services_await(&sup);
	eff_sup_stop(&sup);
	exit = eff_sup_exit(&sup, r);
	(void)eff_scope_close(&scope);
	return exit;
}
