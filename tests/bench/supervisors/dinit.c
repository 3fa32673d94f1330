/* SPDX-License-Identifier: MIT */
/* dinit, which is mostly built from a checkout: $DINIT and $DINITCTL say where. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* Of its control protocol: find a service; its handle; ask for the status by handle; list; a row of the list, and its end. */
enum { FIND = 1, FOUND = 59, STATUS = 26, LIST = 25, ROW = 62, LIST_END = 63, ROW_HEAD = 16 };

static const char *program(const char *variable, const char *otherwise)
{
	const char *path = getenv(variable);

	return path && *path ? path : otherwise;
}

static bool here(void)
{
	char path[PATH_BYTES];
	const char *daemon = program("DINIT", NULL);

	(void)snprintf(path, sizeof(path), "/usr/sbin/dinit");
	return access(daemon ? daemon : path, X_OK) == 0;
}

static void configure(const struct box *box)
{
	for (unsigned i = 0; i < box->n; i++) {
		struct words service = {.n = 0};
		char name[32];

		box_service(box, i, &service);
		(void)snprintf(name, sizeof(name), "services/s%u", i);
		box_write(box, name, 0644, "type = process\ncommand =");
		for (unsigned k = 0; k < service.n; k++)
			box_write(box, name, 0644, " %s", service.list[k]);
		box_write(box, name, 0644,
			"\nrestart = yes\nsmooth-recovery = yes\nrestart-delay = 0\n"
			"restart-limit-count = 0\n%s",
			box->mode == WRITES ? "log-type = pipe\n" : "");
		box_write(box, "services/boot", 0644, "waits-for: s%u\n", i);
		words_free(&service);
	}
	box_write(box, "services/boot", 0644, "type = internal\nrestart = no\n");
	/* Itself it writes to a file and rotates nothing. */
	if (box->mode != WRITES)
		return;
	box_write(box, "services/logger", 0644,
		"type = process\ncommand = s6-log n60 s16000000 %s/out\nconsumer-of = s0\n",
		box->dir);
	box_write(box, "services/boot", 0644, "waits-for: logger\n");
}

static void command(const struct box *box, struct words *ret)
{
	words_add(ret, "%s", program("DINIT", "/usr/sbin/dinit"));
	words_add(ret, "-u");
	words_add(ret, "-q");
	words_add(ret, "-d");
	words_add(ret, "%s/services", box->dir);
	words_add(ret, "-p");
	words_add(ret, "%s/control", box->dir);
	words_add(ret, "-l");
	words_add(ret, "%s/dinit.log", box->dir);
}

static void stop(const struct box *box)
{
	(void)kill(box->root, SIGTERM);
}

/* A handle is of a connection: it is asked for once in each. It is the same for whoever asks first. */
static bool query_one(const struct box *box, struct query *q)
{
	char answer[64];
	uint16_t len = (uint16_t)snprintf(q->hello + 3, sizeof(q->hello) - 3, "s%u", box->n / 2);
	int fd = unix_connect(q->socket);
	bool good;

	q->hello[0] = FIND;
	memcpy(q->hello + 1, &len, sizeof(len));
	q->n_hello = 3U + len;
	good = fd >= 0 && write(fd, q->hello, q->n_hello) == (ssize_t)q->n_hello &&
		read(fd, answer, sizeof(answer)) > 6 && answer[0] == FOUND;
	if (fd >= 0)
		(void)close(fd);
	if (!good)
		return false;
	q->hello_bytes = 7;
	q->request[0] = STATUS;
	memcpy(q->request + 1, answer + 2, 4);
	q->n_request = 5;
	q->reply_bytes = 16;
	return true;
}

/* How long the list is, is found by reading it once. */
static bool query_all(struct query *q)
{
	static char answer[1 << 20];
	int fd = unix_connect(q->socket);
	size_t n = 0, at = 0;
	ssize_t more = 1;

	q->request[0] = LIST;
	q->n_request = 1;
	q->reconnect = true; /* a second list on one connection may go unanswered */
	if (fd < 0 || write(fd, q->request, 1) != 1)
		more = 0;
	while (more > 0 && !(at < n && answer[at] == LIST_END)) {
		more = read(fd, answer + n, sizeof(answer) - n);
		n += more > 0 ? (size_t)more : 0;
		while (at + 2 <= n && answer[at] == ROW)
			at += ROW_HEAD + (unsigned char)answer[at + 1];
	}
	if (fd >= 0)
		(void)close(fd);
	q->reply_bytes = at + 1;
	return more > 0;
}

static bool query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	*ret = (struct query){.how = native ? BY_SOCKET : BY_COMMAND};
	(void)snprintf(ret->socket, sizeof(ret->socket), "%.240s/control", box->dir);
	if (native)
		return ask == ASK_ONE ? query_one(box, ret) : query_all(ret);
	words_add(&ret->words, "%s", program("DINITCTL", "dinitctl"));
	words_add(&ret->words, "-p");
	words_add(&ret->words, "%s", ret->socket);
	words_add(&ret->words, ask == ASK_ONE ? "status" : "list");
	if (ask == ASK_ONE)
		words_add(&ret->words, "s%u", box->n / 2);
	return true;
}

const struct peer peer_dinit = {
	.name = "dinit",
	.most = 5000,
	.patience_s = 120,
	.is_here = here,
	.configure = configure,
	.command = command,
	.stop = stop,
	.query = query,
	.logs = true,
	.needs = "s6-log",
};
