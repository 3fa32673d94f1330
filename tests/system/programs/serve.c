/* SPDX-License-Identifier: MIT */
/* serve PORT [FILE]: an HTTP server on 127.0.0.1 that answers each request with the status that FILE holds now (200 when
 * there is none), and with `hang` in it not at all. serve 0 N prints N ports that are free, one a line, and ends. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_at(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0) {
		perror("serve: cannot listen");
		exit(1);
	}
	return fd;
}

/* Each stays taken until all are known. */
static void print_free_ports(int n)
{
	while (n-- > 0) {
		struct sockaddr_in address = {0};
		socklen_t size = sizeof(address);

		getsockname(listen_at(0), (struct sockaddr *)&address, &size);
		printf("%d\n", ntohs(address.sin_port));
	}
}

static void answer(int fd, const char *file)
{
	char request[4096], status[32] = "200", reply[256];
	int from = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;

	if (from >= 0) {
		ssize_t n = read(from, status, sizeof(status) - 1);

		status[n > 0 ? n : 0] = '\0';
		status[strcspn(status, "\n")] = '\0';
		close(from);
	}
	/* A hung server keeps what it has taken, and answers never. */
	if (strcmp(status, "hang") == 0)
		return;
	if (read(fd, request, sizeof(request)) > 0) {
		snprintf(reply, sizeof(reply),
			"HTTP/1.1 %s X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
			status);
		(void)!write(fd, reply, strlen(reply));
	}
	close(fd);
}

int main(int argc, char **argv)
{
	int port = argc > 1 ? atoi(argv[1]) : 0, listener;

	if (port == 0) {
		print_free_ports(argc > 2 ? atoi(argv[2]) : 1);
		return 0;
	}
	listener = listen_at(port);
	puts("serving");
	fflush(stdout);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0)
			answer(fd, argc > 2 ? argv[2] : NULL);
	}
}
