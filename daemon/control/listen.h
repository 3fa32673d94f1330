/* SPDX-License-Identifier: MIT */
/* The path of the control socket: made under a lock, checked before it is trusted, removed at the end. */
#ifndef EFFD_LISTEN_H
#define EFFD_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

struct text;

struct listener {
	int fd;      /* listening, non-blocking; -1: none */
	int lock_fd; /* holds the lock; -1: none */
	char *path;
	bool is_given; /* somebody else's, who keeps it */
};

struct listen_opts {
	const char *path; /* absolute */
	mode_t mode;      /* of the socket */
	gid_t group;      /* (gid_t)-1: as it comes */
	int given_fd; /* of a socket that listens there already, and stays as it is; 0: none */
};

/* Take the lock, replace a stale socket, listen; one that was given is taken over. A folder that is missing is made. Returns 0; -EADDRINUSE when another effd
 * has it; -errno with `why` in words for people. Does not suspend. */
int listen_open(const struct listen_opts *opts, struct listener *ret, struct text *why);
/* From now on it has that mode, unless it was given. 0 or -errno. */
int listen_change(const struct listener *l, mode_t mode);
/* Make a folder and what is missing above it. 0 or -errno. */
int folders_make(const char *folder, mode_t mode);
/* Take the lock that is a file at `path`, made if it is missing, until its descriptor is closed. Returns 0; -EADDRINUSE when
 * somebody has it; -errno. Does not suspend. */
int lock_take(const char *path, int *ret_fd);
/* Remove the socket, unless it was given, and give the lock back. A zero path is fine. */
void listen_close(struct listener *l);

#endif
