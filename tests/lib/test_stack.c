/* SPDX-License-Identifier: MIT */
/* The pool of stacks: what is handed out, how large, in which order, and what happens at its ends. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "internal.h"
#include "leak.h"

Suite *test_suite(void);

enum { FACTOR = EFF__ASAN || EFF__TSAN ? 4 : 1 };

static struct eff__stacks *pool;

static void setup(void)
{
	pool = eff__stacks_new();
	ck_assert_ptr_nonnull(pool);
}

static void teardown(void)
{
	eff__stacks_free(pool);
}

static struct eff__stack take(size_t size)
{
	struct eff__stack stack = {.class = eff__stack_class(pool, size)};

	ck_assert_int_eq(eff__stack_reserve(pool, stack.class), 0);
	eff__stack_take(&stack);
	return stack;
}

START_TEST(a_stack_is_a_power_of_two_less_its_guard_page)
{
	static const size_t sizes[][2] = {{1, 8192}, {4096, 8192}, {8192, 8192}, {8193, 16384},
		{65536, 65536}, {65537, 131072}, {3000000, 4194304}};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct eff__stack stack = take(sizes[i][0]);
		size_t want = sizes[i][1];

		if (FACTOR > 1)
			ck_assert_uint_ge(eff__stack_size(&stack) + 4096, want);
		else
			ck_assert_uint_eq(eff__stack_size(&stack) + 4096, want);
		memset(eff__stack_base(&stack), 0x55, eff__stack_size(&stack));
		eff__stack_give(&stack);
	}
}
END_TEST

START_TEST(the_stack_used_last_is_used_next)
{
	struct eff__stack a = take(65536);
	struct eff__stack b = take(65536);
	void *base_of_a = eff__stack_base(&a);
	void *base_of_b = eff__stack_base(&b);

	ck_assert_ptr_ne(base_of_a, base_of_b);
	eff__stack_give(&b);
	eff__stack_give(&a);
	a = take(65536);
	b = take(65536);
	ck_assert_ptr_eq(eff__stack_base(&a), base_of_a);
	ck_assert_ptr_eq(eff__stack_base(&b), base_of_b);
	eff__stack_give(&a);
	eff__stack_give(&b);
}
END_TEST

START_TEST(stacks_do_not_overlap)
{
	static struct eff__stack stacks[3000];
	enum { N = sizeof(stacks) / sizeof(stacks[0]) };

	for (int i = 0; i < N; i++) {
		stacks[i] = take(8192);
		*(int *)eff__stack_base(&stacks[i]) = i;
		((int *)((char *)eff__stack_base(&stacks[i]) + eff__stack_size(&stacks[i])))[-1] = i;
	}
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(*(int *)eff__stack_base(&stacks[i]), i);
		ck_assert_int_eq(((int *)((char *)eff__stack_base(&stacks[i]) +
					 eff__stack_size(&stacks[i])))[-1],
			i);
		eff__stack_give(&stacks[i]);
	}
}
END_TEST

START_TEST(address_space_is_not_taken_before_it_is_needed_and_not_twice)
{
	struct eff__stack stack;
	size_t mapped;

	ck_assert_uint_eq(eff__stacks_mapped(pool), 0);
	stack = take(65536);
	mapped = eff__stacks_mapped(pool);
	ck_assert_uint_gt(mapped, 0);
	for (int i = 0; i < 10000; i++) {
		eff__stack_give(&stack);
		stack = take(65536);
	}
	ck_assert_uint_eq(eff__stacks_mapped(pool), mapped);
	eff__stack_give(&stack);
}
END_TEST

START_TEST(a_reservation_can_be_given_up)
{
	struct eff__stack_class *class = eff__stack_class(pool, 65536);

	for (int i = 0; i < 100000; i++) {
		ck_assert_int_eq(eff__stack_reserve(pool, class), 0);
		eff__stack_unreserve(class);
	}
	ck_assert_uint_le(eff__stacks_mapped(pool), (size_t)64 << 20);
}
END_TEST

START_TEST(a_stack_beyond_reason_is_refused)
{
	ck_assert_ptr_null(eff__stack_class(pool, SIZE_MAX));
	ck_assert_ptr_null(eff__stack_class(pool, (size_t)1 << 62));
	ck_assert_ptr_null(eff__stack_class(pool, (size_t)1 << 40));
	ck_assert_ptr_nonnull(eff__stack_class(pool, 0));
}
END_TEST

START_TEST(without_address_space_reserving_fails_and_what_is_there_stays)
{
	struct eff__stack stack = take(65536);
	struct rlimit none = {0, RLIM_INFINITY};
	struct eff__stack_class *class;
	int n = 0;

	if (EFF__ASAN || EFF__TSAN) {
		eff__stack_give(&stack);
		return;
	}
	class = stack.class;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	while (eff__stack_reserve(pool, class) == 0)
		n++;
	memset(eff__stack_base(&stack), 1, eff__stack_size(&stack));
	eff__stack_give(&stack);
	ck_assert_int_eq(eff__stack_reserve(pool, class), 0);
	none.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	ck_assert_int_le(n, 1024);
	ck_assert_int_eq(eff__stack_reserve(pool, class), 0);
}
END_TEST

static bool kernel_has_guards(void)
{
#ifdef EFF_GUARD_MPROTECT
	return false;
#else
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has;

	ck_assert_ptr_ne(page, MAP_FAILED);
	has = madvise(page, 4096, 102 /* MADV_GUARD_INSTALL */) == 0;
	(void)munmap(page, 4096);
	return has;
#endif
}

/* Does a mapping end at this address? Only mprotect() makes one. */
static bool mapping_ends_at(const void *address)
{
	FILE *file = fopen("/proc/self/maps", "re");
	bool ends = false;
	void *end;

	ck_assert_ptr_nonnull(file);
	while (fscanf(file, "%*[^-]-%p%*[^\n]\n", &end) == 1)
		ends |= end == address;
	(void)fclose(file);
	return ends;
}

START_TEST(below_a_stack_is_a_guard_of_either_kind)
{
	struct eff__stack stack;
	char *base;
	int ends[2];

	if (_i)
		eff__stacks_guard_by_mprotect(pool);
	stack = take(65536);
	base = eff__stack_base(&stack);
	ck_assert_int_eq(mapping_ends_at(base), _i || !kernel_has_guards());
	ck_assert(eff__stack_is_guard(&stack, base - 1));
	ck_assert(eff__stack_is_guard(&stack, base - 4096));
	ck_assert(!eff__stack_is_guard(&stack, base - 4097));
	ck_assert(!eff__stack_is_guard(&stack, base));
	/* The kernel says what it thinks of an address without a signal. */
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], base, 1), 1);
	ck_assert_int_eq(write(ends[1], base - 1, 1), -1);
	ck_assert_int_eq(errno, EFAULT);
	close(ends[0]);
	close(ends[1]);
	eff__stack_give(&stack);
}
END_TEST

START_TEST(the_kernel_knows_how_deep_a_stack_was_touched)
{
	struct eff__stack large = take(3000000);
	struct eff__stack small = take(8192);

	ck_assert_uint_le(eff__stack_touched(&large), 4096);
	((char *)eff__stack_base(&large))[eff__stack_size(&large) - 100000] = 1;
	ck_assert_uint_eq(eff__stack_touched(&large), (100000 + 4095) / 4096 * 4096);
	((char *)eff__stack_base(&large))[0] = 1;
	ck_assert_uint_eq(eff__stack_touched(&large), eff__stack_size(&large));
	((char *)eff__stack_base(&small))[0] = 1;
	ck_assert_uint_eq(eff__stack_touched(&small), eff__stack_size(&small));
	eff__stack_give(&large);
	eff__stack_give(&small);
}
END_TEST

START_TEST(a_forked_child_has_none_of_it)
{
	struct eff__stack stack = take(65536);
	unsigned char there;
	int status;
	pid_t pid;

	memset(eff__stack_base(&stack), 1, eff__stack_size(&stack));
	ck_assert_int_eq(mincore((char *)eff__stack_base(&stack), 4096, &there), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid)
		_exit(mincore((char *)eff__stack_base(&stack), 4096, &there) < 0 && errno == ENOMEM
				? 0
				: 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	eff__stack_give(&stack);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("stack");
	TCase *tcase = tcase_create("stack");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_stack_is_a_power_of_two_less_its_guard_page);
	tcase_add_test(tcase, the_stack_used_last_is_used_next);
	tcase_add_test(tcase, stacks_do_not_overlap);
	tcase_add_test(tcase, address_space_is_not_taken_before_it_is_needed_and_not_twice);
	tcase_add_test(tcase, a_reservation_can_be_given_up);
	tcase_add_test(tcase, a_stack_beyond_reason_is_refused);
	tcase_add_test(tcase, without_address_space_reserving_fails_and_what_is_there_stays);
	tcase_add_loop_test(tcase, below_a_stack_is_a_guard_of_either_kind, 0, 2);
	tcase_add_test(tcase, the_kernel_knows_how_deep_a_stack_was_touched);
	tcase_add_test(tcase, a_forked_child_has_none_of_it);
	suite_add_tcase(suite, tcase);
	return suite;
}
