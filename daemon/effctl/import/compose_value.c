/* SPDX-License-Identifier: MIT */
/* Values of Compose files. A variable that is not set is empty there, and an error in effd unless a default is given: so it
 * is given an empty one. */
#include <ctype.h>
#include <string.h>

#include "effctl/import/compose.h"

struct node *compose_get(const struct compose *c, const struct node *map, const char *key)
{
	struct node *node = document_find(c->document, map, key);

	return node && !node_is_null(node) ? node : NULL;
}

void compose_at(struct compose *c, const struct node *node, const char *setting)
{
	c->im->line = node->key_at.line ? node->key_at.line : node->at.line;
	c->im->setting = setting ? im_strndup(c->im, setting, strlen(setting)) : NULL;
}

static size_t name_length(const char *s)
{
	size_t n = 0;

	while (isalpha((unsigned char)s[n]) || s[n] == '_' || (n && isdigit((unsigned char)s[n])))
		n++;
	return n;
}

/* A variable, from its dollar; how long it is, 0: effd has none like it. */
static size_t variable_add(struct import *im, struct text *to, const char *s)
{
	bool braces = s[1] == '{';
	const char *name = s + 1 + braces;
	size_t len = name_length(name);
	const char *behind = name + len;
	bool colon = *behind == ':';
	size_t rest;

	if (!len)
		return 0;
	if (!braces || *behind == '}') {
		text_printf(to, "${%.*s:-}", (int)len, name);
		return (size_t)(behind - s) + braces;
	}
	behind += colon;
	rest = strcspn(behind, "}");
	if ((*behind != '-' && *behind != '?') || !behind[rest] || memchr(behind, '$', rest))
		return 0;
	if (!colon && *behind == '-')
		assumed(im, "`%.*s` is given its default when it is empty, too", (int)len, name);
	text_printf(to, "${%.*s:%.*s}", (int)len, name, (int)rest, behind);
	return (size_t)(behind + rest + 1 - s);
}

static const char *filled(struct import *im, const char *s)
{
	struct text text = {0};

	while (*s && !im->failed) {
		size_t plain = strcspn(s, "$");
		size_t used = 2;

		text_add_bytes(&text, s, plain);
		s += plain;
		if (!*s)
			break;
		if (s[1] == '$') {
			text_add(&text, "$$");
		} else if (s[1] == '{' || name_length(s + 1)) {
			used = variable_add(im, &text, s);
		} else {
			text_add(&text, "$$");
			used = 1;
		}
		if (!used) {
			no_equal(im, "effd has no variables like `%.40s`", s);
			text_done(&text);
			return NULL;
		}
		s += used;
	}
	return im_text(im, &text);
}

const char *compose_text(struct compose *c, struct node *value)
{
	if (!value || node_is_null(value))
		return NULL;
	if (value->kind != NODE_SCALAR) {
		no_equal(c->im, "%s is not expected here", node_kind_text(value));
		return NULL;
	}
	return filled(c->im, value->text);
}

void compose_words(struct compose *c, struct node *value, struct words_list *words)
{
	const char *text;
	const char **split;

	if (!value)
		return;
	if (value->kind == NODE_LIST) {
		for (struct node *item = value->first; item; item = item->next)
			words_push(c->im, words, compose_text(c, item));
		return;
	}
	text = compose_text(c, value);
	split = text ? words_of(c->im, text) : NULL;
	if (text && !split)
		no_equal(c->im, "a quote has no end");
	for (; split && *split; split++)
		words_push(c->im, words, *split);
}

const char *compose_duration(struct compose *c, struct node *value)
{
	const char *text = compose_text(c, value);
	char buffer[32];
	eff_ns ns;

	if (!text)
		return NULL;
	if (duration_parse(text, &ns) == 0)
		return im_printf(c->im, "%s", duration_text(ns, buffer));
	no_equal(c->im, "`%s` is no duration", text);
	return NULL;
}

const char *compose_pair(struct compose *c, struct node *item, const char **ret_value)
{
	const char *text = compose_text(c, item);
	const char *equals = text ? strchr(text, '=') : NULL;

	*ret_value = equals ? equals + 1 : NULL;
	return equals ? im_strndup(c->im, text, (size_t)(equals - text)) : text;
}

/* "5432:5432", "127.0.0.1:8080:80/tcp": the one of this machine. */
static const char *host_port(struct import *im, const char *text)
{
	const char *end = strrchr(text, ':');
	const char *begin = end;

	while (begin && begin > text && isdigit((unsigned char)begin[-1]))
		begin--;
	if (!begin || begin == end || end - begin > 5 || (begin > text && begin[-1] != ':'))
		return NULL;
	return im_strndup(im, begin, (size_t)(end - begin));
}

const char *compose_port(struct compose *c, struct node *service)
{
	struct node *ports = compose_get(c, service, "ports");
	struct node *first = ports && ports->kind == NODE_LIST ? ports->first : NULL;
	struct node *published = first ? compose_get(c, first, "published") : NULL;
	const char *port = NULL;
	size_t n;

	if (first && first->kind == NODE_SCALAR)
		port = host_port(c->im, first->text);
	else if (published && published->kind == NODE_SCALAR)
		port = im_strndup(c->im, published->text, strlen(published->text));
	n = port ? strlen(port) : 0;
	return n && n < 6 && strspn(port, "0123456789") == n && *port != '0' &&
			(n < 5 || strcmp(port, "65535") <= 0)
		? port
		: NULL;
}
