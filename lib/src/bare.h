/* SPDX-License-Identifier: MIT */
/* Code that runs between clone and exec, maybe in its parent's memory: what is declared BARE has nothing added to it by a
 * checker or profiler, and CALL() makes a system call without libc, which would write the parent's errno. */
#ifndef EFF_BARE_H
#define EFF_BARE_H

#include <errno.h>
#include <unistd.h>

#if __has_attribute(no_stack_protector)
#define BARE_STACK __attribute__((no_stack_protector))
#else
#define BARE_STACK
#endif
#if __has_attribute(disable_sanitizer_instrumentation)
#define BARE_ENTRY __attribute__((disable_sanitizer_instrumentation, no_sanitize("coverage")))
#else
#define BARE_ENTRY
#endif
#define BARE_CHECKS __attribute__((no_sanitize("address", "thread", "undefined")))
#define BARE \
	BARE_STACK BARE_ENTRY BARE_CHECKS \
		__attribute__((no_instrument_function, no_profile_instrument_function))
/* Keeps the compiler from making a call to memset() or strlen() out of a loop. */
#define NO_IDIOM() __asm__ volatile("" ::: "memory")

#if defined(__x86_64__)
BARE static inline long call6(long nr, const long a[5])
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
BARE static inline long call6(long nr, const long a[5])
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a[0];
	register long x1 __asm__("x1") = a[1];
	register long x2 __asm__("x2") = a[2];
	register long x3 __asm__("x3") = a[3];
	register long x4 __asm__("x4") = a[4];

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
#else
/* Only fork() is used here, so that errno is the child's own. */
BARE static inline long call6(long nr, const long a[5])
{
	long r = syscall(nr, a[0], a[1], a[2], a[3], a[4]);

	return r == -1 ? -errno : r;
}
#endif
#define CALL(nr, ...) call6(nr, (const long[5]){__VA_ARGS__})

#endif
