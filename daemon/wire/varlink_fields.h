/* SPDX-License-Identifier: MIT */
/* Fields that more than one row of the interface has, in Varlink's words. */
#ifndef EFFD_VARLINK_FIELDS_H
#define EFFD_VARLINK_FIELDS_H

#define STATUS_FIELDS \
	"name: string, description: ?string, kind: string, state: string, wanted: bool, pid: ?int, since: string, uptime_s: ?float, " \
	"starts: int, restarts: int, failures: int, next_start_s: ?float, last_exit: ?Cause, cause: ?Cause, " \
	"health: ?string, status_text: ?string, depends_on: []string, sockets: ?[]Socket, cpu_s: ?float, memory_bytes: ?int, " \
	"log_lost_bytes: int, children: ?int, active: ?int, intensity: ?Intensity, restarts_in_period: ?int"

#endif
