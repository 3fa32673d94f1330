/* SPDX-License-Identifier: MIT */
/* effctl: one run of one command. The lists are commands.def and options.def; help, parsing, dispatch and complaints grow
 * from them. A command is a function from a struct effctl to an exit code; it talks to effd with plain blocking calls
 * (link.h), prints to `out` what was asked for and to `err` what went wrong. */
#ifndef EFFCTL_COMMAND_H
#define EFFCTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "effctl/diagnostics.h"
#include "effctl/link.h"

/* Exit codes. */
enum code {
	CODE_DONE = 0,
	CODE_FAILED = 1, /* tried and failed, or refused */
	CODE_USAGE = 2,
	CODE_NOT_UP = 3, /* of status UNIT... */
	CODE_NO_UNIT = 4,
	CODE_NO_DAEMON = 5,
	CODE_NOT_PERMITTED = 6,
	CODE_TIMED_OUT = 7
};

enum option {
#define OPTION(symbol, letter, name, argument, help) OPTION_##symbol,
#include "effctl/options.def"
#undef OPTION
	OPTION_N
};

enum units { NO_UNITS, ANY_UNITS, ONE_UNIT, PERHAPS_ONE, SOME_UNITS };

struct effctl;

struct command {
	const char *name;
	int n_before; /* arguments before the units */
	enum units units;
	unsigned options; /* bit n: enum option n */
	const char *arguments, *help;
	enum code (*run)(struct effctl *e);
};

struct effctl {
	FILE *out, *err;
	bool colour, terminal; /* of `out` */
	bool dumb;             /* a terminal that only takes lines */
	bool utf8;             /* it shows more than ASCII; false before learn_locale() */
	unsigned width;        /* columns; 0: as wide as it gets */

	const struct command *command;
	bool given[OPTION_N];
	const char *value[OPTION_N]; /* NULL unless it takes one and was given */
	double timeout_s;            /* --timeout; below 0: none */
	int64_t n_lines;             /* --lines; below 0: not given */
	const char **before;         /* arguments before the units */
	const char **units;          /* full names, globs, key=value */
	size_t n_units;
	const char **words; /* (private) holds both */

	struct sent sent;
	bool unanswered; /* somebody listens, and has said nothing in time */
	const char *socket;
	struct link link;
};

/* The whole program. Returns its exit code. */
int effctl_run(int argc, char **argv, FILE *out, FILE *err);

/* Learn what the user's characters are. It reads and maps some files: for commands that draw with them, or match names. */
void learn_locale(struct effctl *e);

/* NULL: there is none. */
const struct command *command_find(const char *name);
const struct command *command_at(size_t i); /* NULL after the last */

/* Read the arguments. Returns 0; or -EINVAL when they make no sense, `err` having been told; or -ENOMEM. */
int options_read(struct effctl *e, int argc, char **argv);

void help_print(FILE *to, const struct command *command); /* NULL: of all */
/* A word that is no command: what was meant, perhaps. */
void help_unknown(FILE *to, const char *word);

#define COMMAND(symbol, name, n_before, units, options, arguments, help) \
	enum code c_##symbol(struct effctl *e);
#include "effctl/commands.def"
#undef COMMAND

#endif
