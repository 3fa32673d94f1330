/* SPDX-License-Identifier: MIT */
/* Calls to effd, and what their failing means to people and to scripts. */
#ifndef EFFCTL_CALL_H
#define EFFCTL_CALL_H

#include "effctl/command.h"
#include "wire/varlink.h"

/* How long effd may take to answer what needs no waiting. */
#define ANSWER_TIMEOUT_S 10.0

/* The first parameter of many calls: the units of the command line. NULL when out of memory. */
struct json *call_units(const struct effctl *e);
/* Of a verb: the units, and how it is to be done. NULL when out of memory. */
struct json *call_verb(const struct effctl *e);
/* Add `timeout_s` when --timeout was given. */
void call_add_timeout(const struct effctl *e, struct json *parameters);

/* Connect if that is still to be done, and send a call; it takes the parameters. Returns CODE_DONE, or a code after `err`
 * was told. A limit is set: --timeout, else `answer_s` seconds (below 0: none). */
enum code call_send(struct effctl *e, enum method method, struct json *parameters, double answer_s);
/* The same with `more` where the method streams. Where effd was told of a --timeout it has the first word. */
enum code call_send_more(struct effctl *e, enum method method, struct json *parameters);
/* The same of what needs no waiting, and answers within ANSWER_TIMEOUT_S. */
enum code call_send_all(struct effctl *e, enum method method, struct json *parameters);
/* The next reply. Returns CODE_DONE and it, error or not; or a code after `err` was told. */
enum code call_receive(struct effctl *e, struct reply *ret_reply);
/* The next reply, which must be no error: else as call_refused(). */
enum code call_receive_good(struct effctl *e, struct reply *ret_reply);
/* For one that asks now and then, before it asks again: where others wait for a place effd closes who has been silent, but is there
 * all the same. If that has happened, connect anew. */
void call_renew(struct effctl *e);
/* One call, one good reply. */
enum code call_ask(
	struct effctl *e, enum method method, struct json *parameters, struct reply *ret_reply);
/* One call on a connection of its own, while another is being answered. Returns whether there was a good reply, soon; nothing is
 * told. */
bool call_aside(const struct effctl *e, enum method method, struct json *parameters,
	struct reply *ret_reply);
/* The next reply as its text, good until the one after it is waited for: for json_piece.h. Returns as call_receive(). */
enum code call_receive_text(struct effctl *e, char **ret_text, size_t *ret_len);
/* Tell of a text that is no good reply: an error, or nothing that effd says. Returns the exit code. */
enum code call_text_refused(struct effctl *e, const char *text, size_t len);
/* Tell of a reply that is an error: to `err`, or with --json as a document. Returns its exit code. */
enum code call_refused(struct effctl *e, const struct reply *reply);

#endif
