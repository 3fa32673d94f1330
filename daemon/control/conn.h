/* SPDX-License-Identifier: MIT */
/* One client, and the one call of it that is being answered. Private to this folder. */
#ifndef EFFD_CONN_H
#define EFFD_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include <eff.h>

#include "control/access.h"
#include "control/control.h"
#include "control/listen.h"
#include "control/rows.h"
#include "control/status_file.h"
#include "wire/frame.h"
#include "wire/json.h"
#include "wire/varlink.h"

#define CONN_UNREAD_MAX \
	((size_t)1 << 20)       /* of a stream; one byte more and the client is dropped */
#define CONN_PATIENCE EFF_S(10) /* for a whole request, and for progress of an answer */

/* So many are served however few descriptors there are. */
enum { CLIENTS_MIN = 4, SPARE_FDS = CLIENTS_MIN + 1 };

struct control {
	struct tree *tree;
	struct control_host host;
	struct listener listener;
	bool mode_is_given; /* by the tree that effd was started with: readers change nothing about it */
	struct access access;
	uint64_t access_generation; /* of the tree, that `access` was read from */
	struct eff_list conns;      /* every client's */
	uint32_t n_clients, most_clients;
	int spare_fds[SPARE_FDS]; /* kept for clients; the last one to turn a client away */
	uint32_t n_spare_fds;
	struct eff_scope *scope; /* of control_run(): work that outlives its client */
	struct eff_list errands; /* such as has not begun */
	struct rows rows;        /* what was last said of each unit */
	struct status_file status_file;
};

/* Keep as many descriptors for clients as are to be: whoever was served with one of them has gone. */
void control_keep_spare_fds(struct control *control);
/* The mode that the tree gives to the control socket, said or not. */
mode_t control_socket_mode(const struct plan_daemon *daemon);
/* The socket's mode is what the tree's readers, who may have changed, need. */
void control_let_in(struct control *control);

/* The last call of a client, if it is short: who watches something asks the same again and again. */
struct asked {
	char text[128];
	size_t len; /* 0: it is not kept */
	struct call call;
};

struct conn {
	struct control *control;
	struct eff_list link;
	int fd;
	struct peer peer;
	struct frame_in in;
	struct frame_out out;
	struct asked asked;
	struct eff_pulse progress; /* something was sent, or the client is gone */
	struct eff_scope *scope;   /* of the connection */
	struct eff_scope *call;    /* of the call that is being answered; NULL between calls */
	eff_ns idle_since;         /* it came, or had its last answer */
	bool serving;              /* a request of its is being answered */
	bool writing;              /* a fiber waits to send the rest */
	bool mid_message;          /* what was sent last did not end with a NUL */
	bool input_drained;        /* the last read has taken all that was there */
	bool input_ended;          /* nothing more comes; it may still read */
	bool gone;                 /* nobody is there, or it has been given up */
	bool lost;                 /* it read too slowly, and was told so */
};

/* One call. Handlers answer it with exactly one request_reply() or request_error(), before it any number of
 * request_continue() where the call says `more`. */
struct request {
	struct conn *conn;
	struct control *control;
	struct tree *tree;
	enum method method;
	const struct json *parameters; /* NULL: none */
	bool more, oneway;
	bool answered;
	enum access_level level;
};

/* Answer a client until it goes. An effect, arg: a struct conn that it frees. Suspends. */
EFF_SUSPENDS eff_exit conn_run(void *arg);
/* Takes the descriptor, also when it fails. NULL: out of memory. */
struct conn *conn_new(struct control *control, int fd);
void conn_free(struct conn *c);
/* Nothing was asked that is not answered, as far as it has been sent. Does not suspend. */
bool conn_is_idle(const struct conn *c);
/* Have one that is idle go. Does not suspend. */
void conn_dismiss(struct conn *c);

/* Queue a message (taken; NULL is a failed allocation) and send what can be sent. Does not suspend. 0, or -ECANCELED when
 * the client is gone. */
int conn_send(struct conn *c, struct json *message);
/* The same of one that is printed already (taken; failed when memory has ended). */
int conn_send_text(struct conn *c, struct text *message);
/* Drop it when more than CONN_UNREAD_MAX waits to be sent: of a stream. Does not suspend. 0 or -ECANCELED. */
int conn_bound(struct conn *c);
/* It fell behind what is kept: its last message says so. Does not suspend. */
void conn_lose(struct conn *c);
/* Suspends until at most `left` bytes wait to be sent. 0; -ECANCELED when the client is gone or the call was cut short. */
EFF_SUSPENDS int conn_drain(struct conn *c, size_t left);
/* Suspends until there is a whole request: 1. 0: there will be none. -EMSGSIZE: too long. -ETIMEDOUT: not whole in time. */
EFF_SUSPENDS int conn_await_request(struct conn *c, char **ret_text, size_t *ret_len);
/* Looks, while a call is being answered, whether the client is still there, and cancels the call when not. An effect, arg:
 * the conn. Suspends. */
EFF_SUSPENDS eff_exit conn_watch(void *arg);

/* Read, check, dispatch and answer one message. Suspends. Returns false when the connection is to be closed. */
EFF_SUSPENDS bool request_serve(struct conn *c, const char *text, size_t len);
/* A refusal outside of any call. Does not suspend. */
void request_refuse(struct conn *c, enum control_error error, const char *text, long offset);

/* The answers. Each takes its parameters. None suspends. */
void request_reply(struct request *req, struct json *parameters);
/* The same of a whole message that is printed already, which is taken. It begins as such a text. */
struct text request_text(struct request *req);
void request_reply_text(struct request *req, struct text *message);
void request_error(struct request *req, enum control_error error, struct json *parameters);
/* An error whose only parameter is `text`. */
void request_fail(struct request *req, enum control_error error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void request_invalid(struct request *req, const char *parameter);
/* One reply of several. 0; -ECANCELED: nobody listens any more, or it was lost: end. */
int request_continue(struct request *req, struct json *parameters);

#endif
