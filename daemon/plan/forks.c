/* SPDX-License-Identifier: MIT */
/* Programs that are known to go to the background by themselves (forks.def). To effd their end is the end of the unit, and
 * what goes on behind is left over, and ended. */
#include <string.h>

#include "plan/draft.h"

struct forks {
	const char *program, *when, *stays, *advice;
};

static const struct forks forks[] = {
#define FORKS(program, when, stays, advice) {program, when, stays, advice},
#include "plan/forks.def"
#undef FORKS
};

/* One word of a row: a beginning, a letter that may stand among others, or all of it. */
static bool is_word(const char *word, size_t len, const char *text)
{
	if (word[len - 1] == '*')
		return strncmp(word, text, len - 1) == 0;
	if (len == 2 && word[0] == '-' && text[0] == '-' && text[1] != '-' && strchr(text, word[1]))
		return true;
	return strlen(text) == len && memcmp(word, text, len) == 0;
}

/* Is one of these words among the arguments? */
static bool has_one(const char *words, plan_strv argument)
{
	for (; *argument; argument++) {
		const char *at = words;
		struct word word;

		while (word_next(&at, &word))
			if (is_word(word.text, word.len, *argument))
				return true;
	}
	return false;
}

static const struct forks *forks_find(plan_strv argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];

	for (size_t i = 0; i < sizeof(forks) / sizeof(forks[0]); i++) {
		const struct forks *row = &forks[i];

		if (is_word(row->program, strlen(row->program), name))
			return (!row->when || has_one(row->when, argv + 1)) &&
					!(row->stays && has_one(row->stays, argv + 1))
				? row
				: NULL;
	}
	return NULL;
}

void forks_check(struct load *load, const struct plan_unit *unit)
{
	struct node *command = draft_node(load, unit->index, FIELD_COMMAND);
	const struct forks *row;
	struct diag *diag;

	if (!command || !unit->argv || unit->type != PLAN_EXEC)
		return;
	row = forks_find(unit->argv);
	if (!row)
		return;
	diag = fault(load, command, "W406",
		"`%s` goes to the background by itself, which is its end to effd", unit->argv[0]);
	diag_help(load->diags, diag,
		"%s, which keeps it in the foreground; or say `type: forking` with its `pid_file`",
		row->advice);
}
