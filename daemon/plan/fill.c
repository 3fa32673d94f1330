/* SPDX-License-Identifier: MIT */
/* `${NAME}`, `${NAME:-default}`, `${NAME:?message}` from effd's environment, UNIT and INSTANCE. Only `${` and `$$` are special; any
 * other dollar stands for itself. What is filled in is final: it is neither looked at again nor split into words. */
#include <string.h>

#include "plan/value.h"

struct variable {
	const char *name;
	size_t name_len;
	char op;          /* '-', '?', 0 */
	const char *word; /* after the operator */
	size_t word_len;
	size_t len;        /* of all of it, `${` and `}` too */
	const char *wrong; /* NULL: nothing */
};

static uint32_t chars_of(const char *s, size_t len)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* Those of one text mostly come in their order. */
static const struct inside *inside_of(struct load *load, const char *text, const char *at)
{
	struct inside *inside = &load->inside;

	if (inside->text != text)
		*inside = (struct inside){text, text, chars_of(text, strlen(text)), 0};
	else if (at < inside->at)
		*inside = (struct inside){text, text, inside->all, 0};
	inside->before += chars_of(inside->at, (size_t)(at - inside->at));
	inside->at = at;
	return inside;
}

struct node node_inside(struct load *load, const struct node *node, const char *at)
{
	const struct inside *chars = inside_of(load, node->text, at);
	struct node inside = *node;
	uint32_t quote = node->quoted ? 1 : 0;

	/* With an escape in it, the text is not what stands in the file, and its own place has to do. */
	if (!(node->plain || node->quoted) || chars->all + 2 * quote != node->width)
		return inside;
	inside.at.column += quote + chars->before;
	inside.width = 1;
	return inside;
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
		(!first && c >= '0' && c <= '9');
}

static const char *variable_wrong(const struct variable *v, const char *p, const char *end)
{
	if (!end)
		return "`${` without `}`";
	if (v->name_len == 0 || (p < end && (p[0] != ':' || (p[1] != '-' && p[1] != '?'))))
		return "not ${NAME}, ${NAME:-default} or ${NAME:?message}";
	if (p < end && memmem(p, (size_t)(end - p), "${", 2))
		return "what stands behind `:-` or `:?` is plain text: no `${` in it";
	return NULL;
}

/* Where one is not closed, none behind it is: the text is not searched again. */
static const char *variable_end(struct value *value, const struct node *node, const char *s)
{
	const char *end = value->unclosed == node->text ? NULL : strchr(s, '}');

	if (!end)
		value->unclosed = node->text;
	return end;
}

/* `s` begins with `${`, and `end` is where that is closed; NULL: nowhere. */
static struct variable variable_parse(const char *s, const char *end)
{
	const char *p = s + 2;
	struct variable v = {.name = p};

	while (is_name_char(*p, p == v.name))
		p++;
	v.name_len = (size_t)(p - v.name);
	v.len = end ? (size_t)(end + 1 - s) : 2;
	v.wrong = variable_wrong(&v, p, end);
	if (!v.wrong && p < end) {
		v.op = p[1];
		v.word = p + 2;
		v.word_len = (size_t)(end - v.word);
	}
	return v;
}

static const char *environment_get(const struct load *load, const char *name, size_t len)
{
	plan_strv entry = load->source->environment;

	for (; entry && *entry; entry++)
		if (strncmp(*entry, name, len) == 0 && (*entry)[len] == '=')
			return *entry + len + 1;
	return NULL;
}

static bool names(const struct variable *variable, const char *name)
{
	return strlen(name) == variable->name_len &&
		strncmp(name, variable->name, variable->name_len) == 0;
}

/* "3" of "workers/fetch@3"; NULL: it has none. */
static const char *instance_of(const char *unit)
{
	const char *at = strrchr(unit, '@');

	return at ? at + 1 : NULL;
}

static void fault_variable(
	struct load *load, struct node *node, const char *at, const struct variable *variable)
{
	uint32_t until = (uint32_t)(at - node->text) + 1;
	int len = (int)variable->name_len;
	struct node inside;
	struct diag *diag;

	/* A default is filled in for each unit that inherits it. */
	if (until <= node->told_until)
		return;
	node->told_until = until;
	node->told = "E215";
	inside = node_inside(load, node, at);
	inside.told = NULL;
	if (variable->wrong) {
		(void)fault(load, &inside, "E215", "%s", variable->wrong);
		return;
	}
	if (variable->op == '?') {
		(void)fault(load, &inside, "E215", "`%.*s` is not set: %.*s", len,
			variable->name, (int)variable->word_len, variable->word);
		return;
	}
	if (names(variable, "INSTANCE"))
		diag = fault(load, &inside, "E215", "`INSTANCE` is for units that say `replicas`");
	else
		diag = fault(load, &inside, "E215",
			"`%.*s` is neither in effd's environment nor UNIT", len, variable->name);
	diag_help(load->diags, diag, "write ${%.*s:-default}, or $$ for a dollar", len,
		variable->name);
}

static const char *variable_find(const struct value *value, const struct variable *variable)
{
	const char *found = NULL;

	if (names(variable, "UNIT"))
		found = value->unit;
	else if (names(variable, "INSTANCE"))
		found = instance_of(value->unit);
	if (!found)
		found = environment_get(value->load, variable->name, variable->name_len);
	return variable->op && found && found[0] == '\0' ? NULL : found;
}

size_t value_fill_one(
	struct value *value, struct node *node, const char *at, struct text *to, bool *ret_good)
{
	struct variable variable;
	const char *found;

	if (at[1] == '$') {
		text_add(to, "$");
		return 2;
	}
	variable = variable_parse(at, variable_end(value, node, at));
	found = variable.wrong ? NULL : variable_find(value, &variable);
	if (found) {
		text_add(to, found);
	} else if (!variable.wrong && variable.op == '-') {
		text_add_bytes(to, variable.word, variable.word_len);
	} else {
		fault_variable(value->load, node, at, &variable);
		*ret_good = false;
	}
	return variable.len;
}

const char *value_fill(struct value *value, struct node *node)
{
	const char *at = node->text, *dollar;
	struct text text = {0};
	bool good = true;
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
			used = value_fill_one(value, node, dollar, &text, &good);
		else
			text_add(&text, "$");
		at = dollar + used;
	}
	if (!good) {
		value->load->failed |= text.failed;
		text_done(&text);
		return NULL;
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
