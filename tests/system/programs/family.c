/* SPDX-License-Identifier: MIT */
/* family [main=TRAIT,…] [TRAIT,…]…: a process with a child for each argument, made before the line `complete` is printed.
 * Each waits for signals until one ends it. Traits: deaf (ignores SIGTERM), herald (writes `NAME was asked` at SIGTERM and
 * stays), session (its own session), nested (is a grandchild: its parent waits like the others), orphan (a grandchild whose
 * parent has gone), exits (main alone: ends with 3 when it reads a line of the FIFO in $GATE). */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char heard[128];

static void write_heard(int signal_number)
{
	(void)signal_number;
	(void)!write(STDOUT_FILENO, heard, strlen(heard));
}

static int has(const char *traits, const char *trait)
{
	const char *found = strstr(traits, trait);

	return found && (found[strlen(trait)] == '\0' || found[strlen(trait)] == ',');
}

static void take_traits(const char *traits)
{
	snprintf(heard, sizeof(heard), "%s was asked\n", traits);
	if (has(traits, "session"))
		setsid();
	if (has(traits, "deaf"))
		signal(SIGTERM, SIG_IGN);
	if (has(traits, "herald"))
		signal(SIGTERM, write_heard);
}

static void stay(int told_fd)
{
	close(told_fd);
	for (;;)
		pause();
}

/* A child with these traits, complete when it has closed its end of the pipe. */
static void make_child(const char *traits)
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) < 0)
		exit(1);
	if (fork() == 0) {
		close(ends[0]);
		if (has(traits, "nested") && fork() != 0)
			stay(ends[1]);
		if (has(traits, "orphan") && fork() != 0)
			_exit(0);
		take_traits(traits);
		stay(ends[1]);
	}
	close(ends[1]);
	(void)!read(ends[0], &byte, 1);
	close(ends[0]);
}

int main(int argc, char **argv)
{
	const char *traits = "";
	char line[16];

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "main=", 5) == 0)
			traits = argv[i] + 5;
		else
			make_child(argv[i]);
	}
	take_traits(traits);
	(void)!write(STDOUT_FILENO, "complete\n", 9);
	if (has(traits, "exits")) {
		const char *gate = getenv("GATE");
		int fd = open(gate ? gate : "/dev/null", O_RDONLY | O_CLOEXEC);

		(void)!read(fd, line, sizeof(line));
		return 3;
	}
	for (;;)
		pause();
}
