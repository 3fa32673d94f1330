/* SPDX-License-Identifier: MIT */
/* The thread touches the script and the socket alone, and has ended before anything is asserted. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "effctl/command.h"
#include "fake/served.h"
#include "folder.h"

#define WORDS 16
#define REPLIES (sizeof(((struct served_step *)0)->replies) / sizeof(char *))

char served_path[108];
char *served_out, *served_err;
bool served_holds, served_goes;

static char folder[64];
static int listener;
static const struct served_step *script;
static pthread_t server;
static bool serving;
static char request[4096];
static char wrong[256]; /* what the server did not expect */

void served_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)test_folder(folder, sizeof(folder));
	(void)snprintf(served_path, sizeof(served_path), "%s/s", folder);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", served_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(listener, 4), 0);
	(void)unsetenv("EFFD_SOCKET");
	ck_assert_int_eq(setenv("LC_ALL", "C", 1), 0);
}

static void forget(void)
{
	free(served_out);
	free(served_err);
	served_out = served_err = NULL;
}

void served_close(void)
{
	(void)close(listener);
	(void)unlink(served_path);
	(void)rmdir(folder);
	forget();
}

/* Read one request. False: the other end has closed. */
static bool read_request(int fd)
{
	size_t n = 0;

	while (n < sizeof(request) && recv(fd, request + n, 1, 0) == 1) {
		if (!request[n++])
			return true;
	}
	return false;
}

static void *serve(void *arg)
{
	int fd = accept(listener, NULL, NULL);

	(void)arg;
	for (const struct served_step *step = script; step->asked; step++) {
		if (!strcmp(step->asked, SERVED_ANOTHER)) {
			(void)close(fd);
			fd = accept(listener, NULL, NULL);
			continue;
		}
		if (!read_request(fd))
			break;
		if (!strstr(request, step->asked))
			(void)snprintf(wrong, sizeof(wrong), "%.255s", request);
		for (size_t i = 0; i < REPLIES && step->replies[i]; i++)
			(void)send(fd, step->replies[i], strlen(step->replies[i]) + 1, MSG_NOSIGNAL);
	}
	if (served_holds)
		(void)read_request(fd);
	if (served_goes)
		(void)unlink(served_path);
	(void)close(fd);
	return NULL;
}

void served_play(const struct served_step *steps)
{
	script = steps;
	serving = pthread_create(&server, NULL, serve, NULL) == 0;
	ck_assert(serving);
}

int served_effctl(const char *line)
{
	char copy[512];
	char *argv[WORDS + 4] = {(char *)"effctl", (char *)"-s", served_path};
	int argc = serving ? 3 : 1;
	size_t n_out;
	size_t n_err;
	FILE *out;
	FILE *err;
	char *rest = copy;
	int code;

	forget();
	out = open_memstream(&served_out, &n_out);
	err = open_memstream(&served_err, &n_err);
	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &rest); word && argc < WORDS;
		word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc] = NULL;
	code = effctl_run(argc, argv, out, err);
	(void)fclose(out);
	(void)fclose(err);
	if (serving)
		(void)pthread_join(server, NULL);
	serving = false;
	ck_assert_str_eq(wrong, "");
	return code;
}
