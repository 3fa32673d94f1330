/* SPDX-License-Identifier: MIT */
/* effctl, run within a test, against a server that plays a script: a thread at the other end of a real socket. */
#ifndef TESTS_SERVED_H
#define TESTS_SERVED_H

#include <stdbool.h>

#define SERVED_REPLY(parameters) "{\"parameters\":" parameters "}"
#define SERVED_MORE(parameters) "{\"parameters\":" parameters ",\"continues\":true}"
#define SERVED_WEB \
	"{\"name\":\"web\",\"kind\":\"process\",\"state\":\"up\",\"pid\":42,\"uptime_s\":312.4,\"restarts\":0}"

/* One request that must have these words in it, and what is answered, each with its NUL. A script ends with {0}; then
 * the server closes. */
#define SERVED_ANOTHER \
	"another connection" /* instead: the next one is on another, this one is closed */
struct served_step {
	const char *asked, *replies[4];
};

extern char served_path[108];         /* of the socket */
extern char *served_out, *served_err; /* what the last run printed */
extern bool served_holds;             /* the request after the script is never answered */
extern bool served_goes;              /* nobody listens any more when the script has ended */

/* A checked fixture. */
void served_open(void);
void served_close(void);
/* Serve one connection, in a thread, until the next run ends. */
void served_play(const struct served_step *steps);
/* Run a command line, words between blanks; `-s` is added while a script is played. Returns the exit code. */
int served_effctl(const char *line);

#endif
