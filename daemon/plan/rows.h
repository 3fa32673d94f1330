/* SPDX-License-Identifier: MIT */
/* Rows of fields.def that stand together more than once. Macros alone: whoever reads the table by its own means needs them. */
#ifndef EFFD_PLAN_ROWS_H
#define EFFD_PLAN_ROWS_H

/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are pieces of rows, not expressions. */
/* A probe's rows stand in the same order three times; the first of each is its section. */
#define PROBE(symbol, name, member, help) \
	SECTION(symbol, name, NONE, RUNS, help) \
	SECTION(symbol##_EXEC, name ".exec", NONE, RUNS, "a command that must end with 0") \
	FIELD(symbol##_EXEC_COMMAND, name ".exec.command", OF(COMMAND), R(member.argv), NULL, \
		RUNS, LIVE, "the command") \
	SECTION(symbol##_TCP, name ".tcp", NONE, RUNS, "a port that must take a connection") \
	FIELD(symbol##_TCP_PORT, name ".tcp.port", OF(PORT), R(member.port), NULL, RUNS, LIVE, \
		"the port") \
	FIELD(symbol##_TCP_HOST, name ".tcp.host", OF(TEXT), R(member.host), "127.0.0.1", \
		RUNS, LIVE, "the host") \
	SECTION(symbol##_UNIX, name ".unix", NONE, RUNS, "a unix socket that must take a connection") \
	FIELD(symbol##_UNIX_PATH, name ".unix.path", OF(PATH), R(member.path_unix), NULL, \
		RUNS, LIVE, "its path") \
	SECTION(symbol##_HTTP, name ".http_get", NONE, RUNS, "a page that must be served") \
	FIELD(symbol##_HTTP_PORT, name ".http_get.port", OF(PORT), R(member.port), NULL, RUNS, \
		LIVE, "the port") \
	FIELD(symbol##_HTTP_UNIX, name ".http_get.unix", OF(PATH), R(member.path_unix), NULL, \
		RUNS, LIVE, "a unix socket instead of a port") \
	FIELD(symbol##_HTTP_HOST, name ".http_get.host", OF(TEXT), R(member.host), \
		"127.0.0.1", RUNS, LIVE, "the host") \
	FIELD(symbol##_HTTP_PATH, name ".http_get.path", OF(TEXT), R(member.path), "/", RUNS, \
		LIVE, "the page") \
	FIELD(symbol##_HTTP_STATUS, name ".http_get.expect_status", OF(STATUS), \
		R(member.status_min), "200-399", RUNS, LIVE, "the codes that are well") \
	SECTION(symbol##_LOG, name ".log", NONE, RUNS, "a line of output that must come") \
	FIELD(symbol##_LOG_MATCH, name ".log.match", OF(NAME), R(member.match), NULL, RUNS, \
		LIVE, "the text that the line has in it") \
	SECTION(symbol##_FILE, name ".file", NONE, RUNS, "a file that must be there") \
	FIELD(symbol##_FILE_PATH, name ".file.path", OF(PATH), R(member.path_file), NULL, \
		RUNS, LIVE, "its path") \
	FIELD(symbol##_INITIAL_DELAY, name ".initial_delay", OF(DURATION), \
		R(member.initial_delay_ns), "0", RUNS, LIVE, "before the first attempt") \
	FIELD(symbol##_PERIOD, name ".period", RANGE(DURATION, 1, 0), R(member.period_ns), \
		"10s", RUNS, LIVE, "from one attempt to the next") \
	FIELD(symbol##_TIMEOUT, name ".timeout", RANGE(DURATION, 1, 0), R(member.timeout_ns), \
		"1s", RUNS, LIVE, "an attempt that takes longer has failed") \
	FIELD(symbol##_SUCCESS, name ".success_threshold", RANGE(COUNT, 1, 1000000), \
		R(member.success_threshold), "1", RUNS, LIVE, \
		"so many successes in a row are needed") \
	FIELD(symbol##_FAILURE, name ".failure_threshold", RANGE(COUNT, 1, 1000000), \
		R(member.failure_threshold), "3", RUNS, LIVE, "so many failures in a row are one")
/* A hook is a command, or a mapping with more to say about it. */
#define HOOK(symbol, name, member, help) \
	SECTION(symbol, name, symbol##_COMMAND, ANY_UNIT, help) \
	FIELD(symbol##_COMMAND, name ".command", OF(COMMAND), R(member.argv), NULL, ANY_UNIT, \
		LIVE, "the command") \
	FIELD(symbol##_TIMEOUT, name ".timeout", RANGE(DURATION, 1, 0), R(member.timeout_ns), \
		"30s", ANY_UNIT, LIVE, "how long it may take")
/* A limit of a resource: a row of base/limits.def. */
#define LIMIT(symbol, name, type, most, help) \
	FIELD(LIMIT_##symbol, "limits." name, RANGE(RLIMIT_##type, 0, most), \
		P(terms.limits[RLIMIT_##symbol]), NULL, PROCESS, RESTART, help)
/* A limit of a control group: a row of base/cgroup.def. */
#define CGROUP_LIMIT(symbol, name, type, least, most, controller, file, none, help) \
	FIELD(CGROUP_##symbol, "cgroup." #name, RANGE(type, least, most), \
		P(terms.cgroup.name), NULL, PROCESS, LIVE, help)
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
