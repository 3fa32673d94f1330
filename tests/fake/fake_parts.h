/* SPDX-License-Identifier: MIT */
/* What the files of the fake kernel share: its tables, and a process. */
#ifndef TESTS_FAKE_PARTS_H
#define TESTS_FAKE_PARTS_H

#include "base/text.h"
#include "fake/os_fake.h"

enum { FAKE_MESSAGE_SIZE = 200, FAKE_LEFT = 100000, FAKE_WORDS = 16384 };

/* The scripts of a program. */
struct fake_program {
	struct fake_program *next;
	char *name;
	struct script *list;
	size_t n;
	fake_play *play;
	void *context;
};

/* How often a unit has run a program. */
struct fake_count {
	struct fake_count *next;
	const char *program;
	unsigned n;
};

/* A name that is kept, once; and what is known of the unit of that name. */
struct fake_word {
	struct fake_word *next;
	struct fake_count *counts;
	struct eff_list runs; /* its processes */
	char text[];
};

/* Something that a probe meets: a port, or a path. */
struct fake_door {
	struct fake_door *next;
	char *path;
	uint16_t port;
	int answer;
	eff_ns latency;
};

struct fake_address;

struct fake_message {
	struct fake_message *next;
	char text[FAKE_MESSAGE_SIZE];
};

struct os_file {
	struct os_file *next;
	struct os_fake *fake;
	char *path;
	struct text bytes;
	unsigned opened;
	bool removed;
	eff_ns written_at;
};

struct os_view {
	struct os_fake *fake;
	unsigned number;
};

struct os_fake {
	struct os os;
	struct eff_list children;
	struct fake_program *programs;
	struct fake_word *words[FAKE_WORDS]; /* by hash: a tree may have thousands of units */
	struct fake_door *doors;
	struct fake_address *addresses;
	struct os_file *files;
	struct text out, records;
	int record_error;
	eff_ns record_error_until;
	unsigned n_refused;
	bool disk_full, stdout_full;
	eff_ns state_takes;
	eff_ns files_late;        /* their clock */
	bool disk_hangs, at_logs; /* at_logs: somebody is at work on some */
	bool threads_hang;        /* with the disk; whose wait ends has had no turn */
	struct eff_pulse disk_answers;
	struct fake_job *jobs; /* that nobody waits for */
	unsigned n_visits;
	int rename_error, gzip_error;
	eff_ns gzip_takes;
	unsigned n_gzips, gzips_at_once;
	unsigned n_asked, n_reads, n_usages;
	struct os_usage used;
	uint64_t n_calls;
	struct fake_event *events;
	size_t n_events, room;
	fake_watch *watch;
	fake_spawned *spawned;
	void *watch_context, *spawned_context;
	pid_t last_pid;
	unsigned n_views, last_view;
	unsigned n_groups_kept;
	int clear_error; /* -errno */
	int cgroup_error, limit_error;
	struct text limits; /* the last that os_fake_limits() was asked for */
	size_t n_escaped;
	char breach[FAKE_MESSAGE_SIZE];
	char fault_what[64];
};

/* A process. Instants are of the runtime's clock; EFF_FOREVER: not to come. */
struct os_child {
	struct eff_list link, run; /* of all, and of its unit */
	struct os_fake *fake;
	const char *unit, *program;
	struct script script;
	pid_t pid;
	bool has_socket, has_ready_fd, ready_said, ready_shut;
	bool has_cgroup, all_by_cgroup;
	struct terms limits; /* of that, as far as it is about it */
	pid_t main;          /* what follow() made the main process: the grandchild; 0 */
	struct os_end left_end;
	bool executed, ended, left, gone; /* left: the grandchild is there */
	bool held;                        /* its handle has not been given back */
	bool abandoned;                   /* given back while something was there */
	bool faulty;                      /* its start failed */
	struct os_fault fault;
	struct os_end end, death; /* how it ended; how it is going to */
	eff_ns exec_at, ready_at, end_at, death_at, left_at;
	int pending; /* a signal that came before exec */
	struct eff_fiber *player;
	struct eff_pulse poke;    /* to the player: look at the instants again */
	struct eff_pulse changed; /* to who waits for it */
	struct text output[2];
	size_t taken[2];
	struct eff_watch *watches[2]; /* who wants to know of output; NULL */
	enum os_stream_to to[2];
	struct fake_message *said;
	struct fake_address **addresses; /* of the sockets that it was given; NULL: it has them no more */
};

struct os_fake *fake_of(struct os *os);
const char *fake_word(struct os_fake *fake, const char *text);
/* The processes of a unit whose name fake_word() gave. */
struct eff_list *fake_runs(const char *unit);
void fake_breach(struct os_fake *fake, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void *fake_zalloc(size_t size);
void fake_process_free(struct os_child *p);

/* fake_doors.c */
int fake_connect_tcp(struct os *os, const char *host, uint16_t port);
int fake_connect_unix(struct os *os, const char *path);
int fake_http_get(struct os *os, const struct os_http *request);
int fake_file_there(struct os *os, const char *path);
int fake_pid_file(struct os *os, const char *path, pid_t *ret_pid);
int fake_read_state(struct os *os, const char *path, char *buf, size_t size);
int fake_write_state(struct os *os, const char *path, const char *text);
int fake_open_log(struct os *os, const char *path, struct os_file **ret_file);
int fake_append(struct os_file *file, const void *bytes, size_t size);
int fake_cut_log(struct os_file *file, uint64_t from, uint64_t to);
void fake_close_log(struct os_file *file);
/* An entry of the table of files, there or not; with `make` never NULL. */
struct os_file *fake_file(struct os_fake *fake, const char *path, bool make);

/* fake_logs.c */
int fake_with_logs(struct os *os, const char *folder, void (*fn)(void *arg), void *arg,
	void (*done)(void *arg));
/* What still hangs has run. */
void fake_jobs_end(struct os_fake *fake);
int fake_look_at_log(struct os_file *file, struct os_log_look *ret_look);
int fake_rotate_log(struct os_file *file, unsigned keep);
int fake_compress_log(struct os *os, const char *path);
int fake_send_record(struct os *os, const struct os_record *record);
int fake_write_stdout(struct os *os, const void *bytes, size_t size);
void fake_doors_free(struct os_fake *fake);

/* fake_sockets.c */
int fake_listen(struct os *os, const struct os_listen *wanted, struct os_socket **ret_socket,
	struct os_fault *ret_fault);
bool fake_watch_socket(struct os_socket *socket, struct eff_watch *watch);
void fake_close_socket(struct os_socket *socket);
/* A process is given these; takes who waits there; is gone. */
void fake_sockets_given(struct os_child *p, struct os_socket *const *sockets);
void fake_sockets_serve(struct os_child *p);
void fake_sockets_left(struct os_child *p);
void fake_sockets_free(struct os_fake *fake);

/* fake_player.c: the story of a process, an effect; arg: the child */
eff_exit fake_process_play(void *arg);

/* fake_process.c and fake_player.c: the ops on a child */
int fake_spawn(struct os *os, const struct os_spawn *spawn, struct os_child **ret_child,
	struct os_fault *ret_fault);
pid_t fake_pid(const struct os_child *p);
int fake_await_end(struct os_child *p, struct os_end *ret_end);
int fake_signal(struct os_child *p, int sig, enum os_whom whom);
int fake_signal_and_wake(struct os_child *p, int sig, enum os_whom whom);
int fake_await_gone(struct os_child *p);
size_t fake_left(struct os_child *p, struct os_left *ret_left, size_t n);
ssize_t fake_read(struct os_child *p, enum os_stream stream, void *buf, size_t size);
bool fake_watch_output(struct os_child *p, enum os_stream stream, struct eff_watch *watch);
/* Call who wants to know and has something to read now. */
void fake_tell(struct os_child *p);
ssize_t fake_notified(struct os_child *p, void *buf, size_t size, pid_t *ret_sender);
/* Nothing but a control group would hold what it leaves, and it has none. */
bool fake_left_is_nobodys(const struct os_child *p);
/* Has what is the main process now ended? */
bool fake_main_ended(const struct os_child *p);
int fake_await_ready(struct os_child *p);
int fake_follow(struct os_child *p, pid_t pid);
int fake_limit(struct os_child *p, const struct terms *terms, struct os_fault *ret_fault);
bool fake_usage(struct os_child *p, struct os_usage *ret_usage);
void fake_free(struct os_child *p);
int fake_close_view(struct os_view *view, char *ret_what, size_t size);
void fake_close_kept(struct os_kept *kept);
void fake_keep_no_more(struct os_child *p, struct os_kept **kept);
void fake_say(struct os_child *p, const char *text);
void fake_emit(struct os_child *p, enum os_stream stream, const char *text);

/* os_fake.c */
struct script fake_script_of(struct os_fake *fake, const char *unit, const char *program);
void fake_record(struct os_child *p, enum fake_what what);
void fake_record_signal(struct os_child *p, int sig, enum os_whom whom);

#endif
