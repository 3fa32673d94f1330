/* SPDX-License-Identifier: MIT */
/* `${NAME}`, `${NAME:-default}`, `${NAME:?message}` from effd's environment, and UNIT. Only `${` and `$$` are special; any
 * other dollar stands for itself. What is filled in is final: it is neither looked at again nor split into words. */
#include <string.h>

#include "plan/value.h"

struct variable {
	const char *name;
	size_t name_len;
	char op;          /* '-', '?', 0 */
	const char *word; /* after the operator */
	size_t word_len;
	size_t len; /* of all of it, `${` and `}` too */
};

static uint32_t chars_of(const char *s, size_t len)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

struct node node_inside(const struct node *node, const char *at)
{
	struct node inside = *node;
	uint32_t quote = node->quoted ? 1 : 0;

	/* With an escape in it, the text is not what stands in the file, and its own place has to do. */
	if (!(node->plain || node->quoted) ||
		chars_of(node->text, strlen(node->text)) + 2 * quote != node->width)
		return inside;
	inside.at.column += quote + chars_of(node->text, (size_t)(at - node->text));
	inside.width = 1;
	return inside;
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
		(!first && c >= '0' && c <= '9');
}

/* `s` begins with `${`. */
static bool variable_parse(const char *s, struct variable *ret)
{
	const char *p = s + 2, *end = strchr(p, '}');

	*ret = (struct variable){.name = p};
	while (is_name_char(*p, p == ret->name))
		p++;
	ret->name_len = (size_t)(p - ret->name);
	if (!end || ret->name_len == 0)
		return false;
	ret->len = (size_t)(end + 1 - s);
	if (p == end)
		return true;
	if (p[0] != ':' || (p[1] != '-' && p[1] != '?'))
		return false;
	ret->op = p[1];
	ret->word = p + 2;
	ret->word_len = (size_t)(end - ret->word);
	return true;
}

static const char *environment_get(const struct load *load, const char *name, size_t len)
{
	plan_strv entry = load->source->environment;

	for (; entry && *entry; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return *entry + len + 1;
	return NULL;
}

static void fault_variable(
	struct value *value, struct node *node, const char *at, const struct variable *variable)
{
	struct load *load = value->load;
	struct node inside = node_inside(node, at);
	int len = (int)variable->name_len;
	struct diag *diag;

	node->told = "E215";
	if (variable->op == '?') {
		(void)fault(load, &inside, "E215", "`%.*s` is not set: %.*s", len,
			variable->name, (int)variable->word_len, variable->word);
		return;
	}
	diag = fault(load, &inside, "E215", "`%.*s` is neither in effd's environment nor UNIT",
		len, variable->name);
	diag_help(load->diags, diag, "write ${%.*s:-default}, or $$ for a dollar", len,
		variable->name);
}

size_t value_fill_one(struct value *value, struct node *node, const char *at, struct text *to)
{
	struct variable variable;
	struct node inside;
	const char *found;

	if (at[1] == '$') {
		text_add(to, "$");
		return 2;
	}
	if (!variable_parse(at, &variable)) {
		inside = node_inside(node, at);
		(void)fault(value->load, &inside, "E215",
			strchr(at, '}') ? "not ${NAME}, ${NAME:-default} or ${NAME:?message}"
					: "`${` without `}`");
		node->told = "E215";
		return 0;
	}
	if (variable.name_len == 4 && strncmp(variable.name, "UNIT", 4) == 0)
		found = value->unit;
	else
		found = environment_get(value->load, variable.name, variable.name_len);
	if (variable.op && found && found[0] == '\0')
		found = NULL;
	if (found) {
		text_add(to, found);
	} else if (variable.op == '-') {
		text_add_bytes(to, variable.word, variable.word_len);
	} else {
		if (!node->told || strcmp(node->told, "E215") != 0)
			fault_variable(value, node, at, &variable);
		return 0;
	}
	return variable.len;
}

const char *value_fill(struct value *value, struct node *node)
{
	const char *at = node->text, *dollar;
	struct text text = {0};
	size_t used;

	if (node->kind != NODE_SCALAR)
		return NULL;
	if (node->verbatim || !strchr(at, '$'))
		return keep_strdup(value->load, at);
	while ((dollar = strchr(at, '$'))) {
		if (text.len > TREE_MAX_BYTES)
			break;
		text_add_bytes(&text, at, (size_t)(dollar - at));
		used = 1;
		if (dollar[1] == '{' || dollar[1] == '$')
			used = value_fill_one(value, node, dollar, &text);
		else
			text_add(&text, "$");
		if (used == 0) {
			text_done(&text);
			return NULL;
		}
		at = dollar + used;
	}
	text_add(&text, at);
	value->load->shared_nodes += text.len / NODE_BYTES;
	if (value->load->shared_nodes > SHARED_MAX_NODES) {
		(void)fault(value->load, node, "E105",
			"what is filled in makes this tree too large");
		text_done(&text);
		return NULL;
	}
	return keep_text(value->load, &text);
}
