/* SPDX-License-Identifier: MIT */
/* The reader of a stream of a process, in the frame of who awaits the process's end. */
#ifndef EFFD_PUMP_H
#define EFFD_PUMP_H

#include <eff.h>

#include "base/text.h"
#include "os/os.h"
#include "unit/unit.h"

struct logfile;

/* Where what a unit writes to a stream goes. */
struct sink {
	struct unit *unit;
	enum os_stream stream;
	pid_t pid;          /* of the process that writes; 0 */
	eff_ns taken_at;    /* what is taken now, of the wall's clock */
	struct text line;   /* the beginning of a line whose end has not come */
	struct text head;   /* of lines that are taken now */
	struct text out;    /* lines, or bytes for a file, not yet taken by where they go */
	bool by_line;       /* it gets lines, and not the bytes as they are */
	bool mid_line;      /* the line at hand is a long one, whose first pieces are gone */
	bool file_mid_line; /* what its file was given last is no end of a line */
	bool skips;         /* the beginning of a line was lost: the rest of it is lost, too */
	int priority;       /* of that one, for the system's log */
	struct logfile *file; /* NULL: none */
	struct losses losses;
};

struct pump {
	struct eff_watch watch;
	struct eff_fiber *fiber;  /* while it takes; NULL */
	struct eff_scope *scope;  /* that it is forked in */
	struct os_child *process; /* NULL: it was not started, or is stopped */
	eff_ns read_at;
	bool at_end;  /* all is read */
	bool is_dry;  /* the last read found nothing */
	bool is_fast; /* the last time so much had come that its writer would wait for us */
	bool is_due;  /* it is about to take what is there, at once or when more has gathered */
	struct pump *beside; /* of the same process's other stream; NULL */
	struct eff_event hurry,
		done; /* do not wait any more; it has read to the end, and handed over what it read */
	struct sink sink;
};

/* Read a stream of a process to its end, in fibers of `scope`. 0 or -ENOMEM. */
struct pump_spec {
	struct unit *unit;
	struct os_child *process;
	enum os_stream stream;
	struct eff_scope *scope;
};
int pump_start(struct pump *pump, const struct pump_spec *spec);
/* These are the two streams of one process. */
void pump_pair(struct pump *a, struct pump *b);
/* Suspends until it has read to the end. 0, -ECANCELED, -ETIMEDOUT. One that was not started is fine. */
EFF_SUSPENDS int pump_await(struct pump *pump);
/* End it, if it has not. Suspends; the caller masks. One that was not started is fine. */
EFF_SUSPENDS void pump_stop(struct pump *pump);

#endif
