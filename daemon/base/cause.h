/* SPDX-License-Identifier: MIT */
/* A cause: why something is as it is. One closed set of kinds (causes.def); policy, hooks, JSON, logs and `explain` read
 * this and nothing else. A cause is immutable and counted by reference; `because` is the cause behind it. */
#ifndef EFFD_CAUSE_H
#define EFFD_CAUSE_H

#include <stdbool.h>
#include <sys/types.h>

#include <eff/time.h>

enum cause_kind {
#define CAUSE(symbol, name, class, meaning) CAUSE_##symbol,
#include "base/causes.def"
#undef CAUSE
	CAUSE_N_KINDS
};

/* The column of the policy table (semantics: rule 3) that an end of a kind falls into when it is not clean. */
enum cause_class { CAUSE_CLASS_FAILURE, CAUSE_CLASS_ABNORMAL, CAUSE_CLASS_NEITHER };

const char *cause_kind_name(enum cause_kind kind);
int cause_kind_parse(const char *name); /* an enum cause_kind, or -EINVAL */
enum cause_class cause_kind_class(enum cause_kind kind);
/* Is it what effd ends something for that is not well (a probe, a timeout)? */
bool cause_kind_never_clean(enum cause_kind kind);

/* Who asked, as the kernel tells it. */
struct asker {
	pid_t pid; /* 0: nobody, or */
	bool unseen; /* somebody who has no number here: in another pid namespace, as on the host of a container */
	uid_t uid;
	char command[64]; /* the program's name; may be empty */
};

struct cause {
	enum cause_kind kind;
	eff_ns wall_at; /* the calendar clock, ns since 1970 */
	int code;       /* -1: none */
	int signal;     /* 0: none */
	bool core;
	struct asker by;       /* nobody: 0, and not unseen */
	struct cause *because; /* NULL: none */
	unsigned n_refs;
	char text[]; /* may be empty */
};

/* Make one; NULL when out of memory (a NULL cause is fine everywhere: nothing is known). `because` is kept by a
 * reference of its own; chains are cut at 8, so that nothing grows with time. Fields not named are set on the result
 * before it is shown to anyone. */
struct cause *cause_new(enum cause_kind kind, eff_ns wall_at, struct cause *because,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
struct cause *cause_ref(struct cause *cause);
void cause_unref(struct cause *cause);
/* Does `end` only say besides how the process went that was ended for `word`? Either may be NULL: no. */
bool cause_completes(const struct cause *end, const struct cause *word);
/* "exit 1; because of …", "exec error: exec: ENOENT (No such file or directory): ./x", as one line of at most `size`: the
 * cause and the one behind it (cause_words.h has it in parts). */
const char *cause_line(const struct cause *cause, char *buf, size_t size);

#endif
