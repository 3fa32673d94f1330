/* SPDX-License-Identifier: MIT */
/* The other supervisors, each as its own documents say that one makes it restart at once. What a peer forces (s6, runit and
 * daemontools wait a second between two starts) is its own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

bool on_path(const char *program)
{
	const char *entry = getenv("PATH");
	char path[1024];

	if (strchr(program, '/'))
		return access(program, X_OK) == 0;
	while (entry && *entry) {
		size_t len = strcspn(entry, ":");

		(void)snprintf(path, sizeof(path), "%.*s/%s", (int)len, entry, program);
		if (access(path, X_OK) == 0)
			return true;
		entry += len + (entry[len] == ':');
	}
	return false;
}

static void signal_root(const struct box *box, int sig)
{
	(void)kill(box->root, sig);
}

static void stop_by_term(const struct box *box)
{
	signal_root(box, SIGTERM);
}

static void joined(const struct box *box, unsigned number, char *ret, size_t size)
{
	struct words service = {.n = 0};
	size_t len = 0;

	box_service(box, number, &service);
	for (unsigned i = 0; i < service.n; i++)
		len += (size_t)snprintf(
			ret + len, size - len, "%s%s", i ? " " : "", service.list[i]);
	words_free(&service);
}

/* ── a folder a service: s6, runit, daemontools ── */

static void folders(const struct box *box, const char *logger)
{
	char path[2 * PATH_BYTES], command[1024];

	(void)snprintf(path, sizeof(path), "%s/scan", box->dir);
	(void)mkdir(path, 0755);
	for (unsigned i = 0; i < box->n; i++) {
		(void)snprintf(path, sizeof(path), "scan/s%u/run", i);
		if (box->mode == WRITES) {
			joined(box, i, command, sizeof(command));
			box_write(box, path, 0755, "#!/bin/sh\nexec %s\n", command);
			(void)snprintf(path, sizeof(path), "scan/s%u/log/run", i);
			box_write(box, path, 0755, "#!/bin/sh\nexec %s %s/out\n", logger, box->dir);
			continue;
		}
		(void)snprintf(path, sizeof(path), "%s/scan/s%u", box->dir, i);
		(void)mkdir(path, 0755);
		strncat(path, "/run", sizeof(path) - strlen(path) - 1);
		(void)symlink(program_path("service"), path);
	}
}

static void folder_query(const struct box *box, enum ask ask, struct query *ret, const char *file)
{
	unsigned first = ask == ASK_ONE ? box->n / 2 : 0;
	unsigned end = ask == ASK_ONE ? first + 1 : box->n;

	for (unsigned i = first; i < end; i++)
		words_add(&ret->words, "%s/scan/s%u%s", box->dir, i, file);
}

static void s6_configure(const struct box *box)
{
	folders(box, "s6-log n60 s16000000");
}

static void s6_command(const struct box *box, struct words *ret)
{
	words_add(ret, "s6-svscan");
	words_add(ret, "-c");
	words_add(ret, "%u", 2 * box->n + 1000);
	words_add(ret, "%s/scan", box->dir);
}

static bool s6_query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	*ret = (struct query){.how = native ? BY_FILES : BY_COMMAND};
	if (native)
		folder_query(box, ask, ret, "/supervise/status");
	else if (ask == ASK_ONE)
		words_add(&ret->words, "s6-svstat");
	if (!native && ask == ASK_ONE)
		folder_query(box, ask, ret, "");
	if (!native && ask == ASK_ALL) { /* a process a service */
		words_add(&ret->words, "sh");
		words_add(&ret->words, "-c");
		words_add(&ret->words, "for s in %s/scan/s*; do s6-svstat $s; done", box->dir);
	}
	return true;
}

static bool s6_here(void)
{
	return on_path("s6-svscan");
}

const struct peer peer_s6 = {
	.name = "s6",
	.most = 5000,
	.rounds = 2,
	.patience_s = 120,
	.is_here = s6_here,
	.configure = s6_configure,
	.command = s6_command,
	.stop = stop_by_term,
	.query = s6_query,
	.logs = true,
};

static void runit_configure(const struct box *box)
{
	folders(box, "svlogd");
	if (box->mode == WRITES)
		box_write(box, "out/config", 0644, "s16000000\nn60\n");
}

static void runit_command(const struct box *box, struct words *ret)
{
	words_add(ret, "runsvdir");
	words_add(ret, "%s/scan", box->dir);
}

static void runit_stop(const struct box *box)
{
	signal_root(box, SIGHUP);
}

static bool runit_query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	*ret = (struct query){.how = native ? BY_FILES : BY_COMMAND};
	if (!native) {
		words_add(&ret->words, "sv");
		words_add(&ret->words, "status");
	}
	folder_query(box, ask, ret, native ? "/supervise/status" : "");
	return true;
}

static bool runit_here(void)
{
	return on_path("runsvdir");
}

const struct peer peer_runit = {
	.name = "runit",
	.most = 1000,
	.rounds = 2,
	.patience_s = 120,
	.is_here = runit_here,
	.configure = runit_configure,
	.command = runit_command,
	.stop = runit_stop,
	.query = runit_query,
	.logs = true,
};

static void daemontools_configure(const struct box *box)
{
	folders(box, "multilog s16000000 n60");
}

static void daemontools_command(const struct box *box, struct words *ret)
{
	words_add(ret, "svscan");
	words_add(ret, "%s/scan", box->dir);
}

/* It has no orderly stop: end svscan, then tell every service's supervisor to. */
static void daemontools_stop(const struct box *box)
{
	struct words all = {.n = 0};

	signal_root(box, SIGTERM);
	words_add(&all, "svc");
	words_add(&all, "-dx");
	for (unsigned i = 0; i < box->n; i++)
		words_add(&all, "%s/scan/s%u", box->dir, i);
	if (fork() == 0) {
		/* It complains of those that have gone already. */
		(void)!freopen("/dev/null", "w", stderr);
		(void)execvp(all.list[0], all.list);
		_exit(127);
	}
	words_free(&all);
}

static bool daemontools_query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	*ret = (struct query){.how = native ? BY_FILES : BY_COMMAND};
	if (!native)
		words_add(&ret->words, "svstat");
	folder_query(box, ask, ret, native ? "/supervise/status" : "");
	return true;
}

static bool daemontools_here(void)
{
	return on_path("svscan");
}

const struct peer peer_daemontools = {
	.name = "daemontools",
	.most = 1000,
	.rounds = 2,
	.patience_s = 120,
	.is_here = daemontools_here,
	.configure = daemontools_configure,
	.command = daemontools_command,
	.stop = daemontools_stop,
	.query = daemontools_query,
	.logs = true,
};

/* ── supervisord ── */

/* One program of many processes: of many programs each would be stopped when the one before has ended. */
static void supervisord_configure(const struct box *box)
{
	struct words service = {.n = 0};

	box_write(box, "out/.keep", 0644, "%s", "");
	box_write(box, "conf", 0644,
		"[unix_http_server]\nfile=%s/control\n[supervisord]\nnodaemon=true\nsilent=true\n"
		"logfile=%s/supervisord.log\nlogfile_maxbytes=0\npidfile=%s/pid\nminfds=%u\n"
		"[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory="
		"supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\n"
		"serverurl=unix://%s/control\n",
		box->dir, box->dir, box->dir, 3 * box->n + 1024, box->dir);
	if (box->n == 0)
		return;
	box_service(box, 0, &service);
	box_write(box, "conf", 0644, "[program:s]\ncommand=%s %s", service.list[0],
		service.list[1]);
	for (unsigned i = 2; i < service.n; i++)
		box_write(box, "conf", 0644, " %s",
			i == 2 && box->mode != WRITES ? "%(process_num)d" : service.list[i]);
	words_free(&service);
	box_write(box, "conf", 0644,
		"\nnumprocs=%u\nprocess_name=s%%(process_num)d\nstartsecs=0\nautorestart=true\n"
		"startretries=1000000\nstderr_logfile=NONE\n",
		box->n);
	if (box->mode == WRITES)
		box_write(box, "conf", 0644,
			"stdout_logfile=%s/out/log\nstdout_logfile_maxbytes=16000000\n"
			"stdout_logfile_backups=60\n",
			box->dir);
	else
		box_write(box, "conf", 0644, "stdout_logfile=NONE\n");
}

static void supervisord_command(const struct box *box, struct words *ret)
{
	words_add(ret, "/usr/bin/supervisord");
	words_add(ret, "-c");
	words_add(ret, "%s/conf", box->dir);
}

/* XML-RPC by HTTP over its socket, on a connection that is kept. */
static void supervisord_native(const struct box *box, enum ask ask, struct query *ret)
{
	char body[512];
	int len;

	if (ask == ASK_ONE)
		len = snprintf(body, sizeof(body),
			"<?xml version='1.0'?><methodCall><methodName>supervisor.getProcessInfo"
			"</methodName><params><param><value><string>s:s%u</string></value></param>"
			"</params></methodCall>",
			box->n / 2);
	else
		len = snprintf(body, sizeof(body),
			"<?xml version='1.0'?><methodCall><methodName>supervisor.getAllProcessInfo"
			"</methodName><params/></methodCall>");
	(void)snprintf(ret->socket, sizeof(ret->socket), "%.240s/control", box->dir);
	ret->is_http = true;
	ret->n_request = (size_t)snprintf(ret->request, sizeof(ret->request),
		"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"
		"Content-Length: %d\r\n\r\n%s",
		len, body);
}

static bool supervisord_query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	*ret = (struct query){.how = native ? BY_SOCKET : BY_COMMAND};
	if (native) {
		supervisord_native(box, ask, ret);
		return true;
	}
	words_add(&ret->words, "/usr/bin/supervisorctl");
	words_add(&ret->words, "-c");
	words_add(&ret->words, "%s/conf", box->dir);
	words_add(&ret->words, "status");
	if (ask == ASK_ONE)
		words_add(&ret->words, "s:s%u", box->n / 2);
	return true;
}

static bool supervisord_here(void)
{
	return on_path("/usr/bin/supervisord");
}

const struct peer peer_supervisord = {
	.name = "supervisord",
	.most = 1000,
	.rounds = 1, /* a thousand take most of a minute */
	.patience_s = 240,
	.is_here = supervisord_here,
	.configure = supervisord_configure,
	.command = supervisord_command,
	.stop = stop_by_term,
	.query = supervisord_query,
	.logs = true,
};
