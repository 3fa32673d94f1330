/* SPDX-License-Identifier: MIT */
/* What happens to log files besides being written to. An entry of the table keeps its path, so it is contents that move. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake_parts.h"

enum { PATH_BYTES = 512 };

/* Work on logs whose wait was ended. */
struct fake_job {
	struct fake_job *next;
	void (*fn)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void run_alone(struct os_fake *fake, void (*fn)(void *arg), void *arg)
{
	fake->at_logs = true;
	fn(arg);
	fake->at_logs = false;
}

void fake_jobs_end(struct os_fake *fake)
{
	struct fake_job *job;

	while ((job = fake->jobs) != NULL) {
		fake->jobs = job->next;
		run_alone(fake, job->fn, job->arg);
		run_alone(fake, job->done, job->arg);
		free(job);
	}
}

/* As on a thread: never at once. */
int fake_with_logs(struct os *os, const char *folder, void (*fn)(void *arg), void *arg,
	void (*done)(void *arg))
{
	struct os_fake *fake = fake_of(os);
	int r = eff_yield();
	struct fake_job *job;

	(void)folder;
	while (r == 0 && fake->disk_hangs)
		r = eff_pulse_await(&fake->disk_answers);
	if (r < 0 && fake->threads_hang)
		return r;
	if (r == 0) {
		fake->n_visits++;
		run_alone(fake, fn, arg);
		return 0;
	}
	job = fake_zalloc(sizeof(*job));
	*job = (struct fake_job){.next = fake->jobs, .fn = fn, .done = done, .arg = arg};
	fake->jobs = job;
	return -EINPROGRESS;
}

void os_fake_disk_hangs(struct os_fake *fake, bool hangs)
{
	fake->disk_hangs = hangs;
	if (hangs)
		return;
	fake_jobs_end(fake);
	eff_pulse_send(&fake->disk_answers);
}

void os_fake_threads_hang(struct os_fake *fake, bool hang)
{
	fake->threads_hang = hang;
	os_fake_disk_hangs(fake, hang);
}

unsigned os_fake_visits(const struct os_fake *fake)
{
	return fake->n_visits;
}

/* Calls on log files are made by who is at work on them alone. */
static void expect_at_logs(const struct os_file *file, const char *call)
{
	if (!file->fake->at_logs)
		fake_breach(file->fake, "%s of %s by who is not at work on logs", call, file->path);
}

int fake_open_log(struct os *os, const char *path, struct os_file **ret_file)
{
	struct os_file *f = fake_file(fake_of(os), path, true);

	expect_at_logs(f, "open");
	f->removed = false;
	f->opened++;
	*ret_file = f;
	return 0;
}

int fake_append(struct os_file *file, const void *bytes, size_t size)
{
	expect_at_logs(file, "append");
	if (!file->opened)
		fake_breach(file->fake, "append to %s, which is closed", file->path);
	if (file->fake->disk_full)
		return -ENOSPC;
	text_add_bytes(&file->bytes, bytes, size);
	file->written_at = eff_wall() - file->fake->files_late;
	return 0;
}

void os_fake_append(struct os_fake *fake, const char *path, const char *text)
{
	text_add(&fake_file(fake, path, false)->bytes, text);
}

int fake_cut_log(struct os_file *file, uint64_t from, uint64_t to)
{
	expect_at_logs(file, "cut");
	if (file->bytes.len != from)
		return -EBUSY;
	file->bytes.len = to;
	file->bytes.bytes[to] = '\0';
	return 0;
}

void fake_close_log(struct os_file *file)
{
	if (!file->opened)
		fake_breach(file->fake, "%s is closed twice", file->path);
	else
		file->opened--;
}

int fake_look_at_log(struct os_file *file, struct os_log_look *ret_look)
{
	expect_at_logs(file, "look");
	if (!file->opened)
		fake_breach(file->fake, "a look at %s, which is closed", file->path);
	*ret_look = (struct os_log_look){
		.size = file->bytes.len, .written_at = file->written_at, .regular = true};
	return 0;
}

void os_fake_files_late(struct os_fake *fake, eff_ns by)
{
	fake->files_late = by;
}

static struct os_file *numbered(
	const struct os_file *file, unsigned number, const char *ending, bool make)
{
	char path[PATH_BYTES];
	struct os_file *f;

	(void)snprintf(path, sizeof(path), "%s.%u%s", file->path, number, ending);
	f = fake_file(file->fake, path, make);
	return f && (make || !f->removed) ? f : NULL;
}

static void file_remove(struct os_file *f)
{
	text_done(&f->bytes);
	f->bytes = (struct text){0};
	f->removed = true;
}

static void file_rename(struct os_file *from, struct os_file *to)
{
	file_remove(to);
	to->bytes = from->bytes;
	to->written_at = from->written_at;
	to->removed = false;
	from->bytes = (struct text){0};
	from->removed = true;
}

static void move_on(const struct os_file *file, unsigned number, bool remove, const char *ending)
{
	struct os_file *f = numbered(file, number, ending, false);

	if (f && remove)
		file_remove(f);
	else if (f)
		file_rename(f, numbered(file, number + 1, ending, true));
}

int fake_rotate_log(struct os_file *file, unsigned keep)
{
	unsigned number = 1;

	expect_at_logs(file, "rotate");
	if (file->fake->rename_error)
		return -file->fake->rename_error;
	while (numbered(file, number, "", false) || numbered(file, number, ".gz", false))
		number++;
	while (--number > 0) {
		move_on(file, number, number >= keep, "");
		move_on(file, number, number >= keep, ".gz");
	}
	if (keep > 0)
		file_rename(file, numbered(file, 1, "", true));
	else
		file_remove(file);
	file->removed = false;
	return 0;
}

void os_fake_renames_fail(struct os_fake *fake, int error)
{
	fake->rename_error = error;
}

void os_fake_gzip(struct os_fake *fake, eff_ns takes, int error)
{
	fake->gzip_takes = takes;
	fake->gzip_error = error;
}

unsigned os_fake_gzips(const struct os_fake *fake)
{
	return fake->n_gzips;
}

/* The number of the last that is no archive; or of the one with these contents. 0: none. */
static unsigned number_of(const struct os_file *file, const char *bytes)
{
	unsigned found = 0;

	for (unsigned number = 1;; number++) {
		struct os_file *f = numbered(file, number, "", false);

		if (f && (!bytes || f->bytes.bytes == bytes))
			found = number;
		if (!f && !numbered(file, number, ".gz", false))
			return found;
	}
}

static void archive_make(const struct os_file *file, unsigned number)
{
	struct os_file *from = numbered(file, number, "", false);
	struct os_file *to = numbered(file, number, ".gz", true);

	file_remove(to);
	text_add(&to->bytes, "gz:");
	text_add_bytes(&to->bytes, from->bytes.bytes, from->bytes.len);
	to->removed = false;
	file_remove(from);
}

int fake_compress_log(struct os *os, const char *path)
{
	struct os_fake *fake = fake_of(os);
	struct os_file *file = fake_file(fake, path, true);
	unsigned number = number_of(file, NULL);
	const char *bytes;
	int r;

	if (number == 0)
		return 0;
	fake->n_gzips++;
	if (fake->gzips_at_once++ > 0)
		fake_breach(fake, "two gzips at once");
	bytes = numbered(file, number, "", false)->bytes.bytes;
	r = eff_sleep(fake->gzip_takes);
	fake->gzips_at_once--;
	if (r == 0)
		r = -fake->gzip_error;
	number = r == 0 ? number_of(file, bytes) : 0;
	if (number > 0)
		archive_make(file, number);
	return r < 0 ? r : 1;
}

int fake_send_record(struct os *os, const struct os_record *record)
{
	struct os_fake *fake = fake_of(os);

	if (fake->record_error && eff_now() < fake->record_error_until) {
		fake->n_refused++;
		return -fake->record_error;
	}
	text_printf(&fake->records, "%s %d %s %s: ", record->to_journal ? "journal" : "syslog",
		record->priority, record->unit, record->stream == OS_STDERR ? "stderr" : "stdout");
	text_add_bytes(&fake->records, record->text, record->len);
	text_add(&fake->records, "\n");
	return 0;
}

const char *os_fake_records(const struct os_fake *fake)
{
	return fake->records.bytes ? fake->records.bytes : "";
}

void os_fake_records_fail(struct os_fake *fake, int error)
{
	fake->record_error = error;
	fake->record_error_until = EFF_FOREVER;
}

void os_fake_records_fail_for(struct os_fake *fake, int error, eff_ns duration)
{
	fake->record_error = error;
	fake->record_error_until = eff_now() + duration;
}

unsigned os_fake_refused(const struct os_fake *fake)
{
	return fake->n_refused;
}
