/* SPDX-License-Identifier: MIT */
/* Texts for a shell: where one is not needed, and where it stays between effd and what goes on. Only what is plainly commands
 * one after the other is judged; loops, pipes, traps and the like are a program in themselves. */
#include <string.h>

#include "plan/draft.h"

#define PROGRAM_MOST 128 /* bytes of a name that is looked for */

/* The next word of a text, up to a blank. */
static size_t word_length(const char *text)
{
	return strcspn(text, " \t\n;&");
}

static bool word_is(const char *text, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == len && strncmp(*words, text, len) == 0)
			return true;
	return false;
}

/* Behind what stands in quotes; NULL: they have no end. */
static const char *quotes_skip(const char *at)
{
	char quote = *at++;

	for (; *at && *at != quote; at++) {
		if (quote == '"' && (*at == '`' || (*at == '$' && at[1] == '(')))
			return NULL;
		at += quote == '"' && *at == '\\' && at[1];
	}
	return *at ? at + 1 : NULL;
}

/* Behind a command, where its separator is; NULL: it is more than words. */
static const char *command_skip(const char *at)
{
	while (at && *at && !strchr(";&\n", *at)) {
		if (strchr("|<>()`{}", *at) || (*at == '#' && strchr(" \t", at[-1])) ||
			(*at == '$' && at[1] == '(') || (*at == '\\' && !at[1]))
			return NULL;
		at = *at == '"' || *at == '\'' ? quotes_skip(at) : at + 1 + (*at == '\\');
	}
	return at;
}

/* The last of several commands that follow each other; NULL: it is not as plain as that. */
static const char *last_command(const char *text)
{
	static const char *const words[] = {"if", "while", "until", "for", "case", "trap",
		"wait", "set", "function", "!", "#", ".", "eval", NULL};
	const char *begin = text + strspn(text, " \t\n"), *end, *next;
	uint32_t n = 0;

	for (;; begin = next) {
		if (*begin == '#' || word_is(begin, word_length(begin), words))
			return NULL;
		end = command_skip(begin);
		n++;
		if (!end || (*end == '&' && end[1] != '&'))
			return NULL;
		next = end + (*end == '&' ? 2 : *end != '\0');
		next += strspn(next, " \t\n");
		if (!*next)
			return n > 1 ? begin : NULL;
	}
}

static bool is_program(struct load *load, const struct plan_unit *unit, const char *text, size_t len)
{
	char program[PROGRAM_MOST];

	if (len == 0 || len >= sizeof(program) || memchr(text, '=', len) ||
		memchr(text, '$', len) || memchr(text, '"', len) || memchr(text, '\'', len))
		return false;
	/* What has a slash is built into no shell. */
	if (memchr(text, '/', len))
		return true;
	memcpy(program, text, len);
	program[len] = '\0';
	return program_is_there(load, unit, program);
}

/* One program and its arguments, nothing that a shell is needed for; what a shell has built in is no program. */
static bool one_check(struct load *load, const struct plan_unit *unit, struct node *shell)
{
	const char *text = shell->text;

	if (strpbrk(text, "|&;<>()$`\\\"'*?[]#~=%!{}\n") ||
		!is_program(load, unit, text, strcspn(text, " \t")))
		return false;
	diag_help(load->diags,
		fault(load, shell, "W405",
			"a shell for one simple command: signals reach the shell first"),
		"write `command: %s`", text);
	return true;
}

/* What goes on behind others: the shell waits for it, is its unit's main process, and does not hand on signals. Of a oneshot it
 * is one step like those before. */
static void last_check(struct load *load, const struct plan_unit *unit, struct node *shell)
{
	static const char *const own[] = {"exec", "exit", "echo", "true", "false", "test", "[",
		"printf", "kill", ":", "cd", NULL};
	const char *last = unit->type == PLAN_ONESHOT ? NULL : last_command(shell->text);
	size_t len = last ? word_length(last) : 0;
	struct node inside;

	if (!last || word_is(last, len, own) || !is_program(load, unit, last, len))
		return;
	inside = node_inside(load, shell, last);
	diag_help(load->diags,
		fault(load, &inside, "W405",
			"the shell stays and waits for `%.*s`: signals reach the shell, and not what it runs",
			(int)len, last),
		"write `exec %.*s`, which takes the shell's place", (int)len, last);
}

void shell_check(struct load *load, const struct plan_unit *unit)
{
	struct node *shell = draft_node(load, unit->index, FIELD_SHELL);

	if (!shell || shell->kind != NODE_SCALAR || strncmp(shell->text, "exec ", 5) == 0)
		return;
	if (!one_check(load, unit, shell))
		last_check(load, unit, shell);
}
