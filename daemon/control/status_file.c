/* SPDX-License-Identifier: MIT */
/* It is written to and not mapped: who cuts a mapped file short ends its writer. Where units are others, or in other places, a
 * new file takes the old one's place, and that says that it is over. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/text.h"
#include "control/access.h"
#include "control/status_file.h"
#include "tree/tree.h"
#include "wire/ledger.h"
#include "wire/varlink.h"

static struct ledger_head head_of(const struct status_file *f, bool is_over)
{
	struct ledger_head head = {
		.magic = LEDGER_MAGIC,
		.is_over = is_over,
		.head_bytes = sizeof(head),
		.record_bytes = sizeof(struct ledger_record),
		.n_units = f->tree->n_units,
		.pid = getpid(),
		.generation = f->generation,
	};

	(void)snprintf(head.version, sizeof(head.version), "%s", EFFD_VERSION);
	ledger_seal_head(&head);
	return head;
}

struct ledger_record status_record(const struct unit *u, uint32_t writes)
{
	const struct cause *end = u->last_exit;
	struct ledger_record record = {
		.writes = writes,
		.since_ns = u->since_wall,
		.starts = u->starts,
		.restarts = u->restarts,
		.pid = u->pid,
		.exit_code = (int16_t)(end ? end->code : -1),
		.exit_signal = (uint8_t)(end ? end->signal : 0),
		.exit_cause = (uint8_t)(end ? end->kind + 1 : 0),
		.state = (uint8_t)u->state,
		.kind = (uint8_t)u->spec->kind,
		.health = (uint8_t)u->health,
	};

	ledger_name(&record, u->name);
	return record;
}

static off_t place_of(uint32_t index)
{
	return (off_t)(sizeof(struct ledger_head) + index * sizeof(struct ledger_record));
}

static int bytes_put(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t n = pwrite(fd, bytes, len, at);

	return n < 0 ? -errno : (size_t)n < len ? -ENOSPC : 0;
}

static void say(struct status_file *f, const char *what, int error)
{
	log_warn("cannot %s the status file %s: %s", what, f->path, strerror(error));
}

/* Who has it open is to look for another one. */
static void file_leave(struct status_file *f)
{
	struct ledger_head head = head_of(f, true);

	if (f->fd < 0)
		return;
	(void)bytes_put(f->fd, &head, sizeof(head), 0);
	(void)close(f->fd);
	f->fd = -1;
}

/* What is not true is to mislead nobody. */
static void file_drop(struct status_file *f)
{
	if (f->fd >= 0)
		(void)unlink(f->path);
	file_leave(f);
}

/* Are files beside this one in memory? */
static bool is_in_memory(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int len = (int)folder_span(path) + 1;
	struct statfs st;

	/* With its slash: it may be the root. */
	return snprintf(folder, sizeof(folder), "%.*s", len, path) < (int)sizeof(folder) &&
		statfs(folder, &st) == 0 && (st.f_type == TMPFS_MAGIC || st.f_type == RAMFS_MAGIC);
}

/* All units as they are, under that name. */
static int file_fill(struct status_file *f, int fd)
{
	struct tree *t = f->tree;
	size_t len = (size_t)place_of(t->n_units);
	auto_free char *bytes = alloc_new(len);
	struct ledger_head head = head_of(f, false);
	mode_t mode = f->group == ACCESS_NO_GROUP ? 0600 : 0640;

	if (!bytes)
		return -ENOMEM;
	if ((f->group != ACCESS_NO_GROUP && fchown(fd, (uid_t)-1, f->group) < 0) ||
		fchmod(fd, mode) < 0)
		return -errno;
	memcpy(bytes, &head, sizeof(head));
	for (uint32_t i = 0; i < t->n_units; i++) {
		struct ledger_record record = status_record(t->units[i], ++f->writes);

		ledger_seal(&record);
		t->units[i]->place = i;
		memcpy(bytes + place_of(i), &record, sizeof(record));
	}
	return bytes_put(fd, bytes, len, 0);
}

/* Returns a descriptor. */
static int file_make(struct status_file *f)
{
	auto_free char *path = NULL;
	int fd, r;

	if (asprintf(&path, "%s.new", f->path) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	/* Of an effd that was killed meanwhile. */
	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = file_fill(f, fd);
	if (r == 0 && rename(path, f->path) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	(void)unlink(path);
	(void)close(fd);
	return r;
}

static void file_renew(struct status_file *f)
{
	int fd;

	f->generation = f->tree->generation;
	fd = file_make(f);
	if (fd < 0) {
		say(f, "make", -fd);
		file_drop(f);
		return;
	}
	file_leave(f);
	f->fd = fd;
}

static int unit_write(struct status_file *f, const struct unit *u)
{
	const struct tree *t = f->tree;
	struct ledger_record record;

	/* One that a reload took out is in it no more. */
	if (f->fd < 0 || u->place >= t->n_units || t->units[u->place] != u)
		return 0;
	record = status_record(u, ++f->writes);
	ledger_seal(&record);
	return bytes_put(f->fd, &record, sizeof(record), place_of(u->place));
}

static void turn_end(void *arg)
{
	struct status_file *f = arg;
	struct eff_list *link;
	int r = 0;

	if (f->generation != f->tree->generation)
		file_renew(f);
	while ((link = eff_list_pop(&f->tree->world.unwritten)) && r == 0)
		r = unit_write(f, eff_container(link, struct unit, unwritten));
	if (r < 0) {
		say(f, "write to", -r);
		file_drop(f);
	}
}

void status_file_begin(struct status_file *f, struct tree *t, const char *socket_path, gid_t group)
{
	*f = (struct status_file){.tree = t, .fd = -1, .group = group};
	if (!is_in_memory(socket_path))
		return;
	if (asprintf(&f->path, "%s" LEDGER_SUFFIX, socket_path) < 0) {
		f->path = NULL;
		return;
	}
	file_renew(f);
	tree_on_turn(t, turn_end, f);
}

void status_file_end(struct status_file *f)
{
	if (!f->path)
		return;
	tree_on_turn(f->tree, NULL, NULL);
	file_drop(f);
	free(f->path);
	*f = (struct status_file){0};
}
