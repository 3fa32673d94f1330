/* SPDX-License-Identifier: MIT */
/* The service of the benchmarks, as little as a program can be: what remains of a measure is the supervisor's. Its first
 * act is to look at the clock; it writes {when, pid, number} to a FIFO, one record in one piece, and waits for ever, or
 * exits with 1 at once.
 *
 *   service FIFO NUMBER [crash]
 *   service                      as a run file: $BENCH_FIFO, $BENCH_CRASH, and the number at the end of the folder's name */
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct stamp {
	uint64_t at_ns;
	uint32_t pid, number;
};

#if defined(__x86_64__)
static long call(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}
#else
#define call(nr, a, b, c) syscall(nr, a, b, c)
#endif

/* The digits at the end of a text, as a number. */
static uint32_t number_at_end(const char *text)
{
	uint32_t number = 0;

	for (; *text; text++)
		number = *text >= '0' && *text <= '9' ? number * 10 + (uint32_t)(*text - '0') : 0;
	return number;
}

static const char *variable(char **environment, const char *name)
{
	for (; *environment; environment++) {
		const char *at = *environment;
		const char *wanted = name;

		while (*wanted && *at == *wanted) {
			at++;
			wanted++;
		}
		if (!*wanted && *at == '=')
			return at + 1;
	}
	return 0;
}

static void tell(const char *fifo, const struct stamp *stamp)
{
	long fd = call(SYS_openat, AT_FDCWD, (long)fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return;
	call(SYS_write, fd, (long)stamp, sizeof(*stamp));
	call(SYS_close, fd, 0, 0);
}

__attribute__((noreturn, used)) static void serve(char **argv, char **environment)
{
	struct timespec now = {0, 0};
	struct stamp stamp;
	char folder[1024];
	const char *fifo;
	int crashes;

	call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
	stamp.at_ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	stamp.pid = (uint32_t)call(SYS_getpid, 0, 0, 0);
	if (argv[0] && argv[1] && argv[2]) {
		fifo = argv[1];
		stamp.number = number_at_end(argv[2]);
		crashes = argv[3] != 0;
	} else {
		fifo = variable(environment, "BENCH_FIFO");
		folder[0] = '\0';
		call(SYS_getcwd, (long)folder, sizeof(folder), 0);
		stamp.number = number_at_end(folder);
		crashes = variable(environment, "BENCH_CRASH") != 0;
	}
	if (fifo)
		tell(fifo, &stamp);
	if (crashes)
		call(SYS_exit_group, 1, 0, 0);
	for (;;)
		call(SYS_ppoll, 0, 0, 0);
}

#if defined(__x86_64__)
__attribute__((noreturn, used)) static void begin(long *stack)
{
	char **argv = (char **)(stack + 1);

	serve(argv, argv + stack[0] + 1);
}

__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
#else
int main(int argc, char **argv, char **environment)
{
	(void)argc;
	serve(argv, environment);
}
#endif
