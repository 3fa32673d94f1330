/* SPDX-License-Identifier: MIT */
/* Command lines of systemd's. One without variables is a list of words; variables and what is more than one command take a
 * shell, which the program replaces where it can. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "effctl/import/systemd.h"

static void exec_push(
	struct systemd *s, struct exec_list *list, const char **words, const char *flags)
{
	struct exec *exec = arena_alloc(s->im->arena, sizeof(*exec));

	if (!exec) {
		s->im->failed = true;
		return;
	}
	exec->words = words;
	exec->may_fail = strchr(flags, '-');
	exec->fills = !strchr(flags, ':');
	exec->line = s->im->line;
	exec->setting = s->im->setting;
	if (list->last)
		list->last->next = exec;
	else
		list->first = exec;
	list->last = exec;
}

/* One of the command lines that stand behind each other with `;` between them. */
static void exec_take(struct systemd *s, struct exec_list *list, const char **words, size_t n)
{
	size_t flags = n ? strspn(words[0], "-@:+!|") : 0;
	char *said = n ? im_strndup(s->im, words[0], flags) : NULL;

	if (!said || !words[0][flags]) {
		no_equal(s->im, "it names no program");
		return;
	}
	words[n] = NULL;
	words[0] += flags;
	if (strpbrk(said, "+!"))
		assumed(s->im, "it runs as the unit's user, with no more rights than that");
	if (strchr(said, '@') && n > 1) {
		memmove(words + 1, words + 2, (n - 1) * sizeof(*words));
		no_equal(s->im, "a program is called by its own name");
	}
	exec_push(s, list, words, said);
}

void exec_add(struct systemd *s, struct exec_list *list, const char *value)
{
	const char *filled = systemd_filled(s, value);
	const char **words = filled ? systemd_words(s->im, filled) : NULL;
	size_t n;

	if (filled && !words)
		no_equal(s->im, "a quote has no end");
	if (words && !*words)
		*list = (struct exec_list){0};
	while (words && *words && !s->im->failed) {
		const char **next;

		for (n = 0; words[n] && strcmp(words[n], ";") != 0;)
			n++;
		next = words[n] ? words + n + 1 : words + n;
		exec_take(s, list, words, n);
		words = next;
	}
}

/* ── variables ── */

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (isalpha((unsigned char)s[n]) || s[n] == '_' || (n && isdigit((unsigned char)s[n])))
		n++;
	return n;
}

/* The length of a `${NAME}` here, or of a word that is `$NAME`. */
static size_t variable_at(const char *word, const char *s)
{
	size_t n = s[1] == '{' ? name_length(s + 2) : 0;

	if (n && s[2 + n] == '}')
		return n + 3;
	n = s == word ? name_length(s + 1) : 0;
	return n && !s[1 + n] ? n + 1 : 0;
}

static bool has_variable(const struct exec *exec)
{
	for (const char **word = exec->words; exec->fills && *word; word++) {
		for (const char *s = strchr(*word, '$'); s; s = strchr(s + 1, '$')) {
			if (s[1] == '$')
				s++;
			else if (variable_at(*word, s))
				return true;
		}
	}
	return false;
}

/* A word without variables: systemd's `$$` is a dollar. */
static const char *plain_word(struct import *im, const struct exec *exec, const char *word)
{
	struct text text = {0};

	if (!exec->fills || !strstr(word, "$$"))
		return literal(im, word);
	for (; *word; word++) {
		text_add_bytes(&text, word, 1);
		word += *word == '$' && word[1] == '$';
	}
	return literal(im, im_text(im, &text));
}

static void quoted_add(struct text *to, const char *word)
{
	size_t variable;

	text_add(to, "\"");
	for (const char *s = word; *s; s++) {
		variable = *s == '$' ? variable_at(word, s) : 0;
		if (variable) {
			text_add_bytes(to, s, variable);
			s += variable - 1;
			continue;
		}
		s += *s == '$' && s[1] == '$';
		if (strchr("\"\\`$", *s))
			text_add(to, "\\");
		text_add_bytes(to, s, 1);
	}
	text_add(to, "\"");
}

static void shell_add(struct text *to, const struct exec *exec)
{
	for (const char **word = exec->words; *word; word++) {
		if (word > exec->words)
			text_add(to, " ");
		if (!exec->fills || !strchr(*word, '$'))
			shell_word(to, *word);
		else if (**word == '$' && (*word)[1] != '{' && variable_at(*word, *word))
			text_add(to, *word);
		else
			quoted_add(to, *word);
	}
}

/* ── fields ── */

static const char **plain_words(struct import *im, const struct exec *exec)
{
	struct words_list words = {0};

	for (const char **word = exec->words; *word; word++)
		words_push(im, &words, plain_word(im, exec, *word));
	return words.items;
}

static const char *shell_text(struct import *im, const struct exec *exec)
{
	struct text text = {0};

	for (; exec; exec = exec->next) {
		if (!exec->next && !exec->may_fail)
			text_add(&text, "exec ");
		shell_add(&text, exec);
		text_add(&text, exec->may_fail ? " || :" : exec->next ? " || exit" : "");
		text_add(&text, exec->next ? "; " : "");
	}
	return im_text(im, &text);
}

/* Commands of a field that is not `command`: one, or a shell that runs them all. */
static void commands_set(struct systemd *s, const char *path, const struct exec_list *list)
{
	static const char *const shell[] = {"/bin/sh", "-c", NULL};
	struct import *im = s->im;
	const struct exec *exec = list->first;

	if (!exec)
		return;
	if (!exec->next && !exec->may_fail && !has_variable(exec)) {
		item_add_words(im, s->unit->item, path, plain_words(im, exec));
		return;
	}
	item_add_words(im, s->unit->item, path, shell);
	item_add(im, item_list(im, s->unit->item, path), literal(im, shell_text(im, exec)));
}

/* `/bin/kill -HUP $MAINPID`: the signal; 0: it is something else. */
static int kill_signal(const struct exec *exec)
{
	const char **w = exec->words;
	const char *slash = strrchr(w[0], '/');
	const char *signal = NULL;
	size_t n = 0;
	int number;

	while (w[n])
		n++;
	if (strcmp(slash ? slash + 1 : w[0], "kill") != 0 || n < 2 ||
		(strcmp(w[n - 1], "$MAINPID") != 0 && strcmp(w[n - 1], "${MAINPID}") != 0))
		return 0;
	if (n == 2)
		return 15;
	if (n == 3 && w[1][0] == '-')
		signal = w[1] + 1;
	else if (n == 4 && (!strcmp(w[1], "-s") || !strcmp(w[1], "-n")))
		signal = w[2];
	number = signal ? signal_parse(signal) : 0;
	if (number < 0 && isdigit((unsigned char)*signal) && strlen(signal) < 3)
		number = atoi(signal);
	return number > 0 && number < 32 ? number : 0;
}

static bool names_main_pid(const struct exec_list *list)
{
	for (const struct exec *exec = list->first; exec; exec = exec->next) {
		for (const char **word = exec->words; *word; word++) {
			if (strstr(*word, "$MAINPID") || strstr(*word, "${MAINPID}"))
				return true;
		}
	}
	return false;
}

/* The signal that the last of them sends to the main process; 0: it does something else. */
static int last_signal(const struct exec *exec)
{
	while (exec->next)
		exec = exec->next;
	return kill_signal(exec);
}

/* What may be a signal to the main process instead of a command. A signal alone would leave out what looks first whether the
 * settings are right, so that is for people to say. */
static void signal_or_commands(struct systemd *s, const struct exec_list *list,
	const char *by_signal, const char *by_command)
{
	const struct exec *exec = list->first;
	int number = exec ? last_signal(exec) : 0;
	char buffer[16];
	/* An `effctl signal` in a stop would be the second word to one that stops. */
	const char *both = list == &s->unit->reload
		? "; a `reload.command` that looks first may end with `&& effctl signal`"
		: "";

	if (!exec)
		return;
	s->im->line = exec->line;
	s->im->setting = exec->setting;
	if (number && exec->next)
		no_equal(s->im,
			"effd tells commands no MAINPID; `%.*s: {signal: %s}` is the signal, without what runs before it%s",
			(int)strcspn(by_signal, "."), by_signal, signal_text(number, buffer), both);
	else if (number)
		item_set(s->im, s->unit->item, by_signal,
			im_printf(s->im, "%s", signal_text(number, buffer)));
	else if (names_main_pid(list))
		no_equal(s->im, "effd tells commands no MAINPID");
	else
		commands_set(s, by_command, list);
}

bool exec_make(struct systemd *s)
{
	struct systemd_unit *unit = s->unit;
	const struct exec *start = unit->start.first;
	struct import *im = s->im;

	signal_or_commands(s, &unit->reload, "reload.signal", "reload.command");
	signal_or_commands(s, &unit->stop, "stop.signal", "stop.command");
	commands_set(s, "hooks.pre_start.command", &unit->pre);
	commands_set(s, "hooks.on_ready.command", &unit->post);
	commands_set(s, "hooks.post_stop.command", &unit->stop_post);
	im->line = start ? start->line : unit->first->line;
	im->setting = NULL;
	if (!start || (start->next && !unit->is_once)) {
		refused(im, start ? "only a oneshot has several `ExecStart`" : "there is no `ExecStart`");
		return false;
	}
	if (start->may_fail && !unit->is_once) {
		im->setting = "ExecStart";
		no_equal(im, "an end that is not in `success_exit` is a failure, also of `-%s`",
			start->words[0]);
		unit->start.first->may_fail = false;
	}
	if (start->next || start->may_fail || has_variable(start))
		item_set(im, unit->item, "shell", shell_text(im, start));
	else
		item_add_words(im, unit->item, "command", plain_words(im, start));
	return true;
}
