/* SPDX-License-Identifier: MIT */
/* Filters of system calls: what a name stands for, and what becomes of each call. The programs are run here as the kernel
 * runs them, call by call. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include <check.h>

#include "base/arena.h"
#include "base/filter.h"
#include "leak.h"
#include "plan_world.h"

Suite *test_suite(void);

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define OTHER_ARCH AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#define OTHER_ARCH AUDIT_ARCH_ARM
#endif
#define REFUSED(error) (SECCOMP_RET_ERRNO | (error))

static struct arena *arena;
static struct plan_world world;

static void begin(void)
{
	arena = arena_new();
}

static void end(void)
{
	arena_free(arena);
	plan_world_done(&world);
}

/* As much of the kernel's machine as filters of calls need. */
static uint32_t run(const struct filter *filter, uint32_t arch, uint32_t nr)
{
	const struct seccomp_data data = {.nr = (int)nr, .arch = arch};
	uint32_t a = 0;

	for (unsigned at = 0; at < filter->n; at++) {
		const struct sock_filter *f = &filter->list[at];
		bool holds = false;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)&data + f->k, sizeof(a));
			continue;
		case BPF_RET | BPF_K:
			return f->k;
		case BPF_JMP | BPF_JA:
			at += f->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = a == f->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = a >= f->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			holds = a > f->k;
			break;
		default:
			ck_abort_msg("what is %x?", f->code);
		}
		at += holds ? f->jt : f->jf;
	}
	ck_abort_msg("a program without an end");
}

static struct filter made(struct filter_rules rules)
{
	struct filter filter;

	ck_assert_int_eq(filter_make(arena, &rules, &filter), 0);
	return filter;
}

static uint32_t does(const struct filter *filter, long nr)
{
	return run(filter, ARCH, (uint32_t)nr);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(what_is_allowed_is_all_that_may_be_made)
{
	struct filter filter = made((struct filter_rules){.allow = NAMES("read", "@mount")});

	ck_assert_uint_eq(does(&filter, SYS_read), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(&filter, SYS_mount), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(&filter, SYS_ptrace), REFUSED(EPERM));
	ck_assert_uint_eq(does(&filter, 100000), REFUSED(EPERM));
	/* What a program is begun with. */
	ck_assert_uint_eq(does(&filter, SYS_execve), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(&filter, SYS_exit_group), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(&filter, SYS_write), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(&filter, SYS_rt_sigprocmask), SECCOMP_RET_ALLOW);
}
END_TEST

START_TEST(what_is_denied_is_all_that_may_not)
{
	struct filter filter = made(
		(struct filter_rules){.deny = NAMES("@reboot", "write"), .action = FILTER_KILL});

	ck_assert_uint_eq(does(&filter, SYS_reboot), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(does(&filter, SYS_write), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(does(&filter, SYS_read), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(&filter, 100000), SECCOMP_RET_ALLOW);
}
END_TEST

START_TEST(what_is_denied_is_taken_out_of_what_is_allowed)
{
	struct filter filter = made((struct filter_rules){.allow = NAMES("@system-service"),
		.deny = NAMES("@chown", "execve", "ptrace"),
		.action = FILTER_ENOSYS});

	/* By way of a set in the set. */
	ck_assert_uint_eq(does(&filter, SYS_socket), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(&filter, SYS_fchown), REFUSED(ENOSYS));
	ck_assert_uint_eq(does(&filter, SYS_execve), REFUSED(ENOSYS));
	ck_assert_uint_eq(does(&filter, SYS_ptrace), REFUSED(ENOSYS));
}
END_TEST

START_TEST(calls_of_another_mode_are_nobodys)
{
	struct filter filter = made((struct filter_rules){.deny = NAMES("reboot")}),
		      logs = made((struct filter_rules){
			      .deny = NAMES("reboot"), .action = FILTER_LOG});

	ck_assert_uint_eq(run(&filter, OTHER_ARCH, SYS_read), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(run(&logs, OTHER_ARCH, SYS_read), SECCOMP_RET_LOG);
	ck_assert_uint_eq(does(&logs, SYS_reboot), SECCOMP_RET_LOG);
#if defined(__x86_64__)
	/* The third mode has the same name. */
	ck_assert_uint_eq(does(&filter, 0x40000000 | SYS_read), SECCOMP_RET_KILL_PROCESS);
#endif
}
END_TEST

START_TEST(nothing_allowed_is_what_a_program_begins_with)
{
	const char *const none[] = {NULL};
	struct filter filter = made((struct filter_rules){.allow = none});

	ck_assert_uint_eq(does(&filter, SYS_execve), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(&filter, SYS_read), REFUSED(EPERM));
}
END_TEST

START_TEST(names_are_those_of_all_processors)
{
	char name[FILTER_NAME_BYTES];
	bool seen_set = false, seen_call = false;

	ck_assert(filter_knows("openat") && filter_knows("rtas") && filter_knows("@mount"));
	ck_assert(!filter_knows("opn") && !filter_knows("@moun") && !filter_knows("") &&
		!filter_knows("mount "));
	for (unsigned i = 0; filter_name(i, name); i++) {
		ck_assert(!*name || filter_knows(name));
		seen_set |= strcmp(name, "@system-service") == 0;
		seen_call |= strcmp(name, "openat") == 0;
	}
	ck_assert(seen_set && seen_call);
}
END_TEST

/* ── of a tree ── */

static const struct plan_process *process_of(const char *name)
{
	return plan_find(world.plan, name)->more;
}

START_TEST(a_unit_has_the_filter_that_it_says)
{
	(void)plan_world_good(&world,
		"version: 1\ndefaults: {security: {seccomp: {deny: ['@swap']}}}\nunits:\n"
		"  a: {command: x}\n"
		"  b: {command: y}\n"
		"  c: {command: x, security: {seccomp: {action: kill}}}\n"
		"  d: {command: x, security: {seccomp: [read, '@io-event']}}\n"
		"  e: {command: x, security: {seccomp: {deny: []}}}\n"
		"  f: {fiber: idle}\n");

	ck_assert_uint_eq(does(process_of("a")->filter, SYS_swapon), REFUSED(EPERM));
	ck_assert_uint_eq(does(process_of("a")->filter, SYS_read), SECCOMP_RET_ALLOW);
	/* One program for all that say the same. */
	ck_assert_ptr_eq(process_of("a")->filter, process_of("b")->filter);
	ck_assert_ptr_eq(process_of("a"), process_of("b"));
	ck_assert_uint_eq(does(process_of("c")->filter, SYS_swapon), SECCOMP_RET_KILL_PROCESS);
	ck_assert_uint_eq(does(process_of("d")->filter, SYS_epoll_ctl), SECCOMP_RET_ALLOW);
	ck_assert_uint_eq(does(process_of("d")->filter, SYS_swapon), REFUSED(EPERM));
	ck_assert_uint_eq(does(process_of("d")->filter, SYS_openat), REFUSED(EPERM));
	ck_assert_uint_eq(does(process_of("e")->filter, SYS_swapon), SECCOMP_RET_ALLOW);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("filter");
	TCase *tcase = tcase_create("filter");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, begin, end);
#ifdef ARCH
	tcase_add_test(tcase, what_is_allowed_is_all_that_may_be_made);
	tcase_add_test(tcase, what_is_denied_is_all_that_may_not);
	tcase_add_test(tcase, what_is_denied_is_taken_out_of_what_is_allowed);
	tcase_add_test(tcase, calls_of_another_mode_are_nobodys);
	tcase_add_test(tcase, nothing_allowed_is_what_a_program_begins_with);
	tcase_add_test(tcase, names_are_those_of_all_processors);
	tcase_add_test(tcase, a_unit_has_the_filter_that_it_says);
#endif
	suite_add_tcase(suite, tcase);
	return suite;
}
