/* SPDX-License-Identifier: MIT */
/* The table of fields, as the loader sees it: fields.def in C. */
#ifndef EFFD_PLAN_FIELDS_H
#define EFFD_PLAN_FIELDS_H

#include <stddef.h>

#include "plan/load.h"
#include "plan/rows.h"

enum field_kinds {
	ROOT = 1,
	SUPERVISOR = 2,
	PROCESS = 4,
	FIBER = 8,
	RUNS = PROCESS | FIBER,
	ANY_UNIT = RUNS | SUPERVISOR,
};

enum field_type {
	TYPE_SECTION,
	TYPE_RAW,
	TYPE_TEXT,
	TYPE_NAME,
	TYPE_BOOL,
	TYPE_COUNT,
	TYPE_LIMIT,
	TYPE_INTEGER,
	TYPE_NUMBER,
	TYPE_RATIO,
	TYPE_DURATION,
	TYPE_SIZE,
	TYPE_SIGNAL,
	TYPE_MODE,
	TYPE_PATH,
	TYPE_WORD,
	TYPE_CHOICE,
	TYPE_PORT,
	TYPE_STATUS,
	TYPE_CRON,
	TYPE_ENDPOINT,
	TYPE_LISTEN,
	TYPE_REFERENCE,
	TYPE_CAPABILITIES,
	TYPE_TEXTS,
	TYPE_FOLDERS,
	TYPE_PATHS,
	TYPE_CALLS,
	TYPE_CPUS,
	TYPE_RLIMIT_COUNT,
	TYPE_RLIMIT_SIZE,
	TYPE_RLIMIT_TIME,
	TYPE_COMMAND,
	TYPE_SHELL,
	TYPE_ENDS,
	TYPE_TARGET,
	TYPE_READERS,
	TYPE_NAMES,
	TYPE_REFERENCES,
	TYPE_ENV_FILES,
	TYPE_SIGNALS,
	TYPE_SOCKETS,
	TYPE_LABELS,
	TYPE_ENVIRONMENT,
	TYPE_NEEDS,
	TYPE_WITH,
};

enum field_id {
#define FIELD(symbol, name, type, member, preset, kinds, effect, help) FIELD_##symbol,
#define SECTION(symbol, name, short_form, kinds, help) FIELD_##symbol,
#include "plan/fields.def"
#undef FIELD
#undef SECTION
	N_FIELDS,
	FIELD_NONE = N_FIELDS
};

/* Where a probe's rows are, counted from its section. */
enum {
	PROBE_EXEC = FIELD_STARTUP_EXEC - FIELD_STARTUP,
	PROBE_TCP = FIELD_STARTUP_TCP - FIELD_STARTUP,
	PROBE_UNIX = FIELD_STARTUP_UNIX - FIELD_STARTUP,
	PROBE_HTTP = FIELD_STARTUP_HTTP - FIELD_STARTUP,
	PROBE_LOG = FIELD_STARTUP_LOG - FIELD_STARTUP,
	PROBE_FILE = FIELD_STARTUP_FILE - FIELD_STARTUP,
	PROBE_KINDS_END = FIELD_STARTUP_INITIAL_DELAY - FIELD_STARTUP,
	PROBE_PERIOD = FIELD_STARTUP_PERIOD - FIELD_STARTUP,
	PROBE_TIMEOUT = FIELD_STARTUP_TIMEOUT - FIELD_STARTUP,
	PROBE_SUCCESS = FIELD_STARTUP_SUCCESS - FIELD_STARTUP,
	PROBE_FAILURE = FIELD_STARTUP_FAILURE - FIELD_STARTUP,
	PROBE_ROWS = FIELD_READINESS - FIELD_STARTUP
};

struct field {
	struct plan_field face;
	enum field_type type;
	uint64_t min, max; /* 0, 0: any; max 0: no upper one */
	const char *words; /* separated by blanks */
	int kinds;
	enum {
		IN_UNIT,
		IN_RULES,
		IN_WAYS,
		IN_PROCESS,
		IN_DAEMON,
		IN_NEED,
		IN_SOCKET
	} where;             /* which struct `offset` is into */
	size_t offset, size; /* of the member; size 0: none */
	enum field_id short_form;
};

const struct field *field_row(enum field_id id);
const char *field_key(const struct field *field);             /* the last part of its name */
const struct field *field_section(const struct field *field); /* the row above; NULL: none */
/* Fills the table of names of a load: (row of the section or NULL, key) to the row. */
void fields_index(struct load *load);
const struct field *field_find(
	const struct load *load, const struct field *section, const char *key);
enum field_id field_id(const struct field *field);
/* What an unset field is for a unit: its preset, or what the type of the unit makes of it (NULL: effd). NULL: none. */
const char *field_preset(enum field_id id, const struct plan_unit *unit);
/* Does an unset field mean anything for it? Not within a probe that it does not have, nor of dependencies without any. */
bool field_holds(enum field_id id, const struct plan_unit *unit);
/* "a process", "the root" */
const char *field_kind_text(int kind);

/* The i-th word of a set; false when there are no more. */
struct word {
	const char *text;
	size_t len;
};
bool word_next(const char **words, struct word *ret_word);

#endif
