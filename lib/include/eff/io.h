/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors, and what is usually done then. Descriptors are non-blocking and stay the caller's; any number
 * of fibers may wait for one. Call eff_fd_forget() before closing a descriptor that was ever waited for. */
#ifndef EFF_IO_H
#define EFF_IO_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <eff/api.h>

enum { EFF_READ = 1, EFF_WRITE = 2 };

/* Suspends until `fd` can be read (EFF_READ) or written (EFF_WRITE), or is at its end or broken, which counts as both.
 * Returns the events that are there, -ECANCELED, -ETIMEDOUT, -EPERM for a regular file, -EBADF. A device that cannot be
 * polled (/dev/null) is -EPERM as well, or always ready, as the loop has it. */
EFF_API EFF_SUSPENDS int eff_wait_fd(int fd, int events);
/* Have watch->fn(watch) called, once, when one of `events` is there: in the loop's turn, not to suspend; it may fork, and ask
 * again. So what is silent for long needs no fiber that waits for it. One for a descriptor, beside any number of fibers that
 * wait for it: another takes its place, NULL takes it back, and so does eff_fd_forget(). The watch is the caller's. Whoever
 * reads from what is never written to may ask for both, since what hangs up is both. Does not suspend. Returns 0, -EPERM,
 * -EBADF or -ENOMEM: then all is as before. */
struct eff_watch {
	void (*fn)(struct eff_watch *watch);
};
EFF_API int eff_fd_watch(int fd, int events, struct eff_watch *watch);
/* What waits for it returns -EBADF. Does not suspend. */
EFF_API void eff_fd_forget(int fd);
/* eff_fd_forget() and close(). Negative descriptors are fine. */
EFF_API void eff_fd_close(int fd);

/* Give a descriptor that will live long a high number, out of the way of those that children get: where these are low a
 * child is made faster. Returns the new number, the old one being closed; or `fd`, where there is none to be had. To be
 * called before anything else knows the number. Negative ones are fine. Does not suspend. */
EFF_API int eff_fd_raise(int fd);

/* Suspends until something was read. Returns the count, 0 at the end, or -errno. */
EFF_API EFF_SUSPENDS ssize_t eff_read(int fd, void *buf, size_t size);
/* Suspends until all was written. Returns 0 or -errno (part of it may have been written). No SIGPIPE on sockets. */
EFF_API EFF_SUSPENDS int eff_write_all(int fd, const void *buf, size_t size);
/* Suspends until somebody connects. Returns a non-blocking, close-on-exec descriptor or -errno. */
EFF_API EFF_SUSPENDS int eff_accept(int fd);
/* Connect a new non-blocking socket. Suspends. Returns the descriptor (the caller's) or -errno; -EAGAIN is a local socket whose
 * backlog is full: nobody is told when it no longer is. */
EFF_API EFF_SUSPENDS int eff_connect(const struct sockaddr *address, socklen_t len);

/* Run fn(arg) on a thread of a small pool and wait for it. Suspends. fn must not call libeff. Returns 0 when it has run;
 * -ECANCELED or -ETIMEDOUT when the wait ended before: then fn still runs to its end, and `done(arg)` (may be NULL) is
 * called afterwards in the loop's thread, so that arg can be freed; -ENOMEM, -EAGAIN, or what the loop could not get: it never ran and never will.
 * Where threads are forbidden (-EPERM of the kernel's) fn runs in the loop's thread, and all wait for it.
 * Four run at once; one that has run for a second is not counted any more, up to 60 such: who hangs holds up others for no longer. */
EFF_API EFF_SUSPENDS int eff_blocking(void (*fn)(void *arg), void *arg, void (*done)(void *arg));

#endif
