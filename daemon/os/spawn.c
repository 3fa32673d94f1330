/* SPDX-License-Identifier: MIT */
/* Making a child out of what the unit asks for: ids, descriptors, the environment, its control group; its descriptors are
 * made in streams.c, its steps in steps.c.
 *
 * A record holds a copy of all that the library may read until the program runs, so that a child on a hung file system
 * holds up nobody and outlives who started it; the library's release gives it back. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eff/fiber.h>
#include <eff/io.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "os/internal.h"

struct record {
	struct arena *arena;
	struct unborn unborn;
	struct ids *ids; /* NULL: effd's own */
	struct eff_spawn spawn;
	int *fds; /* n_fds of the spawn */
};

static void record_free(void *arg)
{
	struct record *record = arg;

	if (!record)
		return;
	os_gate_born(&record->unborn);
	os_ids_free(record->ids);
	arena_free(record->arena);
	free(record);
}

/* ── the child ── */

static struct os_child *child_make(struct os_linux *os)
{
	struct os_child *child = alloc_new(sizeof(*child));

	if (!child)
		return NULL;
	child->os = os;
	child->notify.fd = -1;
	os_streams_init(child);
	child->uid = os->uid;
	os_main_init(child);
	eff_list_init(&child->link);
	return child;
}

void linux_child_free(struct os_child *child)
{
	if (!child)
		return;
	eff_list_remove(&child->link);
	/* Where another is the main process, it is the caller's to say what becomes of the first. */
	if (child->main.pid)
		eff_proc_leave(child->proc);
	else
		eff_proc_free(child->proc);
	os_streams_done(child);
	os_main_done(child);
	if (child->cgroup && !child->cgroup->kept)
		os_cgroup_release(child->cgroup);
	os_notify_close(&child->notify);
	os_family_done(&child->family);
	free(child);
}

static int fault_at(struct os_fault *fault, const char *stage, int error, const char *what)
{
	*fault = (struct os_fault){.stage = stage, .error = error, .what = what};
	return -ECHILD;
}

/* The record's own part: all that can fail for want of memory alone. */
static int record_fill(
	struct record *record, const struct os_spawn *spawn, const struct os_child *child)
{
	const char *socket = child->notify.fd >= 0 ? child->notify.path : NULL;
	struct eff_spawn *fill = &record->spawn;
	struct environment environment;
	unsigned n_fds = fill->n_fds;
	struct steps steps;

	if (!os_environment_make(record->arena, spawn, record->ids, socket, &environment) ||
		!os_steps_make(record->arena, child->os, spawn, record->ids, &steps))
		return -ENOMEM;
	for (unsigned i = 0; i < environment.n_pid_entries; i++)
		os_step_add(&steps,
			(struct eff_step){.kind = EFF_STEP_PID_ENTRY,
				.stage = "fork",
				.number = environment.pid_entries[i]});
	if (!os_filter_add(&steps, record->arena, spawn->filter))
		return -ENOMEM;
	*fill = (struct eff_spawn){
		.path = arena_strdup(record->arena, spawn->argv[0]),
		.search = arena_strdup(record->arena, os_search_of(spawn)),
		.argv = os_strings_copy(record->arena, spawn->argv, 0),
		.envp = environment.entries,
		.fds = record->fds,
		.n_fds = n_fds,
		.steps = steps.list,
		.n_steps = steps.n,
		.own_memory = steps.own_memory,
		.ignored = &child->os->ignored,
		.new_session = true,
		.cgroup_fd = child->cgroup ? child->cgroup->fd : 0,
		.release = record_free,
		.context = record,
	};
	return fill->path && fill->search && fill->argv ? 0 : -ENOMEM;
}

/* It was the group that would not take it, and not that there is no room for one more. */
static const char *stage_of(const struct os_child *child, int r)
{
	bool no_room = r == -EAGAIN || r == -ENOMEM || r == -EMFILE || r == -ENFILE;

	return child->cgroup && !no_room ? "cgroup" : "fork";
}

/* Takes the record. */
static int child_start(struct os_child *child, const struct os_spawn *spawn,
	struct record *record, struct os_fault *ret_fault)
{
	const char *stage = "log", *what = spawn->argv[0];
	int r;

	if (record->ids)
		child->uid = record->ids->uid;
	r = os_streams_make(child, spawn, record->arena, &record->fds, &record->spawn.n_fds);
	if (r >= 0 && spawn->notify) {
		stage = "socket";
		r = os_notify_open(child->os, spawn, record->ids, &child->notify);
		if (r < 0 && child->os->fault_what[0])
			what = child->os->fault_what;
	}
	if (r >= 0) {
		stage = "fork";
		r = record_fill(record, spawn, child);
	}
	if (r >= 0) {
		os_gate_made(&child->os->gate, &record->unborn);
		r = eff_spawn(&record->spawn, &child->proc);
		stage = r < 0 ? stage_of(child, r) : stage;
	} else {
		record_free(record);
	}
	os_streams_part(child);
	if (r < 0)
		return fault_at(ret_fault, stage, -r, what);
	child->pid = eff_proc_pid(child->proc);
	if (child->cgroup && child->cgroup->used)
		os_cgroup_renewed(child->cgroup);
	eff_list_append(&child->os->children, &child->link);
	return 0;
}

struct start {
	struct os_child *child;
	const struct os_spawn *spawn;
	struct record *record;
	struct os_fault *ret_fault;
	int result;
};

static void start_now(void *arg)
{
	struct start *s = arg;

	s->result = child_start(s->child, s->spawn, s->record, s->ret_fault);
}

/* What was the matter, in the words of who asked. */
static void fault_tell(struct os_linux *os, const struct os_spawn *spawn,
	const struct eff_spawn_fault *fault, struct os_fault *ret_fault)
{
	(void)fault_at(ret_fault, NULL, fault->error, spawn->argv[0]);
	if (!fault->stage)
		return;
	os_step_fault(spawn, fault->stage, ret_fault);
	/* What a script in another root asks for is not to be found from here. */
	if (fault->error == ENOENT && !spawn->root_dir && strcmp(fault->stage, "exec") == 0 &&
		os_interpreter_missing(
			spawn, os_search_of(spawn), os->fault_what, sizeof(os->fault_what)))
		ret_fault->what = os->fault_what;
}

static int record_new(struct os_linux *os, const struct os_spawn *spawn,
	struct record **ret_record, struct os_fault *ret_fault)
{
	struct record *record = alloc_new(sizeof(*record));
	int r = 0;

	if (record)
		record->arena = arena_new();
	if (!record || !record->arena)
		r = fault_at(ret_fault, "fork", ENOMEM, spawn->argv[0]);
	else if (spawn->user || spawn->group || spawn->groups)
		r = os_ids_find(spawn, &record->ids, ret_fault);
	if (r >= 0 && os_view_hold(os, spawn) < 0)
		r = fault_at(ret_fault, "fork", ENOMEM, spawn->argv[0]);
	if (r >= 0)
		r = os_directories_make(os, spawn, record->ids, ret_fault);
	if (r >= 0)
		r = os_view_make(os, spawn, ret_fault);
	if (r < 0)
		record_free(record);
	else
		*ret_record = record;
	return r;
}

static int spawn_once(struct os *os, const struct os_spawn *spawn, struct os_child **ret_child,
	struct os_fault *ret_fault)
{
	struct eff_spawn_fault fault = {0};
	struct start start;
	struct os_child *child;
	struct record *record;
	int r;

	*ret_child = NULL;
	if (!spawn->argv[0] || !*spawn->argv[0])
		return fault_at(ret_fault, "exec", ENOENT, "");
	r = os_gate_await(&linux_of(os)->gate);
	if (r >= 0)
		r = os_cgroup_await_former(&linux_of(os)->cgroups, spawn->unit);
	if (r < 0)
		return r;
	r = record_new(linux_of(os), spawn, &record, ret_fault);
	if (r < 0)
		return r;
	child = child_make(linux_of(os));
	r = child ? os_held_make(child, spawn, ret_fault)
		  : fault_at(ret_fault, "fork", ENOMEM, spawn->argv[0]);
	if (r < 0) {
		record_free(record);
		linux_child_free(child);
		return r;
	}
	start = (struct start){child, spawn, record, ret_fault, 0};
	/* It takes more stack than all that the unit's fiber does after it. */
	eff_deep(start_now, &start);
	r = start.result;
	if (r < 0) {
		linux_child_free(child);
		return r;
	}
	*ret_child = child;
	r = eff_proc_await_exec(child->proc, &fault);
	os_streams_prepare(child->os);
	if (r == -ECHILD)
		fault_tell(child->os, spawn, &fault, ret_fault);
	return r;
}

int linux_spawn(struct os *os, const struct os_spawn *spawn, struct os_child **ret_child,
	struct os_fault *ret_fault)
{
	int r = spawn_once(os, spawn, ret_child, ret_fault);

	while (r == -ECHILD && os_held_mended(linux_of(os), spawn, *ret_child, ret_fault)) {
		linux_child_free(*ret_child);
		r = spawn_once(os, spawn, ret_child, ret_fault);
	}
	return r;
}
