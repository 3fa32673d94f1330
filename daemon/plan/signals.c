/* SPDX-License-Identifier: MIT */
/* What signals to effd do: `daemon.signals`, laid over what they do by themselves. */
#include <signal.h>
#include <string.h>

#include "plan/draft.h"
#include "plan/suggest.h"

#define FORWARD "forward:"

static const char *const act_names[] = {
	[PLAN_SIGNAL_STOP] = "stop",
	[PLAN_SIGNAL_RELOAD] = "reload",
	[PLAN_SIGNAL_IGNORE] = "ignore",
};
enum { N_WORDS = sizeof(act_names) / sizeof(act_names[0]) };

void signals_preset(struct plan_daemon *daemon)
{
	daemon->signals[SIGHUP].act = PLAN_SIGNAL_RELOAD;
	daemon->signals[SIGINT].act = daemon->signals[SIGTERM].act = PLAN_SIGNAL_STOP;
}

/* Why it cannot be had otherwise; NULL: it can. */
static const char *why_fixed(int sig)
{
	switch (sig) {
	case SIGKILL:
	case SIGSTOP:
		return "the kernel lets nobody catch it";
	case SIGCHLD:
		return "effd learns from it that processes have ended";
	case SIGILL:
	case SIGTRAP:
	case SIGABRT:
	case SIGBUS:
	case SIGFPE:
	case SIGSEGV:
	case SIGSYS:
		return "a fault of effd's own ends it by this one";
	case SIGPIPE:
	case SIGXFSZ:
		return "effd's own writes may raise it";
	default:
		return sig > SIGSYS && sig < SIGRTMIN ? "it is the C library's own" : NULL;
	}
}

/* The key's signal; 0: it is none that may stand there, and that was said. */
static int signal_of_key(struct value *value, struct node *child)
{
	struct node key = *child;
	struct value name = {.load = value->load, .field = value->field, .node = &key};
	int sig = 0;

	key.at = child->key_at;
	key.width = child->key_width;
	name.filled = child->key;
	name.to = &sig;
	if (!read_signal(&name))
		sig = 0;
	value_done(&name);
	if (sig && why_fixed(sig)) {
		diag_help(value->load->diags,
			fault_key(value->load, child, "E209",
				"`%s` cannot be given another meaning: %s", child->key,
				why_fixed(sig)),
			"signals that can: HUP, INT, TERM, QUIT, USR1, USR2, WINCH, ALRM, RTMIN+3 …");
		return 0;
	}
	return sig;
}

static bool act_read(struct value *value, struct node *child, struct plan_signal *ret)
{
	struct value word = {.load = value->load, .field = value->field, .node = child};
	const char *text = child->kind == NODE_SCALAR ? value_fill(&word, child) : NULL;

	if (child->kind != NODE_SCALAR)
		advise_form(value->load,
			fault(value->load, child, "E204", "`%s` needs a word, and this is %s",
				child->key, node_kind_text(child)),
			value->field);
	if (!text)
		return false;
	if (strncmp(text, FORWARD, strlen(FORWARD)) == 0 && text[strlen(FORWARD)]) {
		*ret = (struct plan_signal){PLAN_SIGNAL_FORWARD, text + strlen(FORWARD)};
		return true;
	}
	for (int i = PLAN_SIGNAL_STOP; i < N_WORDS; i++)
		if (strcmp(act_names[i], text) == 0) {
			*ret = (struct plan_signal){(enum plan_signal_act)i, NULL};
			return true;
		}
	word.filled = text;
	word_fault(&word, "stop reload ignore forward:UNIT");
	return false;
}

/* All of them, those that were not given too: the value is what holds. */
static void signals_add(struct text *text, const struct plan_signal *signals)
{
	const char *comma = "";
	char buf[16];

	text_add(text, "{");
	for (int sig = 1; sig < PLAN_N_SIGNALS; sig++) {
		const struct plan_signal *s = &signals[sig];

		if (s->act == PLAN_SIGNAL_DEFAULT)
			continue;
		text_printf(text, "%s%s: ", comma, signal_text(sig, buf));
		if (s->act == PLAN_SIGNAL_FORWARD)
			text_printf(text, "%s%s", FORWARD, s->unit);
		else
			text_add(text, act_names[s->act]);
		comma = ", ";
	}
	text_add(text, "}");
}

bool read_signals(struct value *value)
{
	struct plan_signal *signals = value->to, *s;
	struct node *given[PLAN_N_SIGNALS] = {0}, *child;
	bool good = true;
	int sig;

	if (value->node->kind != NODE_MAP) {
		advise_form(value->load,
			fault(value->load, value->node, "E204", "`%s` needs a mapping, and this is %s",
				value->field->face.name, node_kind_text(value->node)),
			value->field);
		return false;
	}
	for (child = value->node->first; child; child = child->next) {
		if (strncmp(child->key, "x-", 2) == 0)
			continue;
		sig = signal_of_key(value, child);
		s = &signals[sig];
		if (sig && given[sig])
			diag_note(value->load->diags,
				fault_key(value->load, child, "E103",
					"`%s` is that signal again", child->key),
				given[sig]->key_at, "it is here");
		good &= sig && !given[sig] && act_read(value, child, s);
		given[sig] = child;
	}
	signals_add(&value->text, signals);
	return good;
}

static void forward_resolve(struct load *load, struct node *node, struct plan_signal *signal)
{
	struct range found = units_find(load, 0, signal->unit);
	const struct plan_unit *unit;
	struct node name = *node;

	/* A complaint about the name is about what stands behind the colon. */
	if (strncmp(node->text, FORWARD, strlen(FORWARD)) == 0)
		name = node_inside(load, node, node->text + strlen(FORWARD));
	if (found.first == PLAN_NONE) {
		unit_unknown(load, &name, signal->unit);
		return;
	}
	if (!reference_lasts(load, 0, &name, found))
		return;
	unit = found.n ? &load->units[found.first] : NULL;
	if (unit && unit->kind == PLAN_FIBER)
		(void)fault(load, &name, "E316", "`%s` is a fiber and takes no signals",
			signal->unit);
	else if (unit)
		signal->unit = found.n > 1 ? unit->stem : unit->name;
}

void signals_resolve(struct load *load)
{
	struct node *child = load->signals && load->signals->kind == NODE_MAP ? load->signals->first
									      : NULL;

	for (; child && !load->failed; child = child->next) {
		int sig = signal_parse(child->key);
		struct plan_signal *s = sig > 0 ? &load->daemon->signals[sig] : NULL;

		if (s && s->act == PLAN_SIGNAL_FORWARD && child->kind == NODE_SCALAR)
			forward_resolve(load, child, s);
	}
}
