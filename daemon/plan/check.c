/* SPDX-License-Identifier: MIT */
/* What is well-formed and yet cannot be meant, or cannot work on this machine: one small function a rule. */
#include <stdlib.h>
#include <string.h>

#include "plan/draft.h"

static bool has_readiness(const struct plan_unit *unit)
{
	return unit->type != PLAN_EXEC || unit->kind == PLAN_SUPERVISOR ||
		unit->rules->readiness.kind || unit->rules->startup.kind;
}

static void policy_check(struct load *load, const struct plan_unit *unit)
{
	struct node *policy = draft_node(load, unit->index, FIELD_RESTART_POLICY);
	struct diag *diag;

	if (!policy || unit->type != PLAN_ONESHOT || unit->restart > PLAN_ON_SUCCESS ||
		unit->kind == PLAN_SUPERVISOR || unit->rules->schedule.is_there)
		return;
	diag = fault(load, policy, "E318", "`%s` would run a oneshot again and again: `%s`",
		unit->restart == PLAN_ALWAYS ? "always" : "on-success", unit->name);
	diag_note(load->diags, diag, unit->at, "`%s` is here", unit->name);
	diag_help(load->diags, diag, "write `restart: on-failure` or `restart: no` for it");
}

static void backoff_check(struct load *load, const struct plan_unit *unit)
{
	struct node *initial = draft_node(load, unit->index, FIELD_BACKOFF_INITIAL);
	struct node *most = draft_node(load, unit->index, FIELD_BACKOFF_MAX);
	struct node *reset = draft_node(load, unit->index, FIELD_BACKOFF_RESET_AFTER);
	struct diag *diag;

	if (unit->ways->backoff.initial_ns > unit->ways->backoff.max_ns && (initial || most)) {
		diag = fault(load, initial ? initial : most, "E313",
			"`initial` is longer than `max` in `backoff` of `%s`", unit->name);
		if (initial && most)
			diag_note(load->diags, diag, most->at, "`max` is here");
		else
			diag_help(load->diags, diag, "%s",
				initial ? "`max` is 30s if not given"
					: "`initial` is 500ms if not given");
	}
	if (reset && unit->ways->backoff.reset_after_ns == 0)
		(void)fault(load, reset, "E313", "`reset_after` must be more than 0");
}

static void ends_check(struct load *load, const struct plan_unit *unit)
{
	struct node *prevent = draft_node(load, unit->index, FIELD_PREVENT_EXIT);
	struct node *force = draft_node(load, unit->index, FIELD_FORCE_EXIT);
	uint64_t both = (unit->rules->prevent_exit.signals & unit->rules->force_exit.signals) |
		(unit->rules->prevent_exit.causes & unit->rules->force_exit.causes);
	struct diag *diag;
	size_t i;

	for (i = 0; i < sizeof(unit->rules->prevent_exit.codes); i++)
		both |= unit->rules->prevent_exit.codes[i] & unit->rules->force_exit.codes[i];
	if (!both || !prevent || !force)
		return;
	diag = fault(load, force, "E214", "the same end is in `prevent_exit` and in `force_exit`");
	diag_note(load->diags, diag, prevent->at, "`prevent_exit` is here");
}

static void reload_check(struct load *load, const struct plan_unit *unit)
{
	struct node *signal = draft_node(load, unit->index, FIELD_RELOAD_SIGNAL);
	struct node *command = draft_node(load, unit->index, FIELD_RELOAD_COMMAND);

	if (signal && command)
		diag_note(load->diags,
			fault_key(load, command, "E217", "`reload` is a signal or a command"),
			signal->at, "the signal is here");
}

/* A field that only one type knows, given to another. */
static void of_type_check(struct load *load, const struct plan_unit *unit, enum field_id field,
	enum plan_type type)
{
	static const char *const names[] = {"exec", "notify", "notify-fd", "oneshot", "forking"};
	struct node *node = draft_node(load, unit->index, field);
	struct diag *diag;

	/* What `defaults` say is for those whom it concerns. */
	if (!node || unit->type == type ||
		!node_find(load, load->drafts[unit->index].map, node->key))
		return;
	diag = fault_key(
		load, node, "E218", "`%s` is for `type: %s` alone", node->key, names[type]);
	diag_help(load->diags, diag, "say `type: %s`, or leave it out", names[type]);
}

static void type_check(struct load *load, const struct plan_unit *unit)
{
	struct node *type = draft_node(load, unit->index, FIELD_TYPE);

	of_type_check(load, unit, FIELD_REMAIN_AFTER_EXIT, PLAN_ONESHOT);
	of_type_check(load, unit, FIELD_NOTIFY_FD, PLAN_NOTIFY_FD);
	of_type_check(load, unit, FIELD_PID_FILE, PLAN_FORKING);
	if (unit->type == PLAN_FORKING && unit->kind == PLAN_PROCESS && !unit->ways->pid_file)
		(void)fault(load, type, "E203",
			"a forking program needs `pid_file`: how else would one know which process it is?");
	if (unit->kind == PLAN_FIBER && (unit->type == PLAN_NOTIFY_FD || unit->type == PLAN_FORKING))
		(void)fault(load, type, "E218", "`type: %s` is not for a fiber",
			unit->type == PLAN_FORKING ? "forking" : "notify-fd");
}

/* Less than that, and effd would do nothing but see that another run is due. */
#define EVERY_LEAST EFF_MS(1)

static void schedule_check(struct load *load, const struct plan_unit *unit)
{
	const struct plan_source *source = load->source;
	struct node *every = draft_node(load, unit->index, FIELD_SCHEDULE_EVERY);
	struct node *cron = draft_node(load, unit->index, FIELD_SCHEDULE_CRON);
	struct node *zone = draft_node(load, unit->index, FIELD_SCHEDULE_TIMEZONE);

	if (every && cron)
		diag_note(load->diags,
			fault_key(load, cron, "E314", "`schedule` is `every` or `cron`, not both"),
			every->at, "`every` is here");
	if (every && unit->rules->schedule.every_ns > 0 && unit->rules->schedule.every_ns < EVERY_LEAST)
		(void)fault(load, every, "E209", "`schedule.every` must be at least 1ms");
	if (zone && source->zone && !source->zone(source->context, unit->rules->schedule.zone))
		(void)fault(load, zone, "E210", "there is no time zone `%s`",
			unit->rules->schedule.zone);
}

static void activate_check(struct load *load, const struct plan_unit *unit)
{
	struct node *activate = draft_node(load, unit->index, FIELD_ACTIVATE);
	struct node *schedule = draft_node(load, unit->index, FIELD_SCHEDULE_EVERY);

	if (!activate || unit->activate != PLAN_ON_DEMAND)
		return;
	if (!schedule)
		schedule = draft_node(load, unit->index, FIELD_SCHEDULE_CRON);
	if (schedule)
		diag_note(load->diags,
			fault(load, activate, "E314",
				"a unit runs by its `schedule` or on demand, not both"),
			schedule->at, "the schedule is here");
	if (unit->kind != PLAN_PROCESS)
		(void)fault(load, activate, "E218", "`activate: on-demand` is not for %s",
			unit->kind == PLAN_FIBER ? "a fiber" : "a supervisor");
	else if (!draft_node(load, unit->index, FIELD_SOCKETS))
		diag_help(load->diags,
			fault(load, activate, "E203",
				"`activate: on-demand` needs `sockets`: `%s`", unit->name),
			"name those whose first visitor starts it: `sockets: [NAME]`");
}

static void stop_check(struct load *load, const struct plan_unit *unit)
{
	struct node *signal = draft_node(load, unit->index, FIELD_STOP_SIGNAL);
	struct node *timeout = draft_node(load, unit->index, FIELD_STOP_TIMEOUT);

	if (signal && unit->ways->stop.signal == 9)
		(void)fault(load, signal, "W410", "SIGKILL gives no chance to end well");
	if (timeout && unit->ways->stop.timeout_ns == 0)
		(void)fault(load, timeout, "W410", "a timeout of 0 is a kill at once");
	if (timeout && unit->ways->stop.timeout_ns == PLAN_FOREVER)
		(void)fault(load, timeout, "W410",
			"without a timeout only `shutdown_timeout` ends a unit that ignores its signal");
}

static void hooks_check(struct load *load, const struct plan_unit *unit)
{
	static const enum field_id hooks[] = {FIELD_PRE_START, FIELD_ON_READY, FIELD_POST_STOP,
		FIELD_ON_FAILURE, FIELD_ON_GIVE_UP};
	const struct plan_hook *hook = &unit->rules->hooks.pre_start;
	size_t i;

	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++, hook++) {
		struct node *timeout = draft_node(load, unit->index, hooks[i] + 2);

		if (timeout && !hook->argv)
			(void)fault(load, timeout, "E203", "`%s` needs `command`",
				field_row(hooks[i])->face.name);
		program_check(load, unit, hooks[i] + 1, hook->argv);
	}
}

static void probe_check(
	struct load *load, const struct plan_unit *unit, enum field_id section, plan_strv argv)
{
	program_check(load, unit, section + (enum field_id)PROBE_EXEC + 1, argv);
}

/* A condition that was written, and says less or more than the other can tell. */
static void condition_check(struct load *load, const struct plan_need *need, struct node *node)
{
	struct node *condition = node_find(load, node, "condition");
	const struct plan_unit *other = &load->units[need->unit];
	struct diag *diag = NULL;

	if (!condition || condition->told || node_is_null(condition))
		return;
	if (need->condition == PLAN_STARTED && other->kind != PLAN_SUPERVISOR &&
		other->type != PLAN_ONESHOT && has_readiness(other))
		diag = fault(load, condition, "W409",
			"`%s` can tell when it is ready, and `started` does not wait for that",
			other->name);
	else if (need->condition == PLAN_READY && !has_readiness(other))
		diag = fault(load, condition, "W409",
			"`%s` has nothing that tells when it is ready: this means `started`",
			other->name);
	diag_note(load->diags, diag, other->at, "`%s` is here", other->name);
}

/* The needs are those of the mapping's entries that were good, in their order. */
static void conditions_check(struct load *load, const struct plan_unit *unit)
{
	struct node *map = draft_node(load, unit->index, FIELD_DEPENDS_ON), *node;
	uint32_t i = 0;

	for (node = map ? map->first : NULL; node; node = node->next)
		while (i < unit->n_needs && node->key_at.line == unit->needs[i].at.line &&
			node->key_at.column == unit->needs[i].at.column)
			condition_check(load, &unit->needs[i++], node);
}

static void unit_check(struct load *load, const struct plan_unit *unit)
{
	backoff_check(load, unit);
	ends_check(load, unit);
	conditions_check(load, unit);
	policy_check(load, unit);
	if (unit->kind != PLAN_SUPERVISOR) {
		type_check(load, unit);
		log_check(load, unit);
	}
	stop_check(load, unit);
	replicas_check(load, unit);
	schedule_check(load, unit);
	activate_check(load, unit);
	hooks_check(load, unit);
	if (unit->kind == PLAN_FIBER)
		builtin_check(load, unit);
	if (unit->kind != PLAN_PROCESS)
		return;
	reload_check(load, unit);
	program_check(load, unit, FIELD_COMMAND, unit->argv);
	program_check(load, unit, FIELD_STOP_COMMAND, unit->ways->stop.command);
	program_check(load, unit, FIELD_RELOAD_COMMAND, unit->ways->reload_command);
	probe_check(load, unit, FIELD_STARTUP, unit->rules->startup.argv);
	probe_check(load, unit, FIELD_READINESS, unit->rules->readiness.argv);
	probe_check(load, unit, FIELD_LIVENESS, unit->rules->liveness.argv);
	folder_check(load, unit);
	who_check(load, unit);
	terms_check(load, unit);
	shell_check(load, unit);
	forks_check(load, unit);
	secrets_check(load, unit);
}

void units_check(struct load *load)
{
	uint32_t i;

	for (i = 1; i < load->n_units && !load->failed; i++)
		unit_check(load, &load->units[i]);
	socket_check(load);
	clients_check(load);
}
