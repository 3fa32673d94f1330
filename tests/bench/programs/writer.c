/* SPDX-License-Identifier: MIT */
/* A service that writes: TOTAL bytes of numbered lines of 100 bytes to stdout, SIZE bytes a write, then waits for ever. It
 * stamps a FIFO before the first write (number 0) and after the last (number 1).
 *
 *   writer FIFO TOTAL SIZE */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 100, NUMBER = 10 };

struct stamp {
	uint64_t at_ns;
	uint32_t pid, number;
};

static void tell(const char *fifo, uint32_t number)
{
	struct stamp stamp = {.pid = (uint32_t)getpid(), .number = number};
	struct timespec now;
	int fd = open(fifo, O_WRONLY | O_NONBLOCK);

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	stamp.at_ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	if (fd < 0 || write(fd, &stamp, sizeof(stamp)) != sizeof(stamp))
		_exit(2);
	(void)close(fd);
}

static void write_whole(const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, size);

		if (n <= 0)
			_exit(3);
		bytes += n;
		size -= (size_t)n;
	}
}

/* Count the ten digits at the beginning of a line up by one. */
static void count_up(char *digits)
{
	int i = NUMBER - 1;

	for (; i > 0 && digits[i] == '9'; i--)
		digits[i] = '0';
	digits[i]++;
}

int main(int argc, char **argv)
{
	char number[NUMBER + 1] = "0000000000";
	size_t total, size;
	char *block;

	if (argc != 4)
		return 100;
	total = strtoul(argv[2], NULL, 10) / LINE * LINE;
	size = strtoul(argv[3], NULL, 10) / LINE * LINE;
	block = malloc(size);
	if (!size || !block)
		return 100;
	memset(block, '.', size);
	tell(argv[1], 0);
	while (total > 0) {
		size_t n = size < total ? size : total;

		for (size_t at = 0; at < n; at += LINE) {
			memcpy(block + at, number, NUMBER);
			block[at + LINE - 1] = '\n';
			count_up(number);
		}
		write_whole(block, n);
		total -= n;
	}
	tell(argv[1], 1);
	for (;;)
		(void)pause();
}
