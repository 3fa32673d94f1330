/* SPDX-License-Identifier: MIT */
/* Causes: made once, shared by reference, never changed after they were shown. A chain longer than eight is cut at its
 * old end by copying its young one, so that a unit that fails for a year holds eight causes and not a year of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eff/fiber.h>

#include "base/alloc.h"
#include "base/cause.h"

#define CHAIN_MAX 8

bool cause_completes(const struct cause *end, const struct cause *word)
{
	return end && word && end->kind == word->kind && end->wall_at == word->wall_at &&
		end->because == word->because && strcmp(end->text, word->text) == 0;
}

struct cause *cause_ref(struct cause *cause)
{
	if (cause)
		cause->n_refs++;
	return cause;
}

void cause_unref(struct cause *cause)
{
	struct cause *because;

	while (cause && --cause->n_refs == 0) {
		because = cause->because;
		free(cause);
		cause = because;
	}
}

static unsigned chain_length(const struct cause *cause)
{
	unsigned n = 0;

	for (; cause; cause = cause->because)
		n++;
	return n;
}

/* A copy of the first `n` links, with a reference for the caller; shorter when memory is out. */
static struct cause *chain_copy(const struct cause *cause, unsigned n)
{
	struct cause *first = NULL, **link = &first, *copy;
	size_t size;

	for (; cause && n > 0; cause = cause->because, n--) {
		size = sizeof(*cause) + strlen(cause->text) + 1;
		copy = alloc_new(size);
		if (!copy)
			break;
		memcpy(copy, cause, size);
		copy->n_refs = 1;
		copy->because = NULL;
		*link = copy;
		link = &copy->because;
	}
	return first;
}

struct printing {
	const char *format;
	va_list args;
	struct cause *cause; /* with the text; NULL: out of memory */
};

static void cause_print(void *arg)
{
	struct printing *p = arg;
	va_list args;
	int len;

	/* NOLINTBEGIN(clang-diagnostic-format-nonliteral): whoever wrote it was checked by cause_new()'s declaration. */
	va_copy(args, p->args);
	len = vsnprintf(NULL, 0, p->format, args);
	va_end(args);
	if (len >= 0)
		p->cause = alloc_new(sizeof(*p->cause) + (size_t)len + 1);
	if (p->cause)
		(void)vsnprintf(p->cause->text, (size_t)len + 1, p->format, p->args);
	/* NOLINTEND(clang-diagnostic-format-nonliteral) */
}

struct cause *cause_new(
	enum cause_kind kind, eff_ns wall_at, struct cause *because, const char *format, ...)
{
	struct printing printing = {.format = format};
	struct cause *cause;

	va_start(printing.args, format);
	/* Who waits for the next end is a fiber that should touch little stack. */
	eff_deep(cause_print, &printing);
	va_end(printing.args);
	cause = printing.cause;
	if (!cause)
		return NULL;
	cause->kind = kind;
	cause->wall_at = wall_at;
	cause->code = -1;
	cause->n_refs = 1;
	if (chain_length(because) < CHAIN_MAX)
		cause->because = cause_ref(because);
	else
		cause->because = chain_copy(because, CHAIN_MAX - 1);
	return cause;
}
