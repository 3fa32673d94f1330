/* SPDX-License-Identifier: MIT */
/* Importing: what other supervisors read becomes a tree of effd's, and a report of what has no equal and what was assumed.
 *
 * A run collects: texts go in, items (a tree of mappings, lists and values that is yet to be written) and notes come out.
 * What a reader looks at stands in `file`, `line`, `unit` and `setting`, so that a note can say where it belongs. Memory
 * that runs out is noted once, in `failed`; all functions take the NULL that follows from it. Nothing here reads a file:
 * what a text names is asked for through `include`. All of it is linear in the size of the texts. */
#ifndef EFFCTL_IMPORT_H
#define EFFCTL_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"
#include "plan/plan.h"
#include "plan/table.h"

#define IMPORT_MAX_BYTES ((size_t)1024 * 1024) /* of one file */
#define MADE_MOST ((size_t)16 * 1024 * 1024)   /* that numbers in it may make of it */

enum import_kind {
#define IMPORT(symbol, name, help) IMPORT_##symbol,
#include "effctl/imports.def"
#undef IMPORT
	IMPORT_N
};

enum note_kind {
	NOTE_NO_EQUAL, /* a setting that is not in the tree */
	NOTE_ASSUMED,  /* what the tree says, and the file does not say in so many words */
	NOTE_REFUSED   /* a unit, or a file, that is not in the tree */
};

struct note {
	enum note_kind kind;
	const char *file;
	uint32_t line;              /* 0: none */
	const char *unit, *setting; /* NULL: none */
	const char *text;
	uint32_t order; /* in which they were made */
	struct note *next;
};

enum item_kind { ITEM_MAP, ITEM_LIST, ITEM_TEXT, ITEM_PLAIN };

/* A value of the tree to be. `text` is in effd's language: a dollar that is none of `${…}` is doubled already. */
struct item {
	enum item_kind kind;
	const char *key;  /* in a mapping; else NULL */
	const char *text; /* of a text; of a plain one a number, true or false */
	struct item *parent, *first, *last, *next;
	uint32_t n;
	const char *file; /* where it was said */
	uint32_t line;
};

/* A setting as the file gives it, for the formats that are lists of `key = value`. */
struct setting {
	const char *key, *value;
	uint32_t line;
	struct setting *next;
};
struct section {
	const char *file, *name;
	uint32_t line;
	struct setting *first, *last;
	struct section *next;
};

struct import {
	enum import_kind kind;
	struct arena *arena;
	bool failed; /* out of memory */
	struct table table;
	struct item *root, *defaults, *units;
	struct note *notes, *last_note;
	uint32_t n_notes[NOTE_REFUSED + 1];
	uint32_t n_units;
	struct section *sections, *last_section; /* of all files */
	uint32_t n_files;
	size_t made_bytes; /* what numbers in the texts have multiplied */
	void *more;        /* the reader's own */
	bool quiet;        /* the same was said of another */
	/* Where the reading is. */
	const char *file, *unit, *setting;
	uint32_t line;
	const char *folder; /* that relative paths are from; NULL: not known */
	/* Has the files that a file names read, by import_text(); NULL: they are refused. */
	void (*include)(struct import *im, const char *pattern);
};

/* What the settings of a format are: which function takes one, and where to. */
struct taker {
	const char *key;
	void (*take)(struct import *im, struct item *unit, const struct taker *taker,
		const char *value);
	const char *path; /* the field of the unit; or, with no function, why there is no equal */
};
const struct taker *taker_find(const struct taker *takers, const char *key); /* NULL: none */

/* The kind of that name; IMPORT_N: none. */
enum import_kind import_kind_of(const char *name);
const char *import_kind_name(enum import_kind kind);
const char *import_kind_help(enum import_kind kind);
int import_init(struct import *im, enum import_kind kind); /* 0 or -ENOMEM */
void import_done(struct import *im);
/* Whether it is UTF-8, without controls: what may become part of a tree. */
bool import_is_text(const char *s);
/* Take the text of one file. `path` stays the caller's, for as long as the run. */
void import_text(struct import *im, const char *path, const char *bytes, size_t size);
/* All texts are taken: make the tree. 0 or -ENOMEM; then `root` is whole, if it has units, and the notes stand in the order
 * of files and lines. */
int import_end(struct import *im);
/* A file that could not be read, or is none. */
void import_refuse_file(struct import *im, const char *path, const char *why);
/* The tree as YAML. */
void import_write(const struct import *im, struct text *to);
/* Load what was written, as effd would. 0; -EINVAL when the units cannot be one tree (a cycle, as systemd would break at
 * random): that is refused then, and the run has no units; -EPROTO when it is no tree for a reason of ours, which is in
 * `diags`; -ENOMEM. What another machine may have, a variable or a file, is not wrong here. */
int import_check(struct import *im, const char *yaml, size_t size, struct diags *diags);

#define IMPORT(symbol, name, help) \
	void import_read_##name(struct import *im, const char *bytes, size_t size); \
	void import_end_##name(struct import *im);
#include "effctl/imports.def"
#undef IMPORT

/* ── notes ── */

void no_equal(struct import *im, const char *format, ...) __attribute__((format(printf, 2, 3)));
void assumed(struct import *im, const char *format, ...) __attribute__((format(printf, 2, 3)));
void refused(struct import *im, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ── texts ── */

char *im_strndup(struct import *im, const char *s, size_t len);
char *im_printf(struct import *im, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text of a buffer, kept; ends the buffer. */
const char *im_text(struct import *im, struct text *text);
/* A text in which no dollar means anything to effd. */
const char *literal(struct import *im, const char *s);
/* A name as effd takes them for units, unlike those that `map` has: what it cannot have becomes a dash. */
const char *unit_name(struct import *im, const struct item *map, const char *name);
/* A duration of `s`, a number of seconds; NULL: it is none. */
const char *seconds(struct import *im, const char *s);
/* "1", "true", "yes", "on" … as most formats have them; -1: none of them. */
int truth(const char *s);
/* As a shell writes one word. */
void shell_word(struct text *to, const char *word);

/* Words of a text as Python's shlex has them, which is how supervisord and Compose split. NULL: a quote without its end.
 * NULL-terminated. */
const char **words_of(struct import *im, const char *s);
/* A list that grows; the array is NULL-terminated at any time. */
struct words_list {
	const char **items;
	size_t n, room;
};
void words_push(struct import *im, struct words_list *words, const char *word);

/* ── items ── */

struct item *item_new(struct import *im, enum item_kind kind, const char *key);
void item_put(struct import *im, struct item *parent, struct item *item); /* at its end */
struct item *item_find(const struct import *im, const struct item *map, const char *key);
/* The mapping, or the list, at a dotted path within `map`; made if it is not there. */
struct item *item_map(struct import *im, struct item *map, const char *path);
struct item *item_list(struct import *im, struct item *map, const char *path);
/* Set a value at a dotted path, anew if it was set. `text` is effd's language already: see literal(). */
void item_set(struct import *im, struct item *map, const char *path, const char *text);
void item_set_plain(struct import *im, struct item *map, const char *path, const char *text);
/* Of a mapping whose keys are not ours, as of an environment. */
void item_set_key(struct import *im, struct item *map, const char *key, const char *text);
/* Take it out again. */
void item_drop(struct import *im, struct item *map, const char *key);
void item_add(struct import *im, struct item *list, const char *text);
void item_add_plain(struct import *im, struct item *list, const char *text);
void item_add_words(
	struct import *im, struct item *unit, const char *path, const char *const *words);

/* Set a field, if there is a text (NULL: none). A number is written as one. */
void item_set_value(struct import *im, struct item *unit, const char *path, const char *text);
/* Set a limit of a resource by its name ("nofile"), from numbers or sizes as systemd and Docker write them. `hard` may be
 * NULL: as soft. */
void limit_set(struct import *im, struct item *unit, const char *name, const char *soft,
	const char *hard);
/* "512M", "1g", "65536": a size, the letters meaning powers of 1024; NULL: it is none. */
const char *import_size_of(struct import *im, const char *value);

#endif
