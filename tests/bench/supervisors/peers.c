/* SPDX-License-Identifier: MIT */
/* effd, and the limits: loops that do what a supervisor must and nothing else. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static bool always(void)
{
	return true;
}

static void stop_by_term(const struct box *box)
{
	(void)kill(box->root, SIGTERM);
}

/* ── effd ── */

static void effd_configure(const struct box *box)
{
	box_write(box, "tree.yaml", 0644,
		"version: 1\nname: bench\ndaemon: {state_dir: %s/state}\nunits:%s\n", box->dir,
		box->n ? "" : " {}");
	for (unsigned i = 0; i < box->n; i++) {
		struct words service = {.n = 0};

		box_service(box, i, &service);
		box_write(box, "tree.yaml", 0644, "  s%u:\n    command: [", i);
		for (unsigned k = 0; k < service.n; k++)
			box_write(box, "tree.yaml", 0644, "%s\"%s\"", k ? ", " : "",
				service.list[k]);
		box_write(box, "tree.yaml", 0644,
			"]\n    restart: {backoff: {initial: 0, max: 0, jitter: 0}}\n    log: {stdout: ");
		if (box->mode == WRITES)
			box_write(box, "tree.yaml", 0644,
				"{file: %s/out/log}, rotate: {size: 16MB, keep: 60}}\n", box->dir);
		else
			box_write(box, "tree.yaml", 0644, "\"null\"}\n");
		words_free(&service);
	}
}

static void effd_command(const struct box *box, struct words *ret)
{
	words_add(ret, "%s", program_path("effd"));
	words_add(ret, "-c");
	words_add(ret, "%s/tree.yaml", box->dir);
	words_add(ret, "--socket");
	words_add(ret, "%s/control", box->quick);
}

static bool effd_query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	char units[64] = "";

	*ret = (struct query){.how = native ? BY_SOCKET : BY_COMMAND};
	(void)snprintf(ret->socket, sizeof(ret->socket), "%.240s/control", box->quick);
	if (ask == ASK_ONE)
		(void)snprintf(units, sizeof(units), "\"units\":[\"s%u\"]", box->n / 2);
	ret->n_request = (size_t)snprintf(ret->request, sizeof(ret->request),
				 "{\"method\":\"org.effd.Control.Status\",\"parameters\":{%s}}",
				 units) +
		1;
	words_add(&ret->words, "%s", program_path("effctl"));
	words_add(&ret->words, "-s");
	words_add(&ret->words, "%s", ret->socket);
	words_add(&ret->words, "status");
	if (ask == ASK_ONE)
		words_add(&ret->words, "s%u", box->n / 2);
	return true;
}

/* The check of each record, as effd-control(7) has it. */
static bool records_are_good(const void *part, size_t bytes)
{
	const uint64_t *record = part;

	for (size_t i = 0; i < bytes / 128; i++, record += 16) {
		uint64_t sum = 0;

		for (unsigned k = 1; k < 16; k++)
			sum += record[k] * (16 - k);
		if (sum != record[0])
			return false;
	}
	return true;
}

/* Units are in the order of the tree, behind the root. */
static bool effd_file_query(const struct box *box, enum ask ask, struct query *ret)
{
	*ret = (struct query){.how = BY_PART, .part_is_good = records_are_good};
	words_add(&ret->words, "%s/control.status", box->quick);
	ret->part_at = 64 + 128 * (ask == ASK_ONE ? (size_t)box->n / 2 : 1);
	ret->part_bytes = 128 * (ask == ASK_ONE ? 1 : (size_t)box->n);
	return access(ret->words.list[0], R_OK) == 0;
}

static const struct peer effd = {
	.name = "effd",
	.most = 15000,
	.patience_s = 120,
	.is_here = always,
	.configure = effd_configure,
	.command = effd_command,
	.stop = stop_by_term,
	.query = effd_query,
	.file_query = effd_file_query,
	.logs = true,
};

/* ── the limits ── */

static void nothing_to_configure(const struct box *box)
{
	(void)box;
}

static void limit_command(const struct box *box, struct words *ret)
{
	words_add(ret, "%s", program_path("limit"));
	words_add(ret, "%s", box->peer->name + strlen("limit_"));
	words_add(ret, "%u", box->n);
	words_add(ret, "%s", box->fifo);
	words_add(ret, "%s", program_path("service"));
	if (box->mode == CRASHES)
		words_add(ret, "crash");
}

#define LIMIT(how) \
	{ \
		.name = "limit_" how, .is_limit = true, .most = 15000, .patience_s = 120, \
		.is_here = always, .configure = nothing_to_configure, \
		.command = limit_command, .stop = stop_by_term, \
	}
static const struct peer limit_spawn = LIMIT("posix_spawn");
#if defined(__x86_64__)
static const struct peer limit_clone3 = LIMIT("clone3");
static const struct peer limit_overlap = LIMIT("overlap");
static const struct peer limit_alike = LIMIT("alike");
#endif

/* A socket that answers at once, with as much as effd just has: it comes after it. */
static size_t echo_bytes(const struct box *box, enum ask ask)
{
	size_t guess = 340U * (ask == ASK_ONE ? 1 : box->n);

	return answer_bytes[ask] ? answer_bytes[ask] : guess;
}

static void echo_command(const struct box *box, struct words *ret)
{
	words_add(ret, "%s", program_path("limit"));
	words_add(ret, "echo");
	words_add(ret, "%s/one", box->dir);
	words_add(ret, "%zu", echo_bytes(box, ASK_ONE));
}

static bool echo_query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	*ret = (struct query){.how = BY_SOCKET};
	(void)snprintf(ret->socket, sizeof(ret->socket), "%.240s/%s", box->dir,
		ask == ASK_ONE ? "one" : "all");
	ret->n_request = (size_t)snprintf(ret->request, sizeof(ret->request), "status") + 1;
	return native;
}

/* The second socket; both end with the box. */
static void echo_configure(const struct box *box)
{
	char path[2 * PATH_BYTES], size[16];

	(void)snprintf(path, sizeof(path), "%s/all", box->dir);
	(void)snprintf(size, sizeof(size), "%zu", echo_bytes(box, ASK_ALL));
	if (fork() == 0) {
		(void)execl(program_path("limit"), "limit", "echo", path, size, NULL);
		_exit(127);
	}
}

static const struct peer limit_echo = {
	.name = "limit_echo",
	.is_limit = true,
	.patience_s = 1,
	.is_here = always,
	.configure = echo_configure,
	.command = echo_command,
	.stop = stop_by_term,
	.query = echo_query,
};

/* A command that does nothing. */
static void nothing_command(const struct box *box, struct words *ret)
{
	(void)box;
	words_add(ret, "sleep");
	words_add(ret, "1000");
}

static bool nothing_query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	(void)box;
	(void)ask;
	*ret = (struct query){.how = BY_COMMAND};
	if (native)
		return false;
	words_add(&ret->words, "%s", program_path("limit"));
	words_add(&ret->words, "nothing");
	return true;
}

static const struct peer limit_nothing = {
	.name = "limit_nothing",
	.is_limit = true,
	.patience_s = 1,
	.is_here = always,
	.configure = nothing_to_configure,
	.command = nothing_command,
	.stop = stop_by_term,
	.query = nothing_query,
};

/* The writer's output through a loop: of read and write, of splice, or of a read each two milliseconds. */
static void copy_command(const struct box *box, struct words *ret)
{
	struct words writer = {.n = 0};

	box_service(box, 0, &writer);
	words_add(ret, "sh");
	words_add(ret, "-c");
	words_add(ret, "mkdir out; %s %s %s %s | exec %s %s out/log", writer.list[0],
		writer.list[1], writer.list[2], writer.list[3], program_path("limit"),
		box->peer->name + strlen("limit_"));
	words_free(&writer);
}

#define COPY(how) \
	{ \
		.name = "limit_" how, .is_limit = true, .patience_s = 60, .is_here = always, \
		.configure = nothing_to_configure, .command = copy_command, \
		.stop = stop_by_term, .logs = true, \
	}
static const struct peer limit_cat = COPY("cat");
static const struct peer limit_splice = COPY("splice");
static const struct peer limit_lazy = COPY("lazy");

const struct peer *const peers[] = {
#if defined(__x86_64__)
	&limit_clone3,
	&limit_overlap,
	&limit_alike,
#endif
	&limit_spawn,
	&limit_cat,
	&limit_splice,
	&limit_lazy,
	&effd,
	&limit_echo,
	&limit_nothing,
	&peer_dinit,
	&peer_s6,
	&peer_runit,
	&peer_daemontools,
	&peer_supervisord,
	&peer_systemd,
	NULL,
};
