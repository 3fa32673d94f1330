/* SPDX-License-Identifier: MIT */
/* The seam: all that a unit asks of the kernel. The real one is os_linux; tests have one in which a process is a fiber that
 * plays a script. Policy code includes this and no system header.
 *
 * A child is one process that effd made and all that comes of it: its control group, or else the session and group that it
 * leads, and what descends from it. It is known by a struct os_child, never by a pid. */
#ifndef EFFD_OS_H
#define EFFD_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <eff/api.h>
#include <eff/time.h>

#include "base/filter.h"
#include "base/terms.h"

struct os;
struct os_child;
struct os_file;
struct os_view;
struct os_kept;
struct os_socket;
struct eff_watch;

/* Where a stream of the child goes. */
enum os_stream_to { OS_NULL, OS_CAPTURE, OS_MERGE }; /* OS_MERGE: stderr into stdout's pipe */
enum os_stream { OS_STDOUT, OS_STDERR };

/* What all of a child is: its process group and session, and what descends from it; or its control group, with whatever has
 * come of it, where it can have one; or that, or else it is not started. */
enum os_all { OS_ALL_KIN, OS_ALL_BEST, OS_ALL_CGROUP };

/* Where folders are made for a unit. */
enum os_place { OS_RUNTIME, OS_STATE, OS_CACHE, OS_LOGS, OS_N_PLACES };

struct os_spawn {
	const char *unit; /* full name, for paths and messages */
	const char *const *argv;
	const char *const *environment; /* complete, but for what the seam adds: NOTIFY_SOCKET, and with `user`
						 * HOME, USER, LOGNAME, SHELL where they are not there */
	const char *root_dir; /* NULL: effd's own; working_dir and the program are in there */
	const char *working_dir;
	const char *user, *group;  /* NULL: effd's own */
	const char *const *groups; /* further ones, beside the user's; NULL: none */
	mode_t umask;
	const struct terms *terms;                   /* NULL: those of effd */
	const char *const *directories[OS_N_PLACES]; /* made first, and given to the user; NULL: none */
	mode_t directories_mode;
	enum os_stream_to out, err;
	enum os_all all;
	bool notify;        /* give it a NOTIFY_SOCKET */
	eff_ns watchdog_ns; /* tell it by WATCHDOG_USEC and WATCHDOG_PID; 0: no */
	int ready_fd; /* the descriptor that it writes a newline to when it is ready; 0: none */
	bool private_tmp; /* /tmp and /var/tmp are others than effd's, and empty at first */
	const struct filter *filter; /* of its system calls; it then gains no rights either. NULL: none */
	/* What it cannot write, but its directories and its private /tmp; in its root; "?PATH" may be missing. NULL: nothing */
	const char *const *read_only;
	/* Where the view of the files is kept that this needs, runtime directories included: the first child that finds none there makes one, and the others
	 * share it, until who owns it closes it. NULL: it is done without. */
	struct os_view **view;
	/* Where is kept from one run to the next, until who owns it closes it: its control group, as long as that is as one that was
	 * just made, and with it the pipes of its output. NULL: they go with the child. */
	struct os_kept **kept;
	struct os_socket *const *sockets; /* its descriptors from 3 on, NULL-terminated; told by LISTEN_FDS and LISTEN_PID; NULL: none */
	const char *socket_names; /* LISTEN_FDNAMES */
};

/* A socket that is to be listened on. */
struct os_listen {
	const char *listen; /* as base/endpoint.h has it, of streams or datagrams */
	unsigned backlog;
	mode_t mode; /* of one in the file system; its owner and group too, NULL: effd's own */
	const char *user, *group;
	bool reuse_port;
};

/* A start that failed: "STAGE: ERRNO-NAME (words): what". */
struct os_fault {
	const char *stage; /* fork, user, group, rlimit, priority, security, directory, root, chdir, log, socket, cgroup, exec; NULL: it died before it executed */
	int error;         /* positive errno */
	const char *what; /* of the spawn's strings, static, or the seam's until its next fault: the program, the user … */
};

struct os_end {
	int code;   /* -1 when a signal ended it, or when it cannot be known */
	int signal; /* 0 when it exited, or when it cannot be known */
	bool core;
	bool oom; /* the kernel has killed in its control group for want of memory */
};

/* Whom a signal is for. */
enum os_whom { OS_MAIN, OS_GROUP }; /* OS_GROUP: all of the unit that can be found */

/* One process that is still there. */
struct os_left {
	pid_t pid;
	char command[16];
	char waits_in[32]; /* in the kernel; "" */
};

/* Of all of it, where the kernel counts that for its control group; else of its main process. */
struct os_usage {
	double cpu_s;
	uint64_t memory_bytes;
};

struct os_log_look {
	uint64_t size;
	eff_ns written_at; /* of the calendar */
	bool regular;      /* a file, and no device */
};

/* A line for the system's log. */
struct os_record {
	bool to_journal; /* else to syslog */
	enum os_stream stream;
	const char *unit;
	pid_t pid;        /* 0: none */
	int priority;     /* 0 (emerg) to 7 (debug) */
	const char *text; /* without a newline in it */
	size_t len;
};

struct os_http {
	const char *host; /* of the address, and the Host header */
	uint16_t port;    /* 0: over `path_unix` */
	const char *path_unix;
	const char *path;
};

struct os_ops {
	/* Make a child and wait until it has executed its program. Suspends. Returns 0; -ECHILD with *ret_fault when it could
	 * not; -ECANCELED, -ETIMEDOUT. Whatever is returned: when *ret_child is not NULL there is (or was) a process, and it
	 * is the caller's to stop, to await and to free. The spawn's strings may go when this has returned. */
	int (*spawn)(struct os *os, const struct os_spawn *spawn, struct os_child **ret_child,
		struct os_fault *ret_fault);
	pid_t (*pid)(const struct os_child *child);
	/* Suspends until the main process has ended. Returns 0, -ECANCELED, -ETIMEDOUT. May be asked again, by any number. */
	int (*await_end)(struct os_child *child, struct os_end *ret_end);
	/* 0, or -ESRCH when nobody is there. Never reaches a stranger. */
	int (*signal)(struct os_child *child, int sig, enum os_whom whom);
	/* The same, and SIGCONT after it: who is stopped takes it only when it goes on. Suspends for a moment: the main process may
	 * be told first, and those who were there with it when it has ended, or soon after. */
	int (*signal_and_wake)(struct os_child *child, int sig, enum os_whom whom);
	/* Suspends until no process of all of it is left. Returns 0, -ECANCELED, -ETIMEDOUT. */
	int (*await_gone)(struct os_child *child);
	/* Who is still there: at most `n`; returns how many there are in all. Does not suspend. */
	size_t (*left)(struct os_child *child, struct os_left *ret_left, size_t n);
	/* Take output. Does not suspend. Returns the count, 0 at the end, -EAGAIN when there is none now, or -errno. */
	ssize_t (*read)(struct os_child *child, enum os_stream stream, void *buf, size_t size);
	/* Have watch->fn(watch) called, once, when there is output or its end; NULL: no more. Does not suspend. True: it will not
	 * be, for there is some, or it cannot be watched for. Of an end with the process's own one may be told only by a read after
	 * that: the pipe may be kept for the next run. */
	bool (*watch)(struct os_child *child, enum os_stream stream, struct eff_watch *watch);
	/* Suspends until a process of the unit has sent a datagram to NOTIFY_SOCKET; what others send is dropped. Returns
	 * its size (it may be 0; truncated to `size`), or -errno, -ECANCELED and -ETIMEDOUT only when none is there; ret_sender may be NULL; -EBADF when the child has no such socket. */
	ssize_t (*notified)(struct os_child *child, void *buf, size_t size, pid_t *ret_sender);
	/* Suspends until it has written a newline to its ready_fd. Returns 0, -EPIPE when it closed it without, -ECANCELED … */
	int (*await_ready)(struct os_child *child);
	/* From now on this process is its main one: what pid, await_end, usage and signals to OS_MAIN are about. Does not
	 * suspend. Returns 0, or -ESRCH when there is no such process, or none that is of the unit. */
	int (*follow)(struct os_child *child, pid_t pid);
	/* Limit its control group by those terms from now on; NULL: by nothing. Does not suspend. Returns 0, or -ECHILD with
	 * *ret_fault: then some of it may hold. */
	int (*limit)(struct os_child *child, const struct terms *terms, struct os_fault *ret_fault);
	/* False when it is not to be had. Does not suspend. */
	bool (*usage)(struct os_child *child, struct os_usage *ret_usage);
	/* Close what was held for it. Not before it is gone, or given up on purpose (then what is left stays). */
	void (*free)(struct os_child *child);
	/* Those who are in it keep what they see; the next child makes another. Runtime directories that nobody else holds are
	 * removed with all that is in them. NULL is fine. Suspends; the caller masks. 0; -errno, and `ret_what` is what could not be removed. */
	int (*close_view)(struct os_view *view, char *ret_what, size_t size);
	/* It goes as soon as nobody is in it. No child that was made in it is left to be freed. NULL is fine. Does not suspend. */
	void (*close_kept)(struct os_kept *kept);
	/* The same while its child is there: no further run is to come, and what was kept for one goes with this one. Then *kept is
	 * NULL. Does not suspend. */
	void (*keep_no_more)(struct os_child *child, struct os_kept **kept);

	/* Open a socket and listen on it. One in the file system takes the place of one that nobody listens on, and of nothing
	 * else. Suspends. Returns 0 and the socket, which is the caller's; -ECHILD with *ret_fault; -ECANCELED, -ETIMEDOUT. */
	int (*listen)(struct os *os, const struct os_listen *wanted,
		struct os_socket **ret_socket, struct os_fault *ret_fault);
	/* Have watch->fn(watch) called, once, when somebody has connected, or sent something, that nobody has taken; NULL: no
	 * more. Does not suspend. True: it will not be, for somebody has, or it cannot be watched for. */
	bool (*watch_socket)(struct os_socket *socket, struct eff_watch *watch);
	/* Close effd's end, and remove its file. Processes that were given it keep theirs. Does not suspend. */
	void (*close_socket)(struct os_socket *socket);

	/* Probes. Each Suspends; 0 when it connected (http: the status, 100-599); -ENODATA: there is no such host; -errno else. */
	int (*connect_tcp)(struct os *os, const char *host, uint16_t port);
	int (*connect_unix)(struct os *os, const char *path);
	int (*http_get)(struct os *os, const struct os_http *request);
	/* Is there a file of this name? Suspends. 0, -ENOENT, or why it cannot be told. */
	int (*file_there)(struct os *os, const char *path);
	/* The number in the first line of a file that a program has written its pid to; whose it is, follow() finds out.
	 * Suspends. 0; -ENOENT; -EINVAL when there is none in it; … */
	int (*pid_file)(struct os *os, const char *path, pid_t *ret_pid);

	/* A small file of effd's own, read whole, at most `size` - 1 bytes and a NUL; made anew, in one step, with its folder. Suspend.
	 * 0 or -errno. */
	int (*read_state)(struct os *os, const char *path, char *buf, size_t size);
	int (*write_state)(struct os *os, const char *path, const char *text);

	/* Run fn(arg) where it may wait for a disk, with nobody else at work on the logs of that folder; the five calls
	 * below are for such an fn alone, and block as long as the disk takes. It must not suspend, nor know of fibers.
	 * Suspends. 0: it has run. -EINPROGRESS: the wait for it was ended, it goes on, and done(arg) is called after
	 * it, before anybody else's turn. Else it never will: -ECANCELED, -ETIMEDOUT, -ENOMEM. */
	int (*with_logs)(struct os *os, const char *folder, void (*fn)(void *arg), void *arg,
		void (*done)(void *arg));
	/* A log file, appended to, made (and its folder) when missing; links are not followed in its last part. Returns 0 or
	 * -errno. */
	int (*open_log)(struct os *os, const char *path, struct os_file **ret_file);
	/* Append all of it or nothing. Returns 0 or -errno (-ENOSPC …). A file that was moved or removed is
	 * opened anew at its path. */
	int (*append)(struct os_file *file, const void *bytes, size_t size);
	/* Take what it ends with away again: all after `to`, if it is of `from` bytes, so that nobody has written since. 0,
	 * -EBUSY, or -errno. */
	int (*cut_log)(struct os_file *file, uint64_t from, uint64_t to);
	/* What it is now, at its path. 0 or -errno. */
	int (*look_at_log)(struct os_file *file, struct os_log_look *ret_look);
	/* Put it aside as PATH.1, what was there as PATH.2 and so on, at most `keep` of them, and go on with a new one. One that is
	 * no more at its path is only opened anew. 0; or -errno, and it goes on as it is. */
	int (*rotate_log)(struct os_file *file, unsigned keep);
	void (*close_log)(struct os_file *file);
	/* Make the oldest of those put aside for `path` that is none yet an archive, PATH.N.gz, by gzip. Suspends. 1 when it was
	 * one; 0 when none is left; -ENOENT when there is no gzip; -EIO when it failed; … What is half-made does not stay. */
	int (*compress_log)(struct os *os, const char *path);
	/* All of it or nothing. 0; -EAGAIN when it takes no more now; -ENOENT, -ECONNREFUSED when nobody is there, who may be found
	 * again with the next one; -EMSGSIZE … Does not suspend. */
	int (*send_record)(struct os *os, const struct os_record *record);
	/* effd's own stdout: all of it or nothing; -EAGAIN when it takes no more now. Does not suspend. */
	int (*write_stdout)(struct os *os, const void *bytes, size_t size);
};

struct os {
	const struct os_ops *ops;
};

#endif
