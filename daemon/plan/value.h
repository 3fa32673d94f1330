/* SPDX-License-Identifier: MIT */
/* One value: from a node to a member of a struct, and to canonical text (that of two trees is compared). Variables are
 * filled in first. Every reader returns whether the value was good; if not, it has said so. */
#ifndef EFFD_PLAN_VALUE_H
#define EFFD_PLAN_VALUE_H

#include "plan/fields.h"

struct value {
	struct load *load;
	const struct field *field;
	struct node *node;
	const char *unit;     /* what ${UNIT} is */
	void *to;             /* the member */
	const char *filled;   /* a scalar's text, variables filled in */
	struct text text;     /* canonical; value_done() or keep_text() ends it */
	const char *unclosed; /* a text that ends in a `${` without `}` */
	const char *builtin;  /* whose `with` it is; NULL: it is no built-in's */
	bool as_written;      /* nothing is filled in, by canonical_node() */
};

/* Reads a value of any type but RAW. */
bool value_read(struct value *value);
/* Ends the canonical text of one that needs it no more. */
void value_done(struct value *value);

/* A scalar's text with `${…}` and `$$` filled in, kept in the plan. NULL: said why, or it is no scalar. */
const char *value_fill(struct value *value, struct node *node);
/* One `${…}` or `$$` at `at` of the node's text: appends what it stands for. Returns how long it is; *ret_good is false
 * when that was said to be wrong, and is else left alone. */
size_t value_fill_one(struct value *value, struct node *node, const char *at, struct text *to,
	bool *ret_good);
/* The place within a scalar, as a node to complain about. */
struct node node_inside(struct load *load, const struct node *node, const char *at);

/* A vector of strings that grows. */
struct words {
	const char **items; /* NULL-terminated once anything was added */
	uint32_t n, room;
};
void words_add(struct load *load, struct words *words, const char *word);
/* Splits as a shell splits words: blanks, quotes, backslash. What is filled in is not split. */
bool words_split(struct value *value, struct node *node, struct words *words);

/* The readers of numbers. */
bool read_count(struct value *value);
bool read_limit(struct value *value);
bool read_number(struct value *value);
bool read_ratio(struct value *value);
bool read_duration(struct value *value);
bool read_size(struct value *value);
bool read_signal(struct value *value);
bool read_mode(struct value *value);
bool read_port(struct value *value);
bool read_status(struct value *value);

/* What numbers share: a whole one without a sign; whether it is in the range of its field, which is said if not; sizes
 * and durations, of which is said what is wrong with them. */
bool number_is_whole(const char *s, uint64_t *ret);
bool number_in_range(struct value *value, uint64_t n, const char *unit);
bool size_of(struct value *value, uint64_t *ret_bytes);
void size_add(struct text *text, uint64_t bytes);
bool duration_of(struct value *value, eff_ns *ret_ns);

/* The readers of the terms of a process. */
bool read_integer(struct value *value);
bool read_capabilities(struct value *value);
bool read_cpus(struct value *value);
bool read_rlimit(struct value *value);
/* One half of a limit, as it is written. */
void limit_half_add(struct text *text, const struct field *field, uint64_t half);

/* The readers of lists and mappings. */
bool read_command(struct value *value);
bool read_shell(struct value *value);
bool read_ends(struct value *value);
bool read_target(struct value *value);
bool read_texts(struct value *value);
bool read_folders(struct value *value);
bool read_paths(struct value *value);
bool read_calls(struct value *value);
bool read_names(struct value *value);
bool read_map(struct value *value);
bool read_signals(struct value *value);
bool read_listen(struct value *value);
bool read_sockets(struct value *value);

/* Appends an item of a canonical list or mapping: quoted where it has to be. */
void canonical_add(struct text *text, const char *item);
/* All of a list; NULL: an empty one. */
void canonical_words(struct text *text, const char *const *items);
/* All of a node, variables filled in, or as it is written. */
bool canonical_node(struct value *value, struct node *node);
/* A mapping's values by name; nested ones as a.b, lists as a.0. NULL: said why. */
const struct plan_pair *pairs_of(struct value *value, struct node *map, uint32_t *ret_n);
/* What a scalar in the `with` of a built-in stands for, of the text that is filled in. NULL: out of memory. */
const char *builtin_text(struct value *value, const struct node *node, const char *filled);
/* Which of true and false somebody meant who wrote this; NULL: who knows. */
const char *bool_meant(const char *s);
/* What should have been written instead of a word that is not among `words`. */
void word_fault(struct value *value, const char *words);

#endif
