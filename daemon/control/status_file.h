/* SPDX-License-Identifier: MIT */
/* The status file's writer: once a turn, the records of those of which something has changed. Private to this folder. */
#ifndef EFFD_STATUS_FILE_H
#define EFFD_STATUS_FILE_H

#include <stdint.h>
#include <sys/types.h>

struct ledger_record;
struct tree;
struct unit;

struct status_file {
	struct tree *tree;
	char *path; /* NULL: there is none */
	int fd;     /* -1: none, for now */
	gid_t group;
	uint64_t generation; /* of the tree whose units are in it, in its order */
	uint32_t writes;
};

/* Make it, beside the control socket (an absolute path) and for whom that socket is, and keep it true from now on. Only where files
 * are in memory: a write to a disk may take its time, in which all would wait. What cannot be made is said in the log. Does not
 * suspend. */
void status_file_begin(struct status_file *f, struct tree *t, const char *socket_path, gid_t group);
/* Take it away. A zero one is fine. */
void status_file_end(struct status_file *f);

/* What is written of a unit, but for its check. */
struct ledger_record status_record(const struct unit *u, uint32_t writes);

#endif
