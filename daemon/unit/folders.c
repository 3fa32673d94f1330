/* SPDX-License-Identifier: MIT */
/* Folders of log files, as long as something is done there: a fiber that hands all that came meanwhile for all files of a
 * folder to a thread. A disk that hangs holds up its folder's logs, then, by their on_block, the units that write them, and
 * nothing else; a unit's end and that of all wait for it, but not long. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "unit/internal.h"
#include "unit/logs.h"

/* It stays for so long when nothing comes, and large buffers with it. */
#define AWAKE EFF_S(1)
/* How often it is tried without memory. */
#define TRY_AGAIN EFF_MS(10)

/* A folder with something to do. */
struct log_folder {
	struct eff_list link; /* of the world's */
	struct unit_world *world;
	struct os *os;
	struct eff_list line;    /* files with something to write, or to be closed */
	struct eff_list at_work; /* the thread's */
	struct eff_pulse more;   /* one came into the line */
	eff_ns now, wall;        /* when what is at work began */
	char path[];
};

static void spares_free(struct log_spares *spares)
{
	while (spares->n > 0)
		text_done(&spares->list[--spares->n]);
}

static struct log_folder *folder_find(struct unit_world *world, const char *path, size_t len)
{
	for (struct eff_list *l = world->log_folders.next; l != &world->log_folders; l = l->next) {
		struct log_folder *d = eff_container(l, struct log_folder, link);

		if (strncmp(d->path, path, len) == 0 && d->path[len] == '\0')
			return d;
	}
	return NULL;
}

static void folder_free(struct log_folder *d)
{
	bool had_large = d->world->log_spares.n > 0;

	spares_free(&d->world->log_spares);
	eff_list_remove(&d->link);
	free(d);
	/* What lies between small things that stay does not go by itself. */
	if (had_large)
		alloc_trim();
}

/* The thread's. */
static void folder_work(void *arg)
{
	const struct log_folder *d = arg;

	for (struct eff_list *l = d->at_work.next; l != &d->at_work; l = l->next)
		logfile_work(eff_container(l, struct logfile, line), d->os, d->now, d->wall);
}

/* All that is in line becomes the thread's. */
static void folder_begin(struct log_folder *d)
{
	struct eff_list *l;

	d->now = eff_now();
	d->wall = eff_wall();
	while ((l = eff_list_pop(&d->line)) != NULL) {
		logfile_begin(eff_container(l, struct logfile, line));
		eff_list_append(&d->at_work, l);
	}
}

static void folder_settle(struct log_folder *d)
{
	struct eff_list *l;

	while ((l = eff_list_pop(&d->at_work)) != NULL) {
		struct logfile *f = eff_container(l, struct logfile, line);

		logfile_take_back(f);
		logfile_go_on(f);
	}
}

static void list_leave(struct eff_list *list)
{
	for (struct eff_list *l = list->next; l != list; l = l->next)
		logfile_leave(eff_container(l, struct logfile, line));
}

/* The world ends before the disk has answered: all of it is the thread's from now on. */
static void folder_leave(struct log_folder *d)
{
	list_leave(&d->at_work);
	list_leave(&d->line);
	eff_list_remove(&d->link);
	eff_pulse_send(&d->world->logs_settled);
	d->world = NULL;
}

static void list_close(struct os *os, struct eff_list *list)
{
	for (struct eff_list *l = list->next; l != list; l = l->next) {
		struct logfile *f = eff_container(l, struct logfile, line);

		if (f->file)
			os->ops->close_log(f->file);
	}
}

static void list_drop(struct eff_list *list)
{
	struct eff_list *l;

	while ((l = eff_list_pop(list)) != NULL) {
		struct logfile *f = eff_container(l, struct logfile, line);

		f->file = NULL;
		f->at_work = f->queued = false;
		if (f->n_users == 0)
			logfile_free(f);
	}
}

static void folder_drop(struct log_folder *d)
{
	list_drop(&d->at_work);
	list_drop(&d->line);
	free(d);
}

/* One that was left is done. */
static void folder_close(void *arg)
{
	struct log_folder *d = arg;

	list_close(d->os, &d->at_work);
	list_close(d->os, &d->line);
	folder_drop(d);
}

/* All that there is to do. Suspends. */
static int folder_do(struct log_folder *d)
{
	int r = 0;

	while (r == 0 && !eff_list_empty(&d->line)) {
		folder_begin(d);
		do
			r = d->os->ops->with_logs(d->os, d->path, folder_work, d, folder_close);
		while (r == -ENOMEM && (r = eff_sleep(TRY_AGAIN)) == 0);
		if (r == 0)
			folder_settle(d);
	}
	if (r == 0)
		eff_pulse_send(&d->world->logs_settled);
	return r;
}

/* Suspends. 0; 1: nothing has come for a while; -ECANCELED. */
static int folder_await_more(struct log_folder *d)
{
	struct eff_scope within;
	int r = 0;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), AWAKE));
	while (r == 0 && eff_list_empty(&d->line))
		r = eff_pulse_await(&d->more);
	(void)eff_scope_close(&within);
	if (r == -ECANCELED)
		return r;
	return eff_list_empty(&d->line);
}

static eff_exit folder_run(void *arg)
{
	struct log_folder *d = arg;
	int r;

	do {
		r = folder_do(d);
		if (r == 0)
			r = folder_await_more(d);
	} while (r == 0);
	if (eff_list_empty(&d->line) && eff_list_empty(&d->at_work)) {
		folder_free(d);
		return eff_ok(NULL);
	}
	folder_leave(d);
	/* The files of one that does not get its turn in its time are left as they are, open: a close may wait for the disk. */
	if (r != -EINPROGRESS)
		folder_drop(d);
	return eff_ok(NULL);
}

static struct log_folder *folder_new(struct unit_world *world, const char *path, size_t len)
{
	struct log_folder *d = calloc(1, sizeof(*d) + len + 1);

	if (!d)
		return NULL;
	d->world = world;
	d->os = world->os;
	eff_list_init(&d->line);
	eff_list_init(&d->at_work);
	eff_pulse_init(&d->more);
	memcpy(d->path, path, len);
	if (eff_fork_in(world->beside, EFF(folder_run, d), NULL) < 0) {
		free(d);
		return NULL;
	}
	eff_list_append(&world->log_folders, &d->link);
	return d;
}

void folder_queue(struct logfile *f)
{
	size_t len = folder_span(f->path);
	struct log_folder *d = folder_find(f->world, f->path, len);

	if (f->queued || f->at_work)
		return;
	if (!d && f->world->beside)
		d = folder_new(f->world, f->path, len);
	if (!d) {
		logfile_work_here(f);
		return;
	}
	f->queued = true;
	eff_list_append(&d->line, &f->line);
	eff_pulse_send(&d->more);
}

/* ── the world ── */

void logs_init(struct unit_world *world)
{
	eff_list_init(&world->logs);
	eff_list_init(&world->log_folders);
	eff_pulse_init(&world->logs_settled);
}

static bool all_settled(const struct unit_world *world)
{
	const struct eff_list *folders = &world->log_folders;

	for (struct eff_list *l = folders->next; l != folders; l = l->next) {
		const struct log_folder *d = eff_container(l, struct log_folder, link);

		if (!eff_list_empty(&d->line) || !eff_list_empty(&d->at_work))
			return false;
	}
	return true;
}

int logs_await(struct unit_world *world)
{
	int r = 0;

	while (r == 0 && !all_settled(world))
		r = eff_pulse_await(&world->logs_settled);
	return r;
}

static void list_forget(const struct eff_list *list, const struct unit *u)
{
	for (struct eff_list *l = list->next; l != list; l = l->next) {
		struct logfile *f = eff_container(l, struct logfile, line);
		struct log_batch *batches[] = {&f->writing, &f->waiting};

		for (size_t i = 0; i < 2; i++)
			for (size_t j = 0; j < batches[i]->n_parts; j++)
				if (batches[i]->parts[j].unit == u)
					batches[i]->parts[j].unit = u->world->root;
	}
}

void logs_forget(const struct unit *u)
{
	const struct eff_list *folders = &u->world->log_folders;

	for (struct eff_list *l = folders->next; l != folders; l = l->next) {
		const struct log_folder *d = eff_container(l, struct log_folder, link);

		list_forget(&d->line, u);
		list_forget(&d->at_work, u);
	}
}

/* Its fiber has never begun. */
static void folder_done(struct log_folder *d)
{
	struct eff_list *l;

	while ((l = eff_list_pop(&d->line)) != NULL)
		logfile_work_here(eff_container(l, struct logfile, line));
	free(d);
}

void logs_done(struct unit_world *world)
{
	for (struct eff_list *l = world->log_folders.next, *next; l != &world->log_folders;
		l = next) {
		next = l->next;
		folder_done(eff_container(l, struct log_folder, link));
	}
	eff_list_init(&world->log_folders);
	spares_free(&world->log_spares);
}
