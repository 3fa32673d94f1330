/* SPDX-License-Identifier: MIT */
/* What probes meet, and files: tables in memory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake_parts.h"

/* ── ports and sockets ── */

static struct fake_door *door_find(const struct os_fake *fake, const char *path, uint16_t port)
{
	for (struct fake_door *d = fake->doors; d; d = d->next)
		if (path ? d->path && !strcmp(d->path, path) : !d->path && d->port == port)
			return d;
	return NULL;
}

static void door_set(
	struct os_fake *fake, const char *path, uint16_t port, const struct fake_door *to)
{
	struct fake_door *d = door_find(fake, path, port);

	if (!d) {
		d = fake_zalloc(sizeof(*d));
		d->path = path ? strdup(path) : NULL;
		d->port = port;
		d->next = fake->doors;
		fake->doors = d;
	}
	d->answer = to->answer;
	d->latency = to->latency;
}

void os_fake_port(struct os_fake *fake, uint16_t port, int answer, eff_ns latency)
{
	door_set(fake, NULL, port, &(struct fake_door){.answer = answer, .latency = latency});
}

void os_fake_socket(struct os_fake *fake, const char *path, int answer, eff_ns latency)
{
	door_set(fake, path, 0, &(struct fake_door){.answer = answer, .latency = latency});
}

unsigned os_fake_asked(const struct os_fake *fake)
{
	return fake->n_asked;
}

static int door_ask(struct os_fake *fake, const char *path, uint16_t port)
{
	const struct fake_door *d = door_find(fake, path, port);
	int answer = d ? d->answer : -ECONNREFUSED;
	int r;

	fake->n_asked++;
	r = d && d->latency > 0 ? eff_sleep(d->latency) : eff_yield();
	return r < 0 ? r : answer;
}

int fake_connect_tcp(struct os *os, const char *host, uint16_t port)
{
	int r = door_ask(fake_of(os), NULL, port);

	(void)host;
	return r > 0 ? 0 : r;
}

int fake_connect_unix(struct os *os, const char *path)
{
	int r = door_ask(fake_of(os), path, 0);

	return r > 0 ? 0 : r;
}

int fake_http_get(struct os *os, const struct os_http *request)
{
	return door_ask(fake_of(os), request->port ? NULL : request->path_unix, request->port);
}

int fake_file_there(struct os *os, const char *path)
{
	int r = door_ask(fake_of(os), path, 0);

	return r == -ECONNREFUSED ? -ENOENT : r > 0 ? 0 : r;
}

/* What the door of this path answers is the pid. */
int fake_pid_file(struct os *os, const char *path, pid_t *ret_pid)
{
	int r = door_ask(fake_of(os), path, 0);

	if (r > 0)
		*ret_pid = r;
	return r == -ECONNREFUSED ? -ENOENT : r > 0 ? 0 : -EINVAL;
}

/* ── files ── */

static struct os_file *file_find(const struct os_fake *fake, const char *path)
{
	for (struct os_file *f = fake->files; f; f = f->next)
		if (!strcmp(f->path, path))
			return f;
	return NULL;
}

struct os_file *fake_file(struct os_fake *fake, const char *path, bool make)
{
	struct os_file *f = file_find(fake, path);

	if (!f && make) {
		f = fake_zalloc(sizeof(*f));
		f->fake = fake;
		f->path = strdup(path);
		f->next = fake->files;
		fake->files = f;
	}
	return f;
}

int fake_read_state(struct os *os, const char *path, char *buf, size_t size)
{
	const struct os_file *f = file_find(fake_of(os), path);
	int r = fake_of(os)->state_takes > 0 ? eff_sleep(fake_of(os)->state_takes) : 0;

	if (r < 0)
		return r;
	if (!f)
		return -ENOENT;
	(void)snprintf(buf, size, "%s", f->bytes.bytes ? f->bytes.bytes : "");
	return 0;
}

int fake_write_state(struct os *os, const char *path, const char *text)
{
	struct os_file *f;

	if (fake_of(os)->disk_full)
		return -ENOSPC;
	f = fake_file(fake_of(os), path, true);
	f->removed = false;
	text_done(&f->bytes);
	f->bytes = (struct text){0};
	text_add(&f->bytes, text);
	return 0;
}

int fake_write_stdout(struct os *os, const void *bytes, size_t size)
{
	struct os_fake *fake = fake_of(os);

	if (fake->stdout_full)
		return -EAGAIN;
	text_add_bytes(&fake->out, bytes, size);
	return 0;
}

const char *os_fake_file(const struct os_fake *fake, const char *path)
{
	const struct os_file *f = file_find(fake, path);

	if (!f || f->removed)
		return NULL;
	return f->bytes.bytes ? f->bytes.bytes : "";
}

void os_fake_state_takes(struct os_fake *fake, eff_ns takes)
{
	fake->state_takes = takes;
}

struct os *os_fake_seam(struct os_fake *fake)
{
	return &fake->os;
}

void os_fake_disk_full(struct os_fake *fake, bool full)
{
	fake->disk_full = full;
}

const char *os_fake_stdout(const struct os_fake *fake)
{
	return fake->out.bytes ? fake->out.bytes : "";
}

void os_fake_stdout_full(struct os_fake *fake, bool full)
{
	fake->stdout_full = full;
}

unsigned os_fake_reads(const struct os_fake *fake)
{
	return fake->n_reads;
}

void os_fake_use(struct os_fake *fake, struct os_usage used)
{
	fake->used = used;
}

unsigned os_fake_usages(const struct os_fake *fake)
{
	return fake->n_usages;
}

size_t os_fake_open_files(const struct os_fake *fake)
{
	size_t n = 0;

	for (const struct os_file *f = fake->files; f; f = f->next)
		n += f->opened;
	return n;
}

void fake_doors_free(struct os_fake *fake)
{
	fake_jobs_end(fake);
	for (struct fake_door *d; (d = fake->doors);) {
		fake->doors = d->next;
		free(d->path);
		free(d);
	}
	for (struct os_file *f; (f = fake->files);) {
		fake->files = f->next;
		text_done(&f->bytes);
		free(f->path);
		free(f);
	}
	text_done(&fake->out);
	text_done(&fake->records);
}
