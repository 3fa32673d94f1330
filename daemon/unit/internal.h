/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: readiness, probes, output, and the face that a fiber unit sees. */
#ifndef EFFD_UNIT_INTERNAL_H
#define EFFD_UNIT_INTERNAL_H

#include "base/text.h"
#include "unit/child.h"
#include "unit/ring.h"
#include "unit/unit.h"

/* ── notify.c ── */

/* Read its notifications until it has ended. An effect, arg: the child. Suspends. */
EFF_SUSPENDS eff_exit notify_read(void *arg);
/* Take what is there already. Does not suspend. */
void notify_take_all(struct child *c);
/* Show that it stops by itself, if it says so while it is up, and give it its stop's time for that. An effect, arg: the
 * child. Suspends. */
EFF_SUSPENDS eff_exit notify_watch_stopping(void *arg);

/* ── limit.c ── */

limit_of limit_start, limit_runtime, limit_grace, limit_remains;
/* Open a scope that is bounded by what the unit's row allows, now and after each reload. Does not suspend. */
void limit_open(struct unit *u, struct limit *l, limit_of *allows);
/* Close it, the innermost. Suspends as eff_scope_close() does. Returns whether its time was up. */
EFF_SUSPENDS bool limit_close(struct unit *u, struct limit *l);
/* The unit has another row: what is bounded is so by that, from when it began. Does not suspend. */
void limits_follow(struct unit *u);
/* It asks for time until `at`: more is never less than there was. Does not suspend. */
void limits_extend(struct unit *u, eff_ns at);

/* ── ready.c ── */

/* Wait until the unit is up by all that it declares. Suspends. 0; 1 when it has done what it had to (a oneshot that ended
 * clean); -ECHILD when it ended before; -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int ready_await(struct child *c);

/* ── watchdog.c ── */

/* Watch for its signs of life while it is up. An effect, arg: the child. Suspends until they stay away (then the unit has a
 * fault), or it is interrupted. */
EFF_SUSPENDS eff_exit watchdog_watch(void *arg);

/* ── given.c ── */

/* Open those of the unit's row, whose plan the caller keeps, that are not open. Suspends. 0; -ECHILD with *ret_fault;
 * -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int sockets_give(struct unit *u, struct given *ret, struct os_fault *ret_fault);
void sockets_give_back(struct unit_world *world, struct given *given);
/* A process has them all: they are its own until sockets_let_go(), and nobody uses what is given of them any more. */
void sockets_keep(struct unit_world *world, struct given *given);
/* It is gone, or is waited for no longer. Again is fine. */
void sockets_let_go(struct unit_world *world, struct given *given);

/* ── command.c ── */

/* What each process of a unit is given, its own program and the commands beside it; all of it belongs to the plan. */
struct os_spawn unit_spawn(struct unit *u, plan_strv argv);

struct command {
	plan_strv argv;
	plan_strv more; /* "NAME=value", beside the unit's environment; NULL: nothing */
	bool quiet;     /* its output goes nowhere, else to the unit's log */
	/* Nobody who ends the wait for it waits until it is gone: the end of the unit's run does. Then command_close() is the
	 * caller's to call. */
	bool lingers;
	struct os_child *process; /* what may be left of it; command_close()'s */
	struct os_end end;        /* how it ended, when it was executed */
	struct os_fault fault; /* why it was not; what it names is valid until the next suspension */
};
/* Run a command in the unit's context (its user, folder, environment) to its end. What it leaves is killed, also when the
 * wait is cut short. Suspends. 0: it exited with 0; -EIO: otherwise; -ECHILD: it could not be executed, and when that has been
 * told command_close() is the caller's to call; -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int command_run(struct unit *u, struct command *command);
/* Kill what is left of it, if anything, and wait until that is gone, 5 s at most. Suspends; masked, but for one that lingers. */
EFF_SUSPENDS void command_close(struct unit *u, struct command *command);
/* The end of a run: wait for those that linger, 5 s at most. Suspends; masked. */
EFF_SUSPENDS void commands_close(struct unit *u);
/* Why that was not 0: "exit 1", "SIGKILL", "exec: ENOENT (No such file or directory): ./x". Before the next suspension. */
enum { COMMAND_WORDS = 192 };
void command_words(const struct command *command, int r, char words[static COMMAND_WORDS]);

/* ── probe.c ── */

/* A whole line of its output: is it one that a probe waits for? Does not suspend. */
void probe_see_line(struct unit *u, const char *text, size_t len);
/* Does a probe wait for one that has not come? */
bool probe_awaits_line(const struct unit *u);

/* One attempt, within its timeout. Suspends. 0: it passed; -errno: it did not (-ECANCELED: somebody ended us), and `words`
 * say why: "exit 1", "HTTP status 503", "no answer within 1s". */
enum { PROBE_WORDS = COMMAND_WORDS };
EFF_SUSPENDS int probe_try(
	struct unit *u, const struct plan_probe *probe, char words[static PROBE_WORDS]);
/* Try until it has passed success_threshold times in a row: after 100 ms, doubling up to the period. What it was answered
 * is what the unit lacks. Suspends. 0, -ECANCELED, -ETIMEDOUT. `which` gives the probe of the unit's row at each look. */
typedef const struct plan_probe *probe_of(const struct plan_unit *spec);
EFF_SUSPENDS int probe_await_pass(struct unit *u, probe_of *which);
/* While it is up: have the probes of its row watched that are not yet, and those that are by what it says of them now; those that
 * it has no more end by themselves. Does not suspend. 0, or -ENOMEM. */
int probes_watch(struct unit *u);
const struct plan_probe *probe_startup(const struct plan_unit *spec);
const struct plan_probe *probe_readiness(const struct plan_unit *spec);
const struct plan_probe *probe_liveness(const struct plan_unit *spec);

/* ── line.c ── */

/* A line, or a piece of a long one, for a file or for effd's stdout. */
struct line {
	const char *text;
	size_t len;
	bool partial; /* there is more of it */
	bool goes_on; /* a file has its beginning */
	bool is_file, is_json;
};
/* What comes before it by the unit's row, now. */
void line_head(struct text *head, const struct unit *u, enum os_stream stream, bool is_file);
void line_add(struct text *to, const struct text *head, const struct line *line);
/* A line for the system's log, as deliver.c takes it. `priority`: of the piece before, -1: its own, "<3>" at its beginning,
 * or that of the stream. Returns which. */
int record_add(struct text *to, const struct line *line, int priority, enum os_stream stream);

/* ── logs.c ── */

/* The log of this path, which is opened when it is first written to; the caller's share of it. NULL: out of memory. */
struct logfile *logfile_get(struct unit_world *world, const char *path);
/* What it has been given is still written. NULL is fine. */
void logfile_put(struct logfile *f);
const char *logfile_path(const struct logfile *f);
/* Append what `u` says, soon; the file is put aside as the unit's row wants it. Does not suspend. 0; -EAGAIN: it takes no more now;
 * -ENOMEM; -ESHUTDOWN: the tree has ended. */
int logfile_add(struct logfile *f, struct unit *u, const char *bytes, size_t len);
/* Where to put up to *most bytes that are to be added: at once, and then they are not copied. *most becomes less where much waits
 * already. NULL: it takes no more now, or there is no memory. */
char *logfile_room(struct logfile *f, size_t *most);
bool logfile_is_full(const struct logfile *f);
/* Is all that it was given in it, or lost? */
bool logfile_is_settled(const struct logfile *f);
/* Suspends until it takes more. 0, -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int logfile_await_room(struct logfile *f);
/* Suspends until all that it was given so far is in it, or lost. 0, -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int logfile_await(struct logfile *f);
/* Nothing comes for a while. */
void logfile_rest(struct logfile *f);
/* A unit goes: what becomes of its output is told by the root. */
void logs_forget(const struct unit *u);

/* ── archive.c ── */

/* What was put aside for this path is to be compressed. Does not suspend. */
void archive_ask(struct unit_world *world, const char *path);

/* ── output.c ── */

void sink_init(struct sink *k, struct unit *u, enum os_stream stream);
void sink_done(struct sink *k);
/* Where to read up to *most bytes, which may become less, that are to be taken, so that they need not be copied; NULL: where one
 * likes. */
char *sink_room(struct sink *k, size_t *most);
/* It takes no more now without keeping it. */
bool sink_is_full(const struct sink *k);
/* Does not suspend. */
void sink_take(struct sink *k, const char *bytes, size_t len);
/* There is no more of the line that was begun. */
void sink_end(struct sink *k);
/* Nothing comes for a while: give back what is held in vain. */
void sink_rest(struct sink *k);
/* Where it goes by the unit's row now. */
const struct plan_log_target *sink_target(const struct sink *k);
/* So much of what `u` wrote is lost: count it, and tell once a minute. */
struct loss {
	const char *where, *why;
};
void losses_add(struct losses *losses, struct unit *u, size_t bytes, const struct loss *loss);
/* It is taken again: tell what was lost and not told, once a minute, too. */
void losses_over(struct losses *losses, struct unit *u, const char *where);
/* Give it to the file that the unit's row names now. As logfile_add(). */
int sink_file_take(struct sink *k, const char *bytes, size_t len);
/* One line of a fiber's own. Does not suspend. */
void output_line(struct unit *u, const char *line, size_t len);

/* ── deliver.c ── */

/* So much of it is lost, by this errno. */
void sink_lose(struct sink *k, size_t bytes, int error);
/* Hand some of what waits to who is to have it. Does not suspend. 0, maybe with more to come; -EAGAIN; -errno. */
int sink_try(struct sink *k);
/* Hand over all of it. While no more is taken, wait and try again; or, where the unit must not wait and it is not its end,
 * leave a bounded part in `out`. Suspends. 0 or -ECANCELED. */
EFF_SUSPENDS int sink_flush(struct sink *k, bool to_the_end);
/* How many of these bytes are the rest of a line whose beginning was lost: they are lost, too. */
size_t sink_skip(struct sink *k, const char *bytes, size_t len);
/* Hand over what can be without waiting. Was that all, and need nothing be waited for? */
bool sink_hand_over(struct sink *k, bool to_the_end);
/* What still waits is lost. */
void sink_give_up(struct sink *k);

/* ── task.c ── */

struct effd_fiber {
	struct unit *unit;
	struct child *child;
	eff_fn *entry;
	struct plan *plan; /* a reference: `with` must stay as long as the task runs */
	const struct plan_unit *spec;
};
/* Run the entry. An effect, arg: a struct effd_fiber. Suspends. */
EFF_SUSPENDS eff_exit task_run(void *arg);

#endif
