/* SPDX-License-Identifier: MIT */
/* One loading of a tree: what all its steps share. Memory that runs out is noted once, in `failed`, and ends the load at
 * its next step; so a step that gets NULL just returns. Errors of the tree are collected and end nothing. */
#ifndef EFFD_PLAN_LOAD_H
#define EFFD_PLAN_LOAD_H

#include "base/arena.h"
#include "base/text.h"
#include "plan/diag.h"
#include "plan/node.h"
#include "plan/plan.h"
#include "plan/table.h"

#define TREE_MAX_BYTES ((size_t)8 * 1024 * 1024)
#define TREE_MAX_DEPTH 64
#define ALIAS_MAX_NODES 10000 /* that aliases may add */
#define SHARED_MAX_NODES \
	2000000        /* that `defaults` and env_files may add to all units together */
#define NODE_BYTES 256 /* a text counts as one node for each so many bytes */

struct file {
	const char *path;
	const char *bytes;
	size_t size;
	bool is_tree; /* YAML; else an env_file */
	struct file *next;
	struct file *from; /* the file that includes it */
	uint32_t *lines;   /* where each line begins; NULL: not asked yet */
	uint32_t n_lines;
};

struct record;
struct added;
struct draft;
struct edge;
struct naming;
struct layer;
struct env_pairs;
struct libyaml;

/* A text, and how many characters it has, and has before a byte. */
struct inside {
	const char *text, *at;
	uint32_t all, before;
};

struct load {
	struct arena *arena;   /* the plan's: what stays */
	struct arena *scratch; /* what goes with the load */
	struct diags *diags;
	const struct plan_source *source;
	struct libyaml *libyaml; /* NULL: nothing was read with it yet */
	bool failed;             /* out of memory */
	struct file *files, **files_tail;
	uint32_t n_files;
	struct file *absent; /* env_files that may be missing, and are; the last first */
	uint32_t n_absent;
	size_t tree_bytes;
	uint32_t alias_nodes;
	uint64_t shared_nodes;
	struct table keys;   /* (mapping, key): its node */
	struct table fields; /* (section, key): its row */
	struct table names; /* (a supervisor's mapping, key): its unit's; (NULL, key): that of any */
	struct table stems; /* (NULL, full name): the struct range of a unit that says `replicas`; the plan's */
	struct table texts; /* (NULL, text): the one that is kept; (&texts, rules): the filter that was made of them;
			      * (row, text): the words of a command */
	struct table paths; /* (&paths, path): its file; (&files, path): its env_file, parsed; others' of their own */
	struct draft *drafts; /* of all units, as plan_unit() counts them */
	uint32_t n_units, room_units;
	struct plan_unit *units;
	struct edge *edges; /* all orders of the tree */
	uint32_t n_edges, room_edges;
	struct naming *namings; /* of units that were added */
	uint32_t n_namings, room_namings;
	struct plan_socket *sockets; /* of the root */
	uint32_t n_sockets;
	struct node *exit_code_from, *signals; /* of `daemon`; NULL: not given */
	struct plan_daemon *daemon;
	struct node **daemon_nodes; /* of each of its values; the same order */
	const char *name;
	struct layer *given;           /* room for one, for layer_inherit() */
	struct inside inside;          /* the text that was last complained of */
	const struct node *inherit_of; /* the env_inherit that `inherited` is the answer to */
	const struct env_pairs *inherited;
	const struct env_pairs *shared_of; /* what `shared_environment` was made of */
	plan_strv shared_environment;
	bool shared_but_users;
	bool has_template;          /* so units may be added later: what was read is kept */
	const struct record *again; /* what it was read from before, and is now; NULL: read the files */
	struct record *notes;       /* of this reading, beside the files that could be read */
	const struct plan *present; /* whose additions are kept; NULL: none */
	struct plan_addition *addition; /* a further one; NULL */
	struct added *added, **added_tail;
};

/* Memory of the plan, of the load. Zeroed; NULL: out of memory, noted. */
void *keep_alloc(struct load *load, size_t size);
/* A text of the plan's, the same for the same: most of what units say is what others say too. */
const char *keep_strdup(struct load *load, const char *s);
void *scratch_alloc(struct load *load, size_t size);
/* The text of a buffer, kept in the plan; ends the buffer. */
const char *keep_text(struct load *load, struct text *text);

/* Say what is wrong with a value, with a key, at a place; an `E…` is an error, a `W…` a warning. NULL: it was said
 * before, or is not kept; the diag_… functions take that. */
struct diag *fault(struct load *load, struct node *node, const char *code, const char *format,
	...) __attribute__((format(printf, 4, 5)));
struct diag *fault_key(struct load *load, struct node *node, const char *code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
struct diag *fault_at(struct load *load, struct plan_place at, const char *code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Whether searching for what was meant is still worth it: beyond some errors nobody reads it. */
bool load_may_suggest(const struct load *load);

/* The nearest of the names offered so far, for "did you mean". */
struct nearest {
	const char *wanted;
	const char *best; /* NULL: none is near */
	uint32_t distance;
};
void nearest_offer(struct nearest *nearest, const char *name);

/* A path as it stands in `file`, made absolute by the folder of that file. */
const char *path_from(struct load *load, const char *file, const char *path);
/* An address to listen on: the path of `unix:PATH` likewise, any other as it is. */
const char *address_from(struct load *load, const char *file, const char *address);

/* The words for what reading a file gave. */
const char *read_error_text(int error);
/* What to do about it, where that is known. */
void read_error_help(struct load *load, struct diag *diag, const char *path, int error);
/* Reads a file once. NULL: it cannot be, and `ret_error` says why (-errno). */
struct file *file_read(struct load *load, const char *path, int *ret_error);
/* Whether a file is UTF-8 without what YAML cannot have; if not, it was said. */
bool file_is_text(struct load *load, const struct file *file);
/* The column of the tab in the indentation of a line, which counts from 0; 0: there is none. */
uint32_t file_tab_in_indent(const struct file *file, size_t line);
/* Reads the tree at `path` with all that it includes: one root mapping. NULL: nothing to go on with. */
struct node *tree_read(struct load *load, const char *path);
/* ── record.c: what a tree was read from, so that it can be read so again ── */

/* To be called when the load knows what it is to read again. Returns whether it may go on. */
bool record_begin(struct load *load);
/* As the source does, or did. `limit`: bytes. */
int record_read(struct load *load, const char *path, char **ret_bytes, size_t *ret_size);
int record_list(struct load *load, const char *folder, char ***ret_names);
/* All that was read, in the plan's memory. */
const struct record *record_keep(struct load *load, const char *path);
const char *record_path(const struct record *record);

/* ── added.c: what was added at run time ── */

/* Reads all texts that were added, and the one that is to be. */
void added_read(struct load *load);
/* The units that were added to this supervisor, as a mapping; NULL: none. */
struct node *added_units(struct load *load, const char *supervisor);

/* Gives each diagnostic its source line. They are in their order. */
void sources_show(struct load *load);

#endif
