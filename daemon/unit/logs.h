/* SPDX-License-Identifier: MIT */
/* A log file and what waits to be in it. Bytes wait beside it until the disk takes them, which is done on a thread, folder
 * by folder: logs.c hands them over, logfile.c writes them there. While a file is `at_work`, what is marked so is the
 * thread's alone. */
#ifndef EFFD_LOGS_H
#define EFFD_LOGS_H

#include <eff.h>

#include "base/text.h"
#include "os/os.h"
#include "unit/pump.h"
#include "unit/unit.h"

/* What one unit has said, as one piece of what waits, and how that file is to be kept by the unit's row. */
struct log_part {
	struct unit *unit; /* NULL: nobody is told; never the thread's */
	struct plan_rotate rotate;
	size_t max_line;
	size_t len;
	/* What became of it: */
	size_t lost;
	int error;     /* why that was */
	int not_aside; /* why it could not be put aside; 0 */
	bool aside;    /* a file was */
};

struct log_batch {
	struct text bytes;
	struct log_part *parts;
	size_t n_parts, room;
};

struct logfile {
	struct eff_list link;     /* of the world's */
	struct eff_list line;     /* of those of its folder with something to do */
	struct unit_world *world; /* NULL: that ended while it was at work */
	unsigned n_users;
	bool queued, at_work;
	struct log_batch waiting;
	uint64_t added, settled;  /* bytes, so far */
	struct eff_pulse changed; /* some have settled */
	struct losses losses;

	struct log_batch writing; /* the thread's, and all below */
	struct os_file *file;     /* NULL: it is not open */
	bool is_new;              /* it was opened this time */
	bool closes;              /* nobody writes to it any more */
	bool mid_line;            /* its last line has no end yet */
	bool is_due; /* a new period has begun: it is put aside when that line is whole */
	uint64_t line_bytes;        /* of that one */
	const struct unit *line_of; /* who has begun it; for comparing */
	const struct unit *torn_of; /* whose line has lost its beginning: no more of it is written */
	size_t torn_left;    /* so much at most, up to where a line is cut; 0: there is none */
	int torn_by;         /* why that was */
	uint64_t left_bytes; /* as large it was when it was written to last; */
	eff_ns left_at;      /* and when that was, of the calendar */
	eff_ns not_before;   /* when it could not be put aside: no other try */
	char path[];
};

/* ── folders.c ── */

/* Have it worked on in its turn, or, where no fiber is to be had, at once. Does not suspend. */
void folder_queue(struct logfile *f);

/* ── logs.c ── */

/* What waits becomes what is written. */
void logfile_begin(struct logfile *f);
/* It was: tell what has become of it. */
void logfile_take_back(struct logfile *f);
/* It is nobody's turn: what comes next? It may be freed. */
void logfile_go_on(struct logfile *f);
/* All three, without a fiber. */
void logfile_work_here(struct logfile *f);
/* The world ends before it was written: say so. */
void logfile_leave(struct logfile *f);
/* It is nobody's, closed, and has nothing left to write. */
void logfile_free(struct logfile *f);

/* ── logfile.c ── */

/* Write what it has, at that instant of the two clocks. The thread's. */
void logfile_work(struct logfile *f, struct os *os, eff_ns now, eff_ns wall);

#endif
