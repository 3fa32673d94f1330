/* SPDX-License-Identifier: MIT */
/* A command beside the unit's process: an exec probe, a stop or a reload command. It runs with the unit's user, folder,
 * environment and terms, in a session of its own, and nothing of it outlives it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/text.h"
#include "unit/internal.h"

/* How long a kill may take. */
#define GONE_WITHIN EFF_S(5)

/* Kill what is there. Is there something? */
static bool command_kill(struct os *os, struct os_child *process)
{
	bool there = os->ops->left(process, NULL, 0) > 0;

	if (there)
		(void)os->ops->signal(process, SIGKILL, OS_GROUP);
	return there;
}

/* Wait until it is gone: a kill takes no time of its own to be granted. False: somebody ended the wait. */
static bool command_await_gone(struct os *os, struct os_child *process)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), GONE_WITHIN));
	r = os->ops->await_gone(process);
	(void)eff_scope_close(&within);
	return r == 0 || eff_check() == 0;
}

/* To the end, whatever there is to be done meanwhile. */
static void command_end(struct os *os, struct os_child *process)
{
	eff_masked before = eff_mask();

	(void)command_await_gone(os, process);
	os->ops->free(process);
	eff_unmask(before);
}

/* A command that was killed, is not gone, and holds up nobody but the end of its unit's run. */
struct lingering {
	struct lingering *next;
	struct os_child *process;
};

static bool command_linger(struct unit *u, struct os_child *process)
{
	struct lingering *l = alloc_new(sizeof(*l));

	if (!l)
		return false;
	*l = (struct lingering){.next = u->lingering, .process = process};
	u->lingering = l;
	return true;
}

void commands_close(struct unit *u)
{
	eff_masked before = eff_mask();
	struct eff_scope within;
	struct lingering *l;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), GONE_WITHIN));
	while ((l = u->lingering)) {
		u->lingering = l->next;
		command_end(u->world->os, l->process);
		free(l);
	}
	(void)eff_scope_close(&within);
	eff_unmask(before);
}

void command_close(struct unit *u, struct command *command)
{
	struct os *os = u->world->os;
	struct os_child *process = command->process;
	bool gone;

	command->process = NULL;
	if (!process)
		return;
	gone = !command_kill(os, process) || (command->lingers && command_await_gone(os, process));
	if (gone)
		os->ops->free(process);
	else if (!command->lingers || !command_linger(u, process))
		command_end(os, process);
}

/* Read what it has printed to the end; what it left behind has no say in when that comes. */
static void command_drain(struct os *os, struct os_child *process, struct pump *pump)
{
	eff_masked before = eff_mask();
	struct eff_scope within;

	if (os->ops->left(process, NULL, 0) > 0)
		(void)os->ops->signal(process, SIGKILL, OS_GROUP);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), EFF_S(1)));
	(void)pump_await(pump);
	(void)eff_scope_close(&within);
	pump_stop(pump);
	eff_unmask(before);
}

/* In a frame of its own: the spawn before it waits, too. */
__attribute__((noinline)) static int command_await(
	struct unit *u, struct os_child *process, struct command *command)
{
	struct os *os = u->world->os;
	struct pump pump = {.process = NULL};
	int r = 0;

	if (!command->quiet)
		r = pump_start(&pump,
			&(struct pump_spec){.unit = u,
				.process = process,
				.stream = OS_STDOUT,
				.scope = eff_scope_current()});
	if (r == 0)
		r = os->ops->await_end(process, &command->end);
	command_drain(os, process, &pump);
	if (r < 0)
		return r;
	return command->end.signal == 0 && command->end.code == 0 ? 0 : -EIO;
}

/* The environment with some more in it; NULL: no memory. What it points to stays its owners'. */
static const char **environment_with(plan_strv environment, plan_strv more)
{
	size_t n = 0, k = 0;
	const char **both;

	while (environment && environment[n])
		n++;
	while (more && more[k])
		k++;
	both = calloc(n + k + 1, sizeof(*both));
	if (!both)
		return NULL;
	for (size_t i = 0; i < n; i++)
		both[i] = environment[i];
	for (size_t i = 0; i < k; i++)
		both[n + i] = more[i];
	return both;
}

/* What a command leaves is killed whatever is said of the unit's own program, so it is held as well as may be. */
static enum os_all all_of(const struct plan_unit *spec, plan_strv argv)
{
	if (argv != spec->argv || spec->ways->stop.mode == PLAN_STOP_AUTO ||
		spec->ways->stop.mode == PLAN_STOP_MIXED)
		return OS_ALL_BEST;
	return spec->ways->stop.mode == PLAN_STOP_CGROUP ? OS_ALL_CGROUP : OS_ALL_KIN;
}

struct os_spawn unit_spawn(struct unit *u, plan_strv argv)
{
	static const enum os_place places[] = {
		[PLAN_RUNTIME] = OS_RUNTIME, [PLAN_STATE] = OS_STATE, [PLAN_CACHE] = OS_CACHE, [PLAN_LOGS] = OS_LOGS};
	const struct plan_unit *spec = u->spec;
	const struct plan_process *more = spec->more;
	struct os_spawn spawn = {
		.unit = u->name,
		.argv = argv,
		.environment = spec->environment,
		.working_dir = spec->working_dir,
		.user = spec->user,
		.group = spec->group,
		.umask = spec->ways->umask,
		.view = &u->view,
		.all = all_of(spec, argv),
	};

	if (!more)
		return spawn;
	spawn.terms = &more->terms;
	spawn.root_dir = more->root_dir;
	spawn.groups = more->groups;
	spawn.private_tmp = more->private_tmp;
	spawn.read_only = more->read_only_paths;
	spawn.filter = more->filter;
	spawn.directories_mode = more->directories_mode;
	/* Beside its own program they are there. */
	for (int i = 0; i < PLAN_N_PLACES && !u->process; i++)
		spawn.directories[places[i]] = more->directories[i];
	return spawn;
}

void unit_close_view(struct unit *u)
{
	eff_masked before = eff_mask();
	struct os_view *view = u->view;
	char what[256];
	int r;

	u->view = NULL;
	r = u->world->os->ops->close_view(view, what, sizeof(what));
	if (r < 0) {
		char words[COMMAND_WORDS * 2];

		(void)snprintf(words, sizeof(words), "%s: %s", what, errno_name(-r));
		u->world->hooks->on_event(u, "left_behind", words);
	}
	eff_unmask(before);
}

void unit_close_kept(struct unit *u)
{
	u->world->os->ops->close_kept(u->kept);
	u->kept = NULL;
}

int command_run(struct unit *u, struct command *command)
{
	struct os *os = u->world->os;
	struct plan *plan = plan_ref(u->plan);
	auto_free const char **environment = environment_with(u->spec->environment, command->more);
	struct os_spawn spawn = unit_spawn(u, command->argv);
	struct os_child *process = NULL;
	int r = -ENOMEM;

	spawn.environment = environment;
	spawn.out = command->quiet ? OS_NULL : OS_CAPTURE;
	spawn.err = OS_MERGE;
	command->end = (struct os_end){.code = -1};
	command->fault = (struct os_fault){0};
	if (environment)
		r = os->ops->spawn(os, &spawn, &process, &command->fault);
	if (r == 0)
		r = command_await(u, process, command);
	command->process = process;
	if (!command->lingers && r != -ECHILD)
		command_close(u, command);
	plan_unref(plan);
	return r;
}

void command_words(const struct command *command, int r, char words[static COMMAND_WORDS])
{
	const struct os_fault *fault = &command->fault;
	char sig[16];

	if (r == -ECHILD && fault->stage)
		(void)snprintf(words, COMMAND_WORDS, "%s: %s (%s): %s", fault->stage,
			errno_name(fault->error), strerror(fault->error),
			fault->what ? fault->what : "");
	else if (r == -EIO && command->end.signal)
		(void)snprintf(words, COMMAND_WORDS, "%s", signal_text(command->end.signal, sig));
	else if (r == -EIO)
		(void)snprintf(words, COMMAND_WORDS, "exit %d", command->end.code);
	else
		(void)snprintf(words, COMMAND_WORDS, "%s", errno_name(-r));
}

/* One that says that it is at it says too when it is done. */
static int await_reloaded(struct unit *u)
{
	int r = 0;

	while (r == 0 && u->reloading && u->started)
		r = eff_pulse_await(&u->changed);
	return r;
}

struct reload_run {
	struct unit *unit;
	char *words; /* how it failed; NULL */
	int result;
};

/* In a frame of its own: most do not fail. */
__attribute__((noinline)) static char *words_new(const struct command *command, int r)
{
	char words[COMMAND_WORDS];

	command_words(command, r, words);
	return strdup(words);
}

static eff_exit reload_command_run(void *arg)
{
	struct reload_run *run = arg;
	struct command command = {.argv = run->unit->spec->ways->reload_command};
	struct plan *plan = plan_ref(run->unit->plan); /* as in hook_run() */

	/* It may have been taken away before this began. */
	run->result = command.argv ? command_run(run->unit, &command) : -ENOTSUP;
	if (run->result == -EIO || run->result == -ECHILD)
		run->words = words_new(&command, run->result);
	command_close(run->unit, &command);
	plan_unref(plan);
	return eff_ok(NULL);
}

/* It ends with the unit's run, if not before. Returns -EINTR where it did. */
static int reload_by_command(struct unit *u, char **ret_words)
{
	struct reload_run run = {.unit = u, .result = -ECANCELED};
	struct eff_fiber *fiber = NULL;
	int r = eff_fork_in(u->run, EFF(reload_command_run, &run), &fiber);

	if (r < 0)
		return r;
	u->reloads++;
	r = eff_await(fiber, NULL);
	if (r < 0) {
		eff_masked before = eff_mask();

		(void)eff_interrupt(fiber, NULL);
		eff_unmask(before);
	}
	eff_fiber_unref(fiber);
	u->reloads--;
	*ret_words = run.words;
	if (r < 0)
		return r;
	return run.result == -ECANCELED ? -EINTR : run.result;
}

int unit_may_reload(const struct unit *u)
{
	if (!u->spec->ways->reload_command && u->spec->ways->reload_signal == 0)
		return -ENOTSUP;
	return u->process && u->started && u->run ? 0 : -ESRCH;
}

/* The command, and what the program says of it, have the time that a start has. */
static int reload_in_time(struct unit *u, char **ret_words)
{
	struct eff_scope within;
	bool has_run;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), u->spec->ways->start_timeout_ns));
	r = reload_by_command(u, ret_words);
	has_run = r == 0;
	if (has_run)
		r = await_reloaded(u);
	/* The time of somebody around us is theirs to tell of. */
	if (eff_scope_close(&within) != -ETIMEDOUT || r != -ETIMEDOUT)
		return r;
	if (!has_run && !*ret_words)
		*ret_words = strdup("took too long");
	return has_run ? -ETIME : -EIO;
}

int unit_reload(struct unit *u, char **ret_words)
{
	const struct plan_unit *spec = u->spec;
	int r = unit_may_reload(u);

	*ret_words = NULL;
	if (r < 0)
		return r;
	if (spec->ways->reload_command) {
		u->n_users++;
		r = reload_in_time(u, ret_words);
		u->n_users--;
		eff_pulse_send(&u->changed);
		return r;
	}
	return u->world->os->ops->signal(u->process, spec->ways->reload_signal, OS_MAIN);
}
