/* SPDX-License-Identifier: MIT */
/* orphans N GATE: makes N processes whose parents have gone, says `made`, waits for a line of the FIFO, lets all of them
 * end at once, says `ended` when none is running any more, and waits for signals. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* One that the calling process is not the parent of, and that holds on to the pipe. Returns 0, or -1. */
static int make_orphan(const int hold[2])
{
	int status, pid = fork();
	char byte;

	if (pid == 0) {
		pid = fork();
		if (pid == 0) {
			close(hold[1]);
			(void)!read(hold[0], &byte, 1);
		}
		_exit(pid < 0);
	}
	return pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? atoi(argv[1]) : 0, gate, hold[2], alive[2];
	char byte;

	if (pipe2(hold, O_CLOEXEC) < 0 || pipe2(alive, O_CLOEXEC) < 0)
		return 1;
	for (int i = 0; i < n; i++)
		if (make_orphan(hold) < 0) {
			perror("orphans: cannot fork");
			return 1;
		}
	close(alive[1]);
	(void)!write(STDOUT_FILENO, "made\n", 5);
	gate = open(argv[2], O_RDONLY | O_CLOEXEC);
	(void)!read(gate, &byte, 1);
	close(hold[1]);
	(void)!read(alive[0], &byte, 1);
	(void)!write(STDOUT_FILENO, "ended\n", 6);
	for (;;)
		pause();
}
