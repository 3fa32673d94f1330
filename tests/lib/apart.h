/* SPDX-License-Identifier: MIT */
/* Code in a process of its own, and what it says on stderr. */
#ifndef TESTS_LIB_APART_H
#define TESTS_LIB_APART_H

#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

/* Run fn(arg), which does not return. Returns the wait status, and what it said. */
static inline int run_apart(void (*fn)(void *arg), void *arg, char *ret_said, size_t size)
{
	int ends[2];
	int status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		fn(arg);
	}
	close(ends[1]);
	while (len + 1 < size && (n = read(ends[0], ret_said + len, size - 1 - len)) > 0)
		len += (size_t)n;
	ret_said[len] = '\0';
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

#endif
