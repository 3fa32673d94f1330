/* SPDX-License-Identifier: MIT */
/* Units of systemd while they are read: all files first, because they name each other. */
#ifndef EFFCTL_IMPORT_SYSTEMD_H
#define EFFCTL_IMPORT_SYSTEMD_H

#include "effctl/import/ini.h"

/* A command line of an Exec… setting. */
struct exec {
	const char **words;
	bool may_fail, fills; /* `-`; not `:` */
	uint32_t line;
	const char *setting;
	struct exec *next;
};

struct exec_list {
	struct exec *first, *last;
};

struct systemd_unit {
	const char *name;            /* "web@1.service" */
	const char *stem;            /* "web@1" */
	const char *prefix;          /* "web" */
	const char *instance;        /* "1"; NULL: none */
	const struct section *first; /* its sections follow each other, all of one file */
	struct item *item;           /* NULL: refused, or no service */
	struct exec_list start, pre, post, stop, stop_post, reload;
	bool is_once, is_wanted, by_timer, by_socket;
	const char *call_action; /* of system calls that it may not make; NULL: not said */
	struct systemd_unit *next;
};

struct systemd {
	struct import *im;
	struct systemd_unit *units, *last, *unit; /* the last: that is looked at */
	struct table names;                       /* (NULL, name): its unit */
};

/* A setting that is known: what takes it, and the field that it goes to; with no function, why there is no equal. */
struct systemd_row {
	const char *key;
	void (*take)(struct systemd *s, const char *value, const struct systemd_row *row);
	const char *path;
};
void systemd_environment(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_env_file(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_inherited(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_folder(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_umask(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_true(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_read_only(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_private_tmp(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_calls(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_call_error(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_names(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_capabilities(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_cpus(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_word(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_folders(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_folder_mode(struct systemd *s, const char *value, const struct systemd_row *row);
void systemd_output(struct systemd *s, const char *value, const struct systemd_row *row);

/* When all settings are known: what priorities say together. */
void systemd_priorities_settle(struct systemd *s);

/* A value with its specifiers filled in; NULL: one is not known here, which was said. */
const char *systemd_filled(struct systemd *s, const char *value);
/* Words, as systemd splits and unquotes them. NULL: a quote without its end; or there was nothing. */
const char **systemd_words(struct import *im, const char *value);
/* A span of time: "5min 20s", "90". NULL: it is none, which was said. */
const char *systemd_span(struct import *im, const char *value);

/* A command line of such a setting, at the end of a list; an empty one empties the list. */
void exec_add(struct systemd *s, struct exec_list *list, const char *value);
/* Make fields of the commands of a service. False: there is nothing to run, which was said. */
bool exec_make(struct systemd *s);

/* The ends that are clean to systemd, whatever a unit says. */
void systemd_clean(struct import *im, struct item *unit);
/* The settings of a [Service], and of [Unit] and [Install] but what names other units. */
void systemd_service(struct systemd *s);
/* What names other units. */
void systemd_needs(struct systemd *s);
/* A timer's settings go to the service that it starts. */
void systemd_timer(struct systemd *s);
/* What a socket unit listens on is given to the service that it starts. */
void systemd_socket(struct systemd *s);

#endif
