/* SPDX-License-Identifier: MIT */
/* A kernel for tests: the seam of os/os.h in which a process is a fiber that plays a script, in the runtime's (virtual)
 * time. Ports, sockets, log files and stdout are tables in memory that a test may change at any moment. Everything that
 * happens to a process is recorded with its time.
 *
 * It holds what it sees to the rules: never two live runs of one unit, no use of a handle that was given back, nothing
 * left at the end. The first breach is kept as a sentence (os_fake_breach) for the test to fail with. */
#ifndef TESTS_OS_FAKE_H
#define TESTS_OS_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff.h>

#include "os/os.h"

struct os_fake;

/* What a process does. {0} ends at once with 0. */
struct script {
	eff_ns exec_takes; /* between clone and exec, where only SIGKILL reaches it; EFF_FOREVER hangs */
	int exec_error; /* then its start fails with this errno */
	const char *exec_stage; /* at this stage; NULL: exec. With fork or user there is no process at all */
	const char *interpreter; /* it is that which is missing: said in words of the fake's, good until its next ones */
	eff_ns fails_for; /* that process is there for so long yet */
	eff_ns ready_after; /* after exec: it says READY=1, if it was given a socket; EFF_FOREVER: never */
	bool shuts_ready; /* then it closes the descriptor for its newline without one */
	eff_ns lives;     /* after exec, then it ends by itself; EFF_FOREVER */
	int exits;        /* with this code … */
	int dies_by;      /* … or by this signal */
	bool core;
	bool oom;          /* by the kernel for want of memory, if it has a control group */
	bool ignores_term; /* and every other signal but SIGKILL */
	uint64_t notes;    /* bit n: signal n is noted and changes nothing */
	eff_ns term_takes; /* how long it needs after a stop signal */
	bool term_exits;   /* it then exits with term_code instead of dying by the signal */
	int term_code;
	eff_ns unkillable_for; /* how long it ignores even SIGKILL */
	eff_ns leaves; /* a grandchild outlives it for so long, or until a signal to the group */
	bool left_ignores_term; /* … which must then be SIGKILL */
	bool left_escapes; /* … or, left by its parents too, by nothing but a control group */
	const char *prints;    /* to stdout, right after exec */
	const char *complains; /* to stderr */
	const char *says;      /* to the notify socket, right after exec, before READY=1 */
	bool deaf;             /* it takes none of those who wait at its sockets */
	bool helper; /* a probe's or a stop's command: no run of the unit whose name it bears */
};

enum fake_what { FAKE_SPAWN, FAKE_EXEC, FAKE_SIGNAL, FAKE_END, FAKE_GONE };

struct fake_event {
	eff_ns at;
	const char *unit, *program;
	enum fake_what what;
	bool helper;
	bool abandoned; /* its handle had been given back */
	pid_t pid;
	int sig; /* FAKE_SIGNAL: the signal, and to whom */
	enum os_whom whom;
	struct os_end end; /* FAKE_END */
};

struct os_fake *os_fake_new(void);
struct os *os_fake_seam(struct os_fake *fake);
/* No process may be there any more. */
void os_fake_free(struct os_fake *fake);

/* The runs of a program (the last part of argv[0]) by each unit play these in turn, the last one ever after. Copied; texts
 * must stay. A program without a script lives until it is told to stop. */
void os_fake_script(struct os_fake *fake, const char *program, const struct script *list, size_t n);
/* Or as `play` says of the n-th run (from 0) by `unit`. */
typedef struct script fake_play(void *context, const char *unit, unsigned n);
void os_fake_play(struct os_fake *fake, const char *program, fake_play *play, void *context);

/* What happened, in order. */
const struct fake_event *os_fake_events(const struct os_fake *fake, size_t *ret_n);
/* Processes (and what they left) that are there: of one unit, or with NULL of all. Helpers, and what was left on purpose,
 * count with NULL alone. */
size_t os_fake_live(const struct os_fake *fake, const char *unit);
/* Has the unit a run whose main process has executed and not ended? */
bool os_fake_runs(const struct os_fake *fake, const char *unit);
/* Handles not given back yet. */
size_t os_fake_handles(const struct os_fake *fake);
/* Views of the files that were not closed yet; and the number of the one that a child is made in, in the order in which they
 * were made; 0: none. */
/* Runtime directories are not to be removed, by this error (positive; 0: none). */
void os_fake_clear_fails(struct os_fake *fake, int error);
unsigned os_fake_views(const struct os_fake *fake);
/* Control groups that are kept for a further run. */
unsigned os_fake_groups_kept(const struct os_fake *fake);
unsigned os_fake_view(const struct os_spawn *spawn);
/* The first breach of the rules; NULL: none. */
const char *os_fake_breach(const struct os_fake *fake);

/* Control groups: 0: they can be had; else why not (a positive errno; EOPNOTSUPP in the beginning). */
void os_fake_cgroups(struct os_fake *fake, int error);
/* Limits cannot be set in them: why (a positive errno); 0: they can. */
void os_fake_limits_fail(struct os_fake *fake, int error);
/* What the present run of a unit is limited by: "memory_max 1024, cpu_max 0.5"; "": nothing; NULL: no control group. */
const char *os_fake_limits(struct os_fake *fake, const char *unit);
/* So many have escaped so far. */
size_t os_fake_escaped(const struct os_fake *fake);

/* Be told of each spawn and signal in its moment: the event is the last one recorded. Does not suspend. */
typedef void fake_watch(void *context, const struct fake_event *event);
void os_fake_watch(struct os_fake *fake, fake_watch *watch, void *context);

/* See all that each process is given, while it is being made. Does not suspend. */
typedef void fake_spawned(void *context, const struct os_spawn *spawn);
void os_fake_on_spawn(struct os_fake *fake, fake_spawned *spawned, void *context);

/* Things that happen to the present run of a unit: somebody kills it; it prints; it tells its notify socket. */
void os_fake_kill(struct os_fake *fake, const char *unit, int sig);
void os_fake_print(struct os_fake *fake, const char *unit, enum os_stream stream, const char *text);
void os_fake_notify(struct os_fake *fake, const char *unit, const char *text);
/* End all that was left on purpose. */
void os_fake_sweep(struct os_fake *fake);

/* What a probe meets, or a pid file says. `answer`: 0 (open), a status of http, or -errno; it comes after `latency`. Nothing set: refused. */
void os_fake_port(struct os_fake *fake, uint16_t port, int answer, eff_ns latency);
void os_fake_socket(struct os_fake *fake, const char *path, int answer, eff_ns latency);
unsigned os_fake_asked(const struct os_fake *fake); /* probes answered or under way so far */

/* Somebody connects to where units are given a socket, or sends something, and waits until a process takes it, which one
 * that runs does at once. False: refused. */
bool os_fake_connect(struct os_fake *fake, const char *listen);
/* Listening fails (0: no more), or takes its time. */
void os_fake_listen_fails(struct os_fake *fake, const char *listen, int error);
void os_fake_listen_takes(struct os_fake *fake, const char *listen, eff_ns takes);
/* Where effd listens. */
size_t os_fake_sockets(const struct os_fake *fake);
/* Does it listen there; how often has it begun to; how many wait? */
bool os_fake_listens(struct os_fake *fake, const char *listen);
unsigned os_fake_opened(struct os_fake *fake, const char *listen);
unsigned os_fake_waiting(struct os_fake *fake, const char *listen);

/* Files in memory. NULL: never opened. */
const char *os_fake_file(const struct os_fake *fake, const char *path);
/* Somebody else writes to a log file that is there. */
void os_fake_append(struct os_fake *fake, const char *path, const char *text);
void os_fake_disk_full(struct os_fake *fake, bool full);
/* How long it takes to read what is to be remembered. */
void os_fake_state_takes(struct os_fake *fake, eff_ns takes);
/* The clock of its files is so much behind. */
void os_fake_files_late(struct os_fake *fake, eff_ns by);
/* Who works on logs waits until it does not. */
void os_fake_disk_hangs(struct os_fake *fake, bool hangs);
/* The same, for work elsewhere has all threads: whose wait is ended never gets its turn. */
void os_fake_threads_hang(struct os_fake *fake, bool hang);
/* How often somebody has been at work on logs. */
unsigned os_fake_visits(const struct os_fake *fake);
/* How long gzip takes (its archive is "gz:" and what was compressed), and its error (positive; 0: none). */
void os_fake_gzip(struct os_fake *fake, eff_ns takes, int error);
unsigned os_fake_gzips(const struct os_fake *fake); /* that were begun */
/* What syslog and the journal have got, as "journal 6 web stdout: text" a line each; and their error (positive; 0: none). */
const char *os_fake_records(const struct os_fake *fake);
void os_fake_records_fail(struct os_fake *fake, int error);
void os_fake_records_fail_for(struct os_fake *fake, int error, eff_ns duration); /* from now on */
unsigned os_fake_refused(const struct os_fake *fake);                            /* so often */
/* Files cannot be put aside: why; 0: they can. */
void os_fake_renames_fail(struct os_fake *fake, int error);
const char *os_fake_stdout(const struct os_fake *fake);
void os_fake_stdout_full(struct os_fake *fake, bool full);
size_t os_fake_open_files(const struct os_fake *fake);
unsigned os_fake_reads(const struct os_fake *fake); /* of output, so far */
void os_fake_use(struct os_fake *fake,
	struct os_usage used); /* that is what each process has used from now on */
unsigned os_fake_usages(const struct os_fake *fake); /* looks at what a process has used, so far */
uint64_t os_fake_calls(const struct os_fake *fake); /* about processes, so far */

#endif
