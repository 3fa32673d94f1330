/* SPDX-License-Identifier: MIT */
/* Log files: what logfile.c, rotate.c and compress.c share. All of it is for the thread that is at work on the logs of a folder;
 * but `struct logs` is everybody's. */
#ifndef EFFD_OS_LOGS_H
#define EFFD_OS_LOGS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <eff/list.h>
#include <eff/time.h>

#include "os/os.h"

/* Log files that are open; and what each of them is, which those who work in other folders ask too. */
struct logs {
	pthread_mutex_t lock; /* held for some instructions, never over a call that may wait */
	struct eff_list list;
};

struct os_file {
	struct eff_list link; /* of all that are open */
	struct logs *logs;
	int fd;
	bool regular;
	dev_t dev;
	ino_t ino;
	eff_ns looked_at;
	char path[];
};
/* The folder that a log is in, as a descriptor, and the log's name there, a piece of `path`, which is cut to pieces. As far as
 * links may be followed to it; *ret_is_ours tells whether nobody else can put any there. */
int os_log_folder(char *path, const char **ret_name, bool *ret_is_ours);
void os_logs_init(struct logs *logs);
/* Is it one that is written to? */
bool os_log_is_open(struct logs *logs, const struct stat *st);
/* Open what is at its path; on failure it is as it was. */
int os_log_reopen(struct os_file *file);
/* "x.log.7.gz" of "x.log", 7 and ".gz"; a name has at most NAME_MAX bytes. Numbers are looked for up to a bound. */
enum { ASIDE_MOST = 100000 };
int os_log_aside(const char *name, unsigned number, const char *ending, char *ret_aside);
int linux_rotate_log(struct os_file *file, unsigned keep);
int linux_compress_log(struct os *os, const char *path);
int linux_open_log(struct os *os, const char *path, struct os_file **ret_file);
int linux_append(struct os_file *file, const void *bytes, size_t size);
int linux_cut_log(struct os_file *file, uint64_t from, uint64_t to);
int linux_look_at_log(struct os_file *file, struct os_log_look *ret_look);
void linux_close_log(struct os_file *file);

#endif
