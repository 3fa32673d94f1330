/* SPDX-License-Identifier: MIT */
/* The connection to effd: a socket that is written to and read from with a limit in time. */
#ifndef EFFCTL_LINK_H
#define EFFCTL_LINK_H

#include <stdbool.h>
#include <sys/types.h>

#include <eff/time.h>

#include "wire/frame.h"
#include "wire/json.h"

struct link {
	int fd; /* -1: none */
	struct frame_in in;
	struct frame_out out;
	eff_ns limit_at; /* on the monotonic clock; EFF_FOREVER: none */
};

/* One reply. Its parts belong to `document`. */
struct reply {
	struct json *document;
	struct json *parameters; /* an object, perhaps NULL */
	const char *error;       /* NULL: none */
	bool continues;
};

void link_init(struct link *link);
void link_close(struct link *link); /* fine on one that is not open */
/* From now on, and for what follows. Below 0: no limit. */
void link_limit(struct link *link, double seconds);
/* Returns 0; -ETIMEDOUT when nobody takes the connection; or -errno of connect(2). */
int link_open(struct link *link, const char *path);
/* Has the other end closed it, and is nothing left to receive? Does not wait. */
bool link_has_ended(const struct link *link);
/* Who listens there, if it is root's or of this user; 0: it is not, or cannot be known. */
pid_t link_peer(const struct link *link);
/* Takes the message. Returns 0, -ENOMEM, -ETIMEDOUT, or -errno of send(2). */
int link_send(struct link *link, struct json *message);
/* Is there something to receive, at once or within so many seconds? Its end is something too. */
bool link_await(const struct link *link, double seconds);
/* Wait for the next message. Returns as link_receive(); its text, NUL-terminated, is good until the next one is waited for. */
int link_receive_text(struct link *link, char **ret_text, size_t *ret_len);
/* Wait for the next reply. Returns 1 and it; 0 when effd has gone; -ETIMEDOUT; -EBADMSG when it is no reply; -errno. */
int link_receive(struct link *link, struct reply *ret_reply);
/* What link_receive_text() gave, as a reply. Returns 1 and it; -EBADMSG, -ENOMEM. */
int reply_read(const char *text, size_t len, struct reply *ret_reply);
void reply_done(struct reply *reply);

#endif
