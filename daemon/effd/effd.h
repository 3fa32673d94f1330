/* SPDX-License-Identifier: MIT */
/* What the files of the program share. */
#ifndef EFFD_EFFD_H
#define EFFD_EFFD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <eff.h>

#include "control/control.h"
#include "os/os_linux.h"
#include "plan/diag.h"
#include "plan/plan.h"
#include "tree/tree.h"

enum { EXIT_USAGE = 2, EXIT_TAKEN = 75, EXIT_BAD_TREE = 78 };

/* ── options.c ── */

struct options {
	char *tree;             /* absolute; NULL with a command */
	const char *socket;     /* of --socket; NULL */
	const char *log_level;  /* of --log-level; NULL */
	bool check, by_default; /* by_default: nobody has named the tree */
	plan_strv command;      /* after `--`; NULL */
};
/* Returns 0; 1 when all has been said (--help, --version); -EINVAL, or why they could not be
 * written, after a word on `err`. */
int options_parse(int argc, char **argv, struct options *ret, FILE *out, FILE *err);
void options_done(struct options *options);
/* Where the socket is to be, absolute and malloc'd: by the option, EFFD_SOCKET, the tree; or the first of the places by default
 * that can be written to. NULL: there is none; after a word on `err` of one that was named. */
char *options_socket(const struct options *options, const struct plan_daemon *daemon, FILE *err);
/* Must there be a socket? Where nobody has named a place and there is none, effd runs without. */
bool options_need_socket(const struct options *options, const struct plan_daemon *daemon);
/* Where logs go by default, malloc'd; NULL after a word on `err`. */
char *options_log_dir(const struct options *options, const struct plan_daemon *daemon, FILE *err);
/* Where effd remembers what must outlive it; NULL: nowhere. */
char *options_state_dir(const struct plan_daemon *daemon);
/* Where folders of units are made, each malloc'd; NULL: nowhere. */
void options_places(char *ret[OS_N_PLACES]);

/* ── load.c ── */

/* Read the tree: 0, or -errno with at least one error in `diags`. Blocks. */
int tree_load(const struct options *options, struct plan **ret_plan, struct diags *diags);
/* The same on a thread, with what was added to `present`, which the caller keeps as long. Suspends; the wait is not cut
 * short. */
EFF_SUSPENDS int tree_load_await(const struct options *options, const struct plan *present,
	struct plan **ret_plan, struct diags *diags);
/* plan_add() on a thread. Suspends; the wait is not cut short. */
EFF_SUSPENDS int tree_add_await(const struct plan *present, struct plan_addition *addition,
	struct plan **ret_plan, struct diags *diags);

/* ── notify.c: effd as a service of systemd's ── */

/* What a service manager has to be told, sooner or later. */
enum notify_word { NOTIFY_READY, NOTIFY_RELOADING, NOTIFY_STOPPING };
struct notify {
	int fd; /* -1: nobody to tell */
	struct sockaddr_un address;
	socklen_t address_len;
	struct tree *tree;
	eff_ns watchdog_ns; /* 0: none */
	bool told_ready;
	int reloads; /* under way */
	struct {
		enum notify_word word;
		eff_ns at; /* when it was true */
	} due[4];          /* in their order */
	unsigned n_due;
	struct eff_event is_due; /* something is */
};
/* Take NOTIFY_SOCKET and WATCHDOG_* from the environment, for good. Returns 0, or -errno: there is a manager, and it cannot be
 * told anything, so that it would wait for that effd is ready until it ends it. */
int notify_init(struct notify *n);
void notify_done(struct notify *n);
/* Tell of readiness and of what follows, until it is interrupted. An effect, arg: the notify. Suspends. */
EFF_SUSPENDS eff_exit notify_run(void *arg);
/* Say again what found no room in the manager's queue, until it is interrupted. An effect, arg: the notify. Suspends. */
EFF_SUSPENDS eff_exit notify_deliver(void *arg);
/* WATCHDOG=1 at half of the time that there is. An effect, arg: the notify. Suspends. */
EFF_SUSPENDS eff_exit notify_watchdog(void *arg);
void notify_reload(struct notify *n, bool begins);
void notify_stopping(struct notify *n);

/* ── given.c ── */

/* A control socket that somebody else has made and keeps. */
struct given {
	int fd;     /* listening; 0: none */
	char *path; /* where; malloc'd; NULL */
};
/* Take LISTEN_FDS and what belongs to it from the environment, for good. 0, or -EINVAL after a word in the log. */
int given_take(struct given *ret);

/* ── state.c ── */

struct effd;
/* Take the lock of the state folder, if this plan has something to remember and it is not there yet. 0; -EADDRINUSE when another
 * effd has it, which has been logged: nothing is remembered then. */
int state_take(struct effd *e, const struct plan *plan);
/* Where things are remembered; NULL: nowhere. */
const char *state_place(const struct effd *e);
void state_done(struct effd *e);

/* ── watch.c ── */

struct effd;
/* While the tree says `daemon: {watch: true}`, reload it when its files change; until it is interrupted. An effect, arg: the
 * effd. Suspends. */
EFF_SUSPENDS eff_exit watch_run(void *arg);

/* ── watch_files.c: what of the files of a tree can be told apart ── */

struct watched {
	const struct plan *plan; /* the caller keeps it */
	int fd;                  /* an inotify; -1: none */
	uint64_t print;    /* differs, when a file or the names in a folder of theirs do */
	eff_ns looked_at;  /* by the clock of files; */
	eff_ns changed_at; /* and, when it begins, the last change of what there is */
	int error;         /* -errno of what could not be watched; 0 */
};
/* Watch the folders of all files of a plan, which may be replaced as a whole: a new `fd`, which the caller closes, and
 * `print` as it is then. Blocks. */
void watched_begin(struct watched *watched);
/* `print` as it is now. Blocks. */
void watched_look(struct watched *watched);

/* ── the program ── */

struct effd {
	struct options options;
	bool to_journal;   /* the log goes to systemd's journal */
	struct plan *plan; /* the first one; main's reference */
	char *socket, *log_dir, *state_dir, *runtime_dir, *places[OS_N_PLACES];
	int state_lock;      /* of the state folder; 0: none */
	int64_t nofile_soft; /* that effd was started with */
	struct os *os;
	struct tree *tree;
	struct control *control;
	struct notify notify;
	struct given given;
	struct eff_signals signals;
	sigset_t mask_before;       /* that effd was started with */
	struct eff_event cut_short; /* a person will not wait any longer */
	unsigned interrupts;        /* SIGINT so far */
	unsigned reloads;           /* by SIGHUP, under way or waiting */
	unsigned n_late; /* signals that wait for the process that they are passed on to */
	struct asker reload_by; /* who sent the last SIGHUP */
	int code;               /* that it ends with */
};

/* ── say.c: in the log ── */

/* How to reach it, and who cannot be reached by it. */
void say_where(const struct effd *e);
/* What has become of the tree. */
void say_how_it_ended(const struct effd *e, eff_exit end);
/* Processes that are left, and that no unit can be told to own. */
void say_who_is_left(const struct effd *e);

/* ── pid1.c ── */

/* Signals, until it is interrupted. An effect, arg: the effd. Suspends. */
EFF_SUSPENDS eff_exit signals_run(void *arg);
/* As PID 1, keep what is sent until it is known what it means. The first thing of all. */
void signals_hold(struct effd *e);
/* Await those that the first plan gives a meaning to; from the present one on. 0 or -errno. */
int signals_init(struct effd *e);
void signals_take(struct effd *e);
/* From then on they are ignored: effd is about to end, with a code that is known. */
void signals_done(struct effd *e);
/* Once the tree has been told to stop: bound how long that may take. An effect, arg: the effd. Suspends. */
EFF_SUSPENDS eff_exit shutdown_watch(void *arg);
/* End effd in an orderly way. `by` NULL: nobody knows. Does not suspend. */
void effd_shut_down(struct effd *e, const struct asker *by, const char *word);

/* ── modules.c ── */

/* The entry of a fiber unit: of a built-in, or of a shared object, loaded now. 0, or -errno with a reason that is good until
 * the next call. */
int module_entry(const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason);

#endif
