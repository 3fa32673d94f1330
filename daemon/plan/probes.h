/* SPDX-License-Identifier: MIT */
/* What a unit's row says of a probe: how it is asked, and how often what counts. Part of plan.h. */
#ifndef EFFD_PLAN_PROBES_H
#define EFFD_PLAN_PROBES_H

#include <stdint.h>

#include <eff/time.h>

enum plan_probe_kind {
	PLAN_PROBE_NONE,
	PLAN_PROBE_EXEC,
	PLAN_PROBE_TCP,
	PLAN_PROBE_UNIX,
	PLAN_PROBE_HTTP,
	PLAN_PROBE_LOG,
	PLAN_PROBE_FILE
};

struct plan_probe {
	enum plan_probe_kind kind;
	const char *const *argv;         /* exec */
	const char *host;                /* tcp, http_get; default 127.0.0.1 */
	uint16_t port;                   /* tcp, http_get; 0: http over `path_unix` */
	const char *path_unix;           /* unix; http_get {unix} */
	const char *path;                /* http_get, default / */
	uint16_t status_min, status_max; /* http_get, default 200-399 */
	const char *match;               /* log: a line of output has this in it */
	const char *path_file;           /* file */
	eff_ns initial_delay_ns, period_ns, timeout_ns;
	uint32_t success_threshold, failure_threshold;
};

#endif
