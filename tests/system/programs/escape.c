/* SPDX-License-Identifier: MIT */
/* escape FILE [deaf] [ends]: a process that leaves another behind, in a session of its own, whose parents have gone, and
 * whose pid is in FILE; `deaf`, it ignores SIGTERM. Then it stays, with the line `complete`, or `ends` with 3. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int has(char **argv, const char *word)
{
	for (argv += 2; argv[-1] && *argv; argv++)
		if (strcmp(*argv, word) == 0)
			return 1;
	return 0;
}

/* Whoever held the other end has gone. */
static void await_end(const int ends[2])
{
	char byte;

	close(ends[1]);
	while (read(ends[0], &byte, 1) > 0)
		;
}

static void escaped(char **argv, const int parent[2], const int told[2])
{
	FILE *file;

	setsid();
	if (has(argv, "deaf"))
		signal(SIGTERM, SIG_IGN);
	await_end(parent);
	file = fopen(argv[1], "we");
	if (!file || fprintf(file, "%d\n", (int)getpid()) < 0 || fclose(file) != 0)
		_exit(1);
	close(1);
	close(2);
	close(told[1]);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int parent[2], told[2];
	pid_t pid;

	if (argc < 2 || pipe(parent) < 0 || pipe(told) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fork() == 0)
			escaped(argv, parent, told);
		_exit(0);
	}
	close(parent[0]);
	close(parent[1]);
	await_end(told);
	waitpid(pid, NULL, 0);
	if (has(argv, "ends"))
		return 3;
	puts("complete");
	fflush(stdout);
	for (;;)
		pause();
}
