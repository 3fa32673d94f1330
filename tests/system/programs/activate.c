/* SPDX-License-Identifier: MIT */
/* activate KIND NAMES N SOCKET COMMAND ARGS…: stands in for a service manager that starts a program by its sockets. It makes
 * one at SOCKET, of that KIND (stream, datagram; silent: nobody listens), has it as the last of N, and executes the command
 * with that LISTEN_FDNAMES ("": none) in its own place. The socket stays when that has ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int last = argc > 5 ? 2 + atoi(argv[3]) : 0;
	int type = argc > 5 && strcmp(argv[1], "datagram") == 0 ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(AF_UNIX, type, 0);
	char pid[16];

	if (argc < 6 || fd < 0 || strlen(argv[4]) >= sizeof(address.sun_path))
		return 120;
	memcpy(address.sun_path, argv[4], strlen(argv[4]));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(argv[4], 0600) < 0)
		return 121;
	if (strcmp(argv[1], "stream") == 0 && listen(fd, 64) < 0)
		return 122;
	for (int other = 3; other <= last; other++)
		if (fd != other && dup2(fd, other) < 0)
			return 123;
	if (fd > last)
		close(fd);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", argv[3], 1);
	if (*argv[2])
		setenv("LISTEN_FDNAMES", argv[2], 1);
	execv(argv[5], argv + 5);
	return 124;
}
