/* SPDX-License-Identifier: MIT */
/* Rules become numbers, what is denied is taken out of what is allowed, and libseccomp makes a program of what is left. It is
 * for this processor's own calls: those of another mode of it, as 32 bits on 64, are none that anybody has looked at. */
#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/auto.h"
#include "base/filter.h"
#include "base/seccomp.h"

enum { CALLS_MOST = 2048, NUMBERS_MOST = 1024, SETS_DEEP = 4 };

static const struct {
	const char *name, *calls;
} sets[] = {
#define CALL_SET(name, help, calls) {name, calls},
#include "base/calls.def"
#undef CALL_SET
};
enum { N_SETS = sizeof(sets) / sizeof(sets[0]) };

/* With these a program is begun: it is executed when the filter holds already, and may have to say why it could not be. */
static const char *const always[] = {"@default", "rt_sigprocmask", "write", NULL};

static const char *set_calls(const char *name)
{
	for (size_t i = 0; i < N_SETS; i++)
		if (strcmp(sets[i].name, name) == 0)
			return sets[i].calls;
	return NULL;
}

bool filter_knows(const char *name)
{
	const struct seccomp *lib;

	if (*name == '@')
		return set_calls(name + 1) != NULL;
	lib = seccomp_get();
	return !lib || lib->resolve_name(name) != __NR_SCMP_ERROR;
}

bool filter_name(unsigned i, char ret_name[static FILTER_NAME_BYTES])
{
	const struct seccomp *lib = seccomp_get();
	int number = (int)i - N_SETS;
	char *found = NULL;

	if (number >= 0 && lib)
		found = lib->resolve_num_arch(SCMP_ARCH_NATIVE, number);
	(void)snprintf(ret_name, FILTER_NAME_BYTES, "%s%s", number < 0 ? "@" : "",
		number < 0      ? sets[i].name
			: found ? found
				: "");
	free(found);
	return number < NUMBERS_MOST;
}

/* ── from names to numbers ── */

struct calls {
	int numbers[CALLS_MOST];
	size_t n;
};

struct making {
	const struct seccomp *lib;
	scmp_filter_ctx context;
	struct calls allow, deny;
};

static bool calls_have(const struct calls *calls, int number)
{
	for (size_t i = 0; i < calls->n; i++)
		if (calls->numbers[i] == number)
			return true;
	return false;
}

/* Negative ones are of calls that other processors have, or that have no number of their own here. */
static void call_add(const struct seccomp *lib, struct calls *calls, const char *name)
{
	int number = lib->resolve_name(name);

	if (number != __NR_SCMP_ERROR && !calls_have(calls, number) && calls->n < CALLS_MOST)
		calls->numbers[calls->n++] = number;
}

/* The calls of a set, and of those that are in it. */
static void set_add(const struct seccomp *lib, struct calls *calls, const char *name)
{
	const char *at[SETS_DEEP] = {set_calls(name)};
	unsigned depth = at[0] ? 1 : 0;
	char word[FILTER_NAME_BYTES];

	while (depth > 0) {
		const char *from = at[depth - 1] + strspn(at[depth - 1], " ");
		size_t len = strcspn(from, " ");

		at[depth - 1] = from + len;
		(void)snprintf(word, sizeof(word), "%.*s", (int)len, from);
		if (len == 0)
			depth--;
		else if (*word != '@')
			call_add(lib, calls, word);
		else if (depth < SETS_DEEP && set_calls(word + 1))
			at[depth++] = set_calls(word + 1);
	}
}

static void names_add(const struct seccomp *lib, struct calls *calls, const char *const *names)
{
	for (; names && *names; names++) {
		if (**names == '@')
			set_add(lib, calls, *names + 1);
		else
			call_add(lib, calls, *names);
	}
}

/* ── from numbers to a program ── */

static uint32_t action_of(enum filter_action action)
{
	static const uint32_t actions[] = {SCMP_ACT_ERRNO(EPERM), SCMP_ACT_ERRNO(ENOSYS),
		SCMP_ACT_KILL_PROCESS, SCMP_ACT_LOG};

	return actions[action];
}

/* One that cannot be told apart here needs no rule. */
static int rules_add(const struct making *m, uint32_t action, const struct calls *calls,
	const struct calls *but)
{
	for (size_t i = 0; i < calls->n; i++) {
		int r = but && calls_have(but, calls->numbers[i])
			? 0
			: m->lib->rule_add(m->context, action, calls->numbers[i], 0);

		if (r < 0 && calls->numbers[i] >= 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

static int program_take(const struct making *m, struct arena *arena, struct filter *ret)
{
	auto_close int fd = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter *list;
	off_t size;
	int r;

	if (fd < 0)
		return -errno;
	r = m->lib->export_bpf(m->context, fd);
	if (r < 0)
		return r;
	size = lseek(fd, 0, SEEK_END);
	list = arena_alloc(arena, (size_t)size);
	if (!list)
		return -ENOMEM;
	if (pread(fd, list, (size_t)size, 0) != size)
		return -EIO;
	*ret = (struct filter){list, (unsigned short)((size_t)size / sizeof(*list))};
	return 0;
}

static int context_fill(struct making *m, const struct filter_rules *rules)
{
	uint32_t others = rules->action == FILTER_LOG ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS;
	int r = m->lib->attr_set(m->context, SCMP_FLTATR_ACT_BADARCH, others);

	/* A tree, and not a list, of comparisons: a call then costs the same whichever it is. An old library knows none. */
	(void)m->lib->attr_set(m->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	names_add(m->lib, &m->deny, rules->deny);
	if (!rules->allow)
		return r < 0 ? r : rules_add(m, action_of(rules->action), &m->deny, NULL);
	names_add(m->lib, &m->allow, always);
	names_add(m->lib, &m->allow, rules->allow);
	return r < 0 ? r : rules_add(m, SCMP_ACT_ALLOW, &m->allow, &m->deny);
}

static int make(struct making *m, struct arena *arena, const struct filter_rules *rules,
	struct filter *ret)
{
	int r;

	m->context = m->lib->init(rules->allow ? action_of(rules->action) : SCMP_ACT_ALLOW);
	if (!m->context)
		return -ENOMEM;
	r = context_fill(m, rules);
	if (r >= 0)
		r = program_take(m, arena, ret);
	m->lib->release(m->context);
	return r;
}

int filter_make(struct arena *arena, const struct filter_rules *rules, struct filter *ret)
{
	struct making *m = calloc(1, sizeof(*m));
	int r = -ENOMEM;

	if (!m)
		return r;
	m->lib = seccomp_get();
	r = m->lib ? make(m, arena, rules, ret) : -ELIBACC;
	free(m);
	return r;
}
