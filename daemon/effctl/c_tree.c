/* SPDX-License-Identifier: MIT */
/* `effctl tree`: units come depth first, and a name's slashes say how deep it is; so one walk from the end tells which
 * branches go on below each, and one from the beginning draws. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "effctl/call.h"
#include "effctl/columns.h"
#include "effctl/command.h"
#include "effctl/grid.h"
#include "effctl/words.h"
#include "wire/escape.h"

#define DEEPEST 64

struct twig {
	const struct json *status;
	const char *key; /* the last part of the name */
	unsigned depth;  /* 0: the root */
	uint64_t open;   /* bit d: at depth d something follows below */
};

static void twig_read(struct twig *twig, const struct json *status)
{
	const char *name = json_get_text(status, "name", "?");

	*twig = (struct twig){.status = status, .key = name};
	if (!strcmp(name, "/"))
		return;
	twig->depth = 1;
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		twig->key = slash + 1;
		twig->depth += twig->depth + 1 < DEEPEST;
	}
}

static void find_branches(struct twig *twigs, size_t n)
{
	uint64_t open = 0;

	while (n--) {
		uint64_t bit = UINT64_C(1) << twigs[n].depth;

		twigs[n].open = open;
		/* It is the next one at its depth for those above it, and ends what hangs deeper. */
		open = (open & (bit - 1)) | bit;
	}
}

/* What is worth knowing beside the state, in the rest of the terminal's line. `used`: its columns that are taken. */
static void put_remark(const struct effctl *e, const struct json *status, size_t used)
{
	enum { READABLE = 8 };
	struct text remark = {0}, shown = {0};

	add_remark(&remark, status);
	if (remark.len)
		escape_bytes(&shown, remark.bytes, remark.len);
	if (shown.len && !shown.failed) {
		if (e->width)
			text_cut(shown.bytes,
				e->width > used + READABLE ? e->width - used : READABLE);
		(void)fputs("  ", e->out);
		(void)fputs(shown.bytes, e->out);
	}
	text_done(&remark);
	text_done(&shown);
}

static void draw(const struct effctl *e, const struct twig *twig)
{
	const char *state = json_get_text(twig->status, "state", "?");
	size_t used = (size_t)twig->depth * 3 + text_columns(twig->key) + 2 + strlen(state) + 2;
	int64_t pid = json_get_int(twig->status, "pid", 0);

	for (unsigned d = 1; d < twig->depth; d++)
		(void)fputs(!(twig->open >> d & 1) ? "   "
				: e->utf8          ? "\u2502  "
						   : "|  ",
			e->out);
	if (twig->depth && twig->open >> twig->depth & 1)
		(void)fputs(e->utf8 ? "\u251c\u2500 " : "|- ", e->out);
	else if (twig->depth)
		(void)fputs(e->utf8 ? "\u2514\u2500 " : "`- ", e->out);
	put_text(e->out, twig->key);
	(void)fputs("  ", e->out);
	paint_text(e->out, state_paint(state), state, e->colour);
	if (pid > 0)
		used += (size_t)fprintf(e->out, "  %lld", (long long)pid);
	/* Of one that is up its last exit is no news. */
	if (strcmp(state, "up") != 0)
		put_remark(e, twig->status, used);
	(void)fputc('\n', e->out);
}

static enum code print_tree(struct effctl *e, const struct json *units)
{
	size_t n = json_count(units);
	struct twig *twigs = alloc_new(n * sizeof(*twigs));
	size_t i = 0;

	if (!twigs)
		return out_of_memory(e);
	for (const struct json *v = json_first(units); v; v = json_next(v))
		twig_read(&twigs[i++], v);
	find_branches(twigs, n);
	learn_locale(e);
	for (i = 0; i < n; i++)
		draw(e, &twigs[i]);
	free(twigs);
	return CODE_DONE;
}

enum code c_tree(struct effctl *e)
{
	struct reply reply;
	enum code code = call_ask(e, METHOD_STATUS, NULL, &reply);

	if (code != CODE_DONE)
		return code;
	if (e->given[OPTION_JSON])
		code = put_json(e, reply.parameters);
	else
		code = print_tree(e, json_get(reply.parameters, "units"));
	reply_done(&reply);
	return code;
}
