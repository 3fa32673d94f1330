/* SPDX-License-Identifier: MIT */
/* Where the output of a unit goes, and how. */
#ifndef EFFD_PLAN_LOGS_H
#define EFFD_PLAN_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff/time.h>

enum plan_log_kind {
	PLAN_LOG_INHERIT,
	PLAN_LOG_FILE,
	PLAN_LOG_NULL,
	PLAN_LOG_RING,
	PLAN_LOG_SYSLOG,
	PLAN_LOG_JOURNAL,
	PLAN_LOG_STDOUT
};

struct plan_log_target {
	enum plan_log_kind kind;
	const char *path; /* PLAN_LOG_FILE; NULL: LOG_DIR/UNIT.log */
};

/* Is it a name of what effd itself writes to, as /dev/stdout? Such a one is a link, which no log is opened through: nothing would
 * ever be in it. */
bool plan_log_is_own_output(const char *path);

enum plan_format { PLAN_RAW, PLAN_JSON };

enum plan_compress { PLAN_COMPRESS_NONE, PLAN_COMPRESS_GZIP };

enum plan_on_block { PLAN_BLOCK, PLAN_DROP_OLD, PLAN_DROP_NEW };

/* When a log file is put aside. */
struct plan_rotate {
	size_t size_bytes; /* 0: whatever its size */
	eff_ns every_ns;   /* 0: at no time */
	uint32_t keep;
	enum plan_compress compress;
};

#endif
