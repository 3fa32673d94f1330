/* SPDX-License-Identifier: MIT */
/* What verbs answer: a result for each unit. */
#ifndef EFFCTL_RESULTS_H
#define EFFCTL_RESULTS_H

#include "effctl/call.h"
#include "effctl/command.h"

/* Call a verb, wait for its last reply, and print its results, `done` being what is said of a unit that did it (NULL: its
 * state). Takes the parameters. Returns the exit code that the results add up to. */
enum code results_ask(
	struct effctl *e, enum method method, struct json *parameters, const char *done);
/* The last of several replies. As call_receive_good(). */
enum code results_receive(struct effctl *e, struct reply *ret_reply);
/* What a result, or the outcome of a change, means for the whole. */
enum code results_code(const struct json *result);
/* Print one of them. */
void results_put_one(struct effctl *e, const struct json *result);
/* Print the results of a reply. */
enum code results_put(struct effctl *e, const struct json *parameters, const char *done);

#endif
