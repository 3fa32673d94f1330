/* SPDX-License-Identifier: MIT */
/* A command in one string, split as a shell splits words; but no shell runs, so what only a shell could do (pipes,
 * redirections, substitution) is refused with the way out instead of being handed to a program as an argument. */
#include <string.h>

#include "plan/value.h"

struct splitter {
	struct value *value;
	struct node *node;
	struct words *words;
	const char *at;
	struct text word;
	bool in_word;
	bool is_filled;  /* no variable was found wrong */
	const char *bad; /* what is wrong at `at` */
};

void words_add(struct load *load, struct words *words, const char *word)
{
	const char **items;

	if (!word)
		return;
	if (words->n + 1 >= words->room) {
		words->room = words->room ? words->room * 2 : 8;
		items = keep_alloc(load, words->room * sizeof(*items));
		if (!items) {
			words->room = 0;
			return;
		}
		if (words->n)
			memcpy(items, words->items, words->n * sizeof(*items));
		words->items = items;
	}
	words->items[words->n++] = word;
	words->items[words->n] = NULL;
}

static void word_end(struct splitter *s)
{
	if (!s->in_word)
		return;
	words_add(s->value->load, s->words, keep_text(s->value->load, &s->word));
	s->in_word = false;
}

/* A dollar, wherever it stands: filled in, or itself. */
static void take_dollar(struct splitter *s, bool in_quotes)
{
	size_t used = 1;

	s->in_word = true;
	if ((s->at[1] == '{' || s->at[1] == '$') && !s->node->verbatim) {
		used = value_fill_one(s->value, s->node, s->at, &s->word, &s->is_filled);
	} else if (s->at[1] == '(' && !in_quotes) {
		s->bad = "no shell runs, so `$(` would be plain text";
	} else {
		text_add(&s->word, "$");
	}
	s->at += used;
}

static void take_quoted(struct splitter *s, char quote)
{
	const char *begin = s->at++;

	s->in_word = true;
	while (*s->at && *s->at != quote && !s->bad) {
		if (*s->at == '$') {
			take_dollar(s, true);
			continue;
		}
		if (quote == '"' && *s->at == '\\' && s->at[1] && strchr("$`\"\\\n", s->at[1]))
			s->at++;
		text_add_bytes(&s->word, s->at++, 1);
	}
	if (s->bad)
		return;
	if (*s->at == quote) {
		s->at++;
		return;
	}
	s->at = begin;
	s->bad = "a quote without its end";
}

static void take_one(struct splitter *s)
{
	char c = *s->at;

	if (strchr(" \t\n\r", c)) {
		word_end(s);
		s->at++;
	} else if (c == '\'' || c == '"') {
		take_quoted(s, c);
	} else if (c == '$') {
		take_dollar(s, false);
	} else if (strchr("|&;<>()`", c)) {
		s->bad = "no shell runs, so this would be plain text";
	} else {
		if (c == '\\' && s->at[1])
			s->at++;
		s->in_word = true;
		text_add_bytes(&s->word, s->at++, 1);
	}
}

bool words_split(struct value *value, struct node *node, struct words *words)
{
	struct splitter s = {
		.value = value, .node = node, .words = words, .at = node->text, .is_filled = true};
	struct node inside;
	struct diag *diag;

	while (*s.at && !s.bad)
		take_one(&s);
	if (!s.bad)
		word_end(&s);
	if (s.word.failed)
		value->load->failed = true;
	text_done(&s.word);
	if (!s.bad)
		return s.is_filled;
	if (node->told && strcmp(node->told, "E216") == 0)
		return false;
	inside = node_inside(value->load, node, s.at);
	diag = fault(value->load, &inside, "E216", "%s", s.bad);
	diag_help(value->load->diags, diag,
		"write a list of words, or `shell:` for a text that a shell runs");
	node->told = "E216";
	return false;
}
