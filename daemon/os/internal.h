/* SPDX-License-Identifier: MIT */
/* What os_linux's files share and nobody else sees. One file is one idea: spawn.c makes a child, streams.c its
 * descriptors, family.c knows who is of it, group.c signals and awaits all of it, held.c does where it has a control group,
 * scan.c is the one walk over /proc that all units share, notify.c and stdout.c and logfile.c are doors. */
#ifndef EFFD_OS_INTERNAL_H
#define EFFD_OS_INTERNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include <eff/event.h>
#include <eff/list.h>
#include <eff/proc.h>
#include <eff/time.h>

#include "os/cgroup.h"
#include "os/lanes.h"
#include "os/logs.h"
#include "os/os_linux.h"
#include "os/scan.h"

struct os_linux;

/* ── the seam and its children ── */

/* gate.c: so many children are made in one turn of the loop; who wants more waits in line. */
struct gate {
	struct eff_list line;
	uint64_t turn; /* of the loop, in which `n` were made */
	unsigned n;
	struct eff_list unborn; /* made, and not known to have executed their program */
	unsigned n_unborn;
	struct eff_pulse born; /* one was, or has ended before */
};
struct unborn {
	struct eff_list link;
	struct gate *gate; /* NULL: not made, or the gate is gone */
};
enum { SPAWNS_A_TURN = 8, UNBORN_MOST = 32 };
void os_gate_init(struct gate *gate);
void os_gate_done(struct gate *gate);
/* Suspends until it is one's turn. Returns 0, -ECANCELED or -ETIMEDOUT. */
EFF_SUSPENDS int os_gate_await(struct gate *gate);
/* A child was made; it needs its record no more. */
void os_gate_made(struct gate *gate, struct unborn *child);
void os_gate_born(struct unborn *child);

struct os_linux {
	struct os os;
	struct gate gate;
	struct lanes lanes;
	struct eff_list children; /* all that were not freed */
	struct eff_list views;    /* all that were not closed */
	struct logs logs;
	struct eff_pulse orphans; /* some were reaped: groups may be empty */
	struct scan scan;
	struct cgroups cgroups;
	struct rlimit nofile; /* what children get */
	bool set_nofile, subreaper, owns_runtime_dir, stdout_known, has_ambient;
	char *runtime_dir;
	char *places[OS_N_PLACES]; /* NULL: none */
	char *stdout_rest;         /* of a line that stdout took a part of */
	size_t stdout_rest_len;
	int stdout_fd; /* stdout opened once more, not to block; -1 */
	int record_fd; /* for syslog and the journal; -1: not needed yet */
	const char *syslog_path, *journal_path;
	int null_fd;
	uid_t uid;         /* effd's own */
	int spare_pipe[2]; /* for a child's output, made when there was time: ours, theirs; -1: none */
	int births_fd; /* tells the last number that the kernel gave away; -1: there is no /proc */
	int asking_fd; /* whose owner is set, to see whether a number is taken; nothing else is done with it */
	uint64_t n_notify, n_reaped;
	uint64_t ignored;     /* signals that are, as eff_spawn() wants to know them */
	char fault_what[512]; /* of the last fault that needed words of its own */
};

struct member {
	pid_t pid;
	uint64_t born;
	eff_ns died_at; /* seen so; 0: it lives */
};

/* What is known of a unit's processes besides the main one. */
struct family {
	struct member *members;
	uint32_t n, room;
	unsigned n_quiet; /* scans in a row that found none alive in a group that is still there */
	/* Seen so since the main process was reaped: from then on the number may be a stranger's. */
	bool group_empty, session_empty;
	bool scanned;      /* since the main process was reaped */
	bool killing;      /* all got SIGKILL: who turns up later gets it too */
	eff_ns look_since; /* a scan is wanted that began then or later; 0: none is */
};

struct notify {
	int fd;     /* -1: none */
	char *path; /* of its own; NULL: none */
};

/* The main process, where it is another than the one that effd made. */
struct main_proc {
	pid_t pid; /* 0: it is the one that effd made */
	int fd;    /* its pidfd */
	bool ended;
	struct os_end end;
	struct eff_list waiters; /* who waits for the end of what was the main process until now */
};

struct os_child {
	struct os_linux *os;
	struct eff_list link;
	struct eff_proc *proc;
	pid_t pid;     /* of the one that effd made: it leads the session */
	uid_t uid;     /* its user's; its pipes are his, too */
	uint64_t made; /* in ticks since boot */
	struct main_proc main;
	int streams[2]; /* our ends; -1 */
	int theirs[2];  /* until it has its own; kept for a further run: until the end; -1 */
	int their_ready_fd;
	bool is_wide[2];
	int ready_fd; /* our end; -1 */
	struct notify notify;
	struct family family;
	struct cgroup *cgroup; /* NULL: it has none */
	struct os_kept *kept;  /* what it has of the run before, and leaves to the next; NULL */
};

struct os_kept {
	struct cgroup *group;
	struct {
		int ours, theirs; /* -1: none, or the child's for now */
		uid_t owner;
	} pipes[2];
};

static inline struct os_linux *linux_of(const struct os *seam)
{
	return (struct os_linux *)seam;
}

/* ── spawn.c ── */

int linux_spawn(struct os *os, const struct os_spawn *spawn, struct os_child **ret_child,
	struct os_fault *ret_fault);
void linux_child_free(struct os_child *child);

/* ── streams.c ── */

struct arena;
void os_streams_init(struct os_child *child);
/* How many numbers of descriptors the program gets, though some be of nothing. */
unsigned os_descriptors_of(const struct os_spawn *spawn);
/* The number of the child's descriptor by which it enters its view of the files, behind those; 0: there is none. */
unsigned os_view_fd(const struct os_spawn *spawn);
/* Make the pipes that it asks for, and the list of its descriptors, in that arena. On failure what was made is the child's all the
 * same. 0 or -errno. */
int os_streams_make(struct os_child *child, const struct os_spawn *spawn, struct arena *arena,
	int **ret_fds, unsigned *ret_n);
/* It has its own ends by now, or there is none. */
void os_streams_part(struct os_child *child);
/* Close the pipes that are kept for a further run. */
void os_streams_close_kept(struct os_kept *kept);
void os_streams_done(struct os_child *child);
/* The next child will not have to wait for a pipe. */
void os_streams_prepare(struct os_linux *os);
ssize_t linux_read(struct os_child *child, enum os_stream stream, void *buf, size_t size);
bool linux_watch(struct os_child *child, enum os_stream stream, struct eff_watch *watch);
int linux_await_ready(struct os_child *child);

/* ── credentials.c ── */

/* Whom a child is to be. */
struct ids {
	char *user, *group; /* as they were asked for; NULL */
	char **further;     /* NULL-terminated; NULL: none */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* the supplementary ones */
	size_t n_groups;
	char *name, *home, *shell; /* of the user; NULL without one */
	const char *stage;         /* of a failure: "user" or "group" */
	int error;
	bool at_further; /* it was about the further group of the number n_found */
	size_t n_found;
};
/* Look up the spawn's user and groups, on a thread. Suspends. Returns 0; -ECHILD with *ret_fault; -ECANCELED,
 * -ETIMEDOUT. The ids are the caller's. */
EFF_SUSPENDS int os_ids_find(
	const struct os_spawn *spawn, struct ids **ret_ids, struct os_fault *ret_fault);
void os_ids_free(struct ids *ids);
/* False when they are what this process is, and it could be nothing else. */
bool os_ids_change(const struct ids *ids);

/* ── steps.c ── */

struct arena;
struct steps {
	struct eff_step *list;
	unsigned n;
	bool own_memory; /* as eff_spawn() wants to know it */
};
/* All steps but what the environment needs, and the filter, in the arena; there is room for three more. False: no memory. */
bool os_steps_make(struct arena *arena, const struct os_linux *os, const struct os_spawn *spawn,
	const struct ids *ids, struct steps *ret);
void os_step_add(struct steps *steps, struct eff_step step);
/* The last one: nothing of what came before is to be judged by it. False: no memory. */
bool os_filter_add(struct steps *steps, struct arena *arena, const struct filter *filter);
/* The stage, and what it was about, of the step of that word; both stay as long as the spawn's strings. */
void os_step_fault(const struct os_spawn *spawn, const char *word, struct os_fault *fault);

/* ── directories.c ── */

/* Make the spawn's directories and give them to `ids` (NULL: effd's own), on a thread. Suspends. Returns 0; -ECHILD with
 * *ret_fault; -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int os_directories_make(struct os_linux *os, const struct os_spawn *spawn,
	const struct ids *ids, struct os_fault *ret_fault);

/* Can nobody else decide where a way through this folder leads? 0; -EPERM as root where others may write there; -errno. */
int os_folder_trust(int fd);

/* ── hold.c, remove.c ── */

struct os_view {
	struct eff_list link; /* of all */
	struct os_linux *os;
	char **runtime; /* names of folders, NULL-terminated; NULL: none */
	int fd;         /* of its mount namespace; -1: none */
};
/* Make the spawn's view, if it needs anything of one and there is none yet: what it holds is to be given back from now on.
 * Returns 0 or -ENOMEM. */
int os_view_hold(struct os_linux *os, const struct os_spawn *spawn);
int linux_close_view(struct os_view *view, char *ret_what, size_t size);
/* Remove a folder with all that is in it; that it is not there is fine. Returns 0, or what was wrong first: then all is
 * removed that could be. Blocks. */
int os_folder_remove(int parent, const char *name);

/* ── view.c ── */

/* Make the namespace of the spawn's view, if it needs one and it is not there yet, on a thread; its directories are there. Suspends. Returns
 * 0; -ECHILD with *ret_fault; -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int os_view_make(
	struct os_linux *os, const struct os_spawn *spawn, struct os_fault *ret_fault);

/* ── environment.c ── */

struct environment {
	const char **entries;
	int pid_entries[2]; /* whose values the child must write, being its pid */
	unsigned n_pid_entries;
};
/* All of it, in the arena. `ids`: whom the child is to be, NULL: effd's own; `socket`: for notifications, NULL: none. False:
 * no memory. */
bool os_environment_make(struct arena *arena, const struct os_spawn *spawn,
	const struct ids *ids, const char *socket, struct environment *ret);
/* Where its program is searched. */
const char *os_search_of(const struct os_spawn *spawn);
/* A copy of `list` with room for `more` at its end; NULL: no memory. */
const char **os_strings_copy(struct arena *arena, const char *const *list, size_t more);

/* ── interpreter.c ── */

/* `program` was there, or was not, when its execution failed with ENOENT: name the interpreter that is missing. Suspends.
 * Returns true and writes "PROGRAM: interpreter PATH". */
EFF_SUSPENDS bool os_interpreter_missing(
	const struct os_spawn *spawn, const char *search, char *ret_what, size_t size);

/* ── group.c ── */

int linux_signal(struct os_child *child, int sig, enum os_whom whom);
int linux_signal_and_wake(struct os_child *child, int sig, enum os_whom whom);
int linux_await_gone(struct os_child *child);
size_t linux_left(struct os_child *child, struct os_left *ret_left, size_t n);

/* ── family.c ── */

/* Is `pid` of the unit: its main process, of its session, or a descendant? */
bool os_family_has(struct os_child *child, pid_t pid);
/* Remember that it is. */
void os_family_join(struct os_child *child, pid_t pid);
void os_family_done(struct family *family);
/* Has the main process ended and left nobody? Who has left its group and session in time is remembered, or was never
 * found: no scan will find them now. */
bool os_family_left_nobody(struct os_child *child);
/* Is anybody in the group that the main process leads, or has led? */
bool os_family_has_group(struct os_child *child);
/* Remember who is of the unit. Returns how many its session has besides the main process. */
size_t os_family_look(struct os_child *child, const struct scan *scan);
/* Returns whether any has died that is still remembered. */
bool os_family_note_deaths(struct family *family);
/* 0 or -errno. */
int os_family_signal(const struct member *member, int sig);

/* ── usage.c ── */

bool linux_usage(struct os_child *child, struct os_usage *ret_usage);

/* ── held.c: the same, of a child whose control group is all of it ── */

bool os_is_held(const struct os_child *child);
/* Make it the group that it asks for. Returns 0, with or without one, or -ECHILD with *ret_fault. */
int os_held_make(struct os_child *child, const struct os_spawn *spawn, struct os_fault *ret_fault);
/* A start has failed; `child`: what is left of it, NULL. Was it for its control group, and is that another from now on? Then it is
 * worth to be tried again. Suspends. */
EFF_SUSPENDS bool os_held_mended(struct os_linux *os, const struct os_spawn *spawn,
	const struct os_child *child, const struct os_fault *fault);
void linux_close_kept(struct os_kept *kept);
void linux_keep_no_more(struct os_child *child, struct os_kept **kept);
int linux_limit(struct os_child *child, const struct terms *terms, struct os_fault *ret_fault);
int os_held_signal(struct os_child *child, int sig);
/* And SIGCONT after it. Suspends for a moment. */
EFF_SUSPENDS int os_held_signal_and_wake(struct os_child *child, int sig);
size_t os_held_left(struct os_child *child, struct os_left *ret_left, size_t n);

/* ── mainproc.c ── */

void os_main_init(struct os_child *child);
void os_main_done(struct os_child *child);
int linux_follow(struct os_child *child, pid_t pid);
pid_t linux_pid(const struct os_child *child);
int linux_await_end(struct os_child *child, struct os_end *ret_end);
/* To the main process. 0 or -ESRCH. */
int os_main_signal(struct os_child *child, int sig);
bool os_main_ended(const struct os_child *child);
/* A stranger of this number was reaped: if it was the main process of a unit, that is how it ended. */
void os_main_reaped(struct os_linux *os, pid_t pid, const siginfo_t *info);

/* ── files.c ── */

int linux_file_there(struct os *os, const char *path);
int linux_pid_file(struct os *os, const char *path, pid_t *ret_pid);
int linux_read_state(struct os *os, const char *path, char *buf, size_t size);
int linux_write_state(struct os *os, const char *path, const char *text);

/* ── notify.c ── */

/* Make the socket that `uid` (-1: effd itself) may send to. Returns 0 or -errno, with words of its own in fault_what or none. */
int os_notify_open(struct os_linux *os, const struct os_spawn *spawn, const struct ids *ids,
	struct notify *ret_notify);
void os_notify_close(struct notify *notify);
ssize_t linux_notified(struct os_child *child, void *buf, size_t size, pid_t *ret_sender);
void os_notify_remove_dir(struct os_linux *os);

/* ── sockets.c ── */

int linux_listen(struct os *os, const struct os_listen *wanted, struct os_socket **ret_socket,
	struct os_fault *ret_fault);
bool linux_watch_socket(struct os_socket *socket, struct eff_watch *watch);
void linux_close_socket(struct os_socket *socket);
int os_socket_fd(const struct os_socket *socket);

/* ── probes.c ── */

int linux_connect_tcp(struct os *os, const char *host, uint16_t port);
int linux_connect_unix(struct os *os, const char *path);
int linux_http_get(struct os *os, const struct os_http *request);

/* ── connect.c ── */

/* Suspends. Return a descriptor (the caller's, for eff_fd_close()) or -errno. */
EFF_SUSPENDS int os_connect_tcp(const char *host, uint16_t port);
EFF_SUSPENDS int os_connect_unix(const char *path);

/* ── logfile.c, stdout.c ── */

/* Make the folders of `path` that are missing, its last part too when `whole`. Returns 0 or -errno. */
int os_folders_make(const char *path, mode_t mode, bool whole);
int linux_write_stdout(struct os *os, const void *bytes, size_t size);
void os_stdout_done(struct os_linux *os);

/* ── records.c ── */

int linux_send_record(struct os *os, const struct os_record *record);
void os_records_done(struct os_linux *os);

#endif
