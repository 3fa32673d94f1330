/* SPDX-License-Identifier: MIT */
/* recorder SOCKET: stands in for a service manager. Binds the datagram socket that NOTIFY_SOCKET names and says `bound`;
 * reads a pid; then writes every line of every datagram, and when that process has ended, `ended`. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int bind_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

/* Whatever has come. */
static void print_datagrams(int fd)
{
	static char datagram[65536];
	ssize_t n;

	while ((n = recv(fd, datagram, sizeof(datagram) - 1, MSG_DONTWAIT)) >= 0) {
		datagram[n] = '\0';
		for (char *line = strtok(datagram, "\n"); line; line = strtok(NULL, "\n"))
			puts(line);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct pollfd wait_for[2];
	int pid, fd = argc == 2 ? bind_socket(argv[1]) : -1;

	if (fd < 0) {
		perror("recorder: cannot bind");
		return 1;
	}
	/* Room for all that a test does not read. */
	(void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
	puts("bound");
	fflush(stdout);
	if (scanf("%d", &pid) != 1)
		return 1;
	wait_for[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	wait_for[1] = (struct pollfd){.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	/* An end before that leaves nothing to wait for. */
	while (wait_for[1].fd >= 0 && poll(wait_for, 2, -1) > 0) {
		print_datagrams(fd);
		if (wait_for[1].revents)
			break;
	}
	print_datagrams(fd);
	puts("ended");
	unlink(argv[1]);
	return 0;
}
