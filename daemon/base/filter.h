/* SPDX-License-Identifier: MIT */
/* Which system calls a process may make, as a program of the kernel's. It is libseccomp that knows the calls of
 * every processor, those too that this one lacks, and the kernel's language for it. */
#ifndef EFFD_FILTER_H
#define EFFD_FILTER_H

#include <stdbool.h>

struct arena;
struct sock_filter;

/* What becomes of a call that it may not make. In the order of the words in fields.def. */
enum filter_action {
	FILTER_EPERM,  /* it fails with this error */
	FILTER_ENOSYS, /* or with this one, as where the kernel does not know it */
	FILTER_KILL,   /* the process ends by SIGSYS */
	FILTER_LOG     /* it is made, and the kernel's log has it */
};

/* Names of calls, and of sets of them behind an @; NULL-terminated. */
struct filter_rules {
	const char *const *allow; /* these and no others, but for what any program needs to begin; NULL: all */
	const char *const *deny; /* but not these; NULL: none */
	enum filter_action action;
};

/* Who makes it. */
#define FILTER_LIBRARY "libseccomp.so.2"

struct filter {
	const struct sock_filter *list;
	unsigned short n;
};

/* Is it the name of a call, of any processor's, or of a set? Without the library any may be a call's. */
bool filter_knows(const char *name);
/* The i-th of all names, "" where there is a gap. False: there are no more. */
enum { FILTER_NAME_BYTES = 64 };
bool filter_name(unsigned i, char ret_name[static FILTER_NAME_BYTES]);
/* Make the program, in the arena. What a name that is not known stands for is nothing. Returns 0; -ENOMEM, -ELIBACC without
 * libseccomp, or what it has against it. */
int filter_make(struct arena *arena, const struct filter_rules *rules, struct filter *ret);

#endif
