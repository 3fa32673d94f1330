/* SPDX-License-Identifier: MIT */
/* The terms of a process, when all of its fields were read: they are kept for those that were given any. Then what cannot
 * be meant is told, and what effd could not grant: the kernel would refuse it at each start. */
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#include "plan/draft.h"

enum { DIRECTORIES_MODE = 0755 }; /* as its row says */

/* Those of which the value does not tell whether it was given. */
static unsigned given_of(const struct plan_unit *unit)
{
	static const struct {
		enum field_id id;
		unsigned bit;
	} fields[] = {{FIELD_NICE, TERMS_NICE}, {FIELD_OOM_SCORE_ADJ, TERMS_OOM_SCORE_ADJ},
		{FIELD_IONICE_CLASS, TERMS_IONICE}, {FIELD_IONICE_LEVEL, TERMS_IONICE_LEVEL},
		{FIELD_CPUS, TERMS_CPUS}, {FIELD_SCHED_POLICY, TERMS_SCHED},
		{FIELD_SCHED_PRIORITY, TERMS_SCHED_PRIORITY},
		{FIELD_CAPABILITIES, TERMS_CAPABILITIES}};
	unsigned given = 0;

	for (uint32_t i = 0; i < unit->n_values; i++)
		if (unit->values[i].field > FIELD_CGROUP &&
			unit->values[i].field <= FIELD_CGROUP + TERMS_N_CGROUP)
			given |= 1U
				<< (TERMS_CGROUP_SHIFT + unit->values[i].field - FIELD_CGROUP - 1);
	for (uint32_t i = 0; i < unit->n_values; i++)
		for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++)
			if (unit->values[i].field == fields[k].id)
				given |= fields[k].bit;
	return given;
}

static bool is_realtime(const struct terms *terms)
{
	return terms->sched == TERMS_SCHED_FIFO || terms->sched == TERMS_SCHED_RR;
}

/* What is of no use without another. */
static void halves_settle(struct load *load, const struct terms *terms, const struct layer *layer)
{
	struct node *level = layer->slots[FIELD_IONICE_LEVEL];
	struct node *priority = layer->slots[FIELD_SCHED_PRIORITY];
	struct node *policy = layer->slots[FIELD_SCHED_POLICY];
	const char *name = terms->sched == TERMS_SCHED_FIFO ? "fifo" : "rr";

	if (level && !layer->slots[FIELD_IONICE_CLASS])
		(void)fault_key(load, level, "E203", "`priority.ionice` needs `class`");
	if (priority && !policy)
		(void)fault_key(load, priority, "E203", "`priority.sched` needs `policy`");
	if (is_realtime(terms) && !priority)
		diag_help(load->diags, fault(load, policy, "E203", "`%s` needs a priority", name),
			"write {policy: %s, priority: 1}, or up to 99", name);
}

void process_settle(struct decoder *decoder, struct plan_unit *unit, const struct layer *layer)
{
	struct plan_process *more;

	if (!decoder->has_process)
		return;
	decoder->process.terms.given = given_of(unit);
	if (!layer->slots[FIELD_DIRECTORIES_MODE])
		decoder->process.directories_mode = DIRECTORIES_MODE;
	filter_settle(decoder->load, &decoder->process, layer);
	halves_settle(decoder->load, &decoder->process.terms, layer);
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): were they told apart in vain, it would cost some bytes. */
	if (!decoder->kept || memcmp(decoder->kept, &decoder->process, sizeof(*more)) != 0) {
		more = keep_alloc(decoder->load, sizeof(*more));
		if (!more)
			return;
		memcpy(more, &decoder->process, sizeof(*more));
		decoder->kept = more;
	}
	unit->more = decoder->kept;
}

/* May effd do what takes that capability? */
static bool may(const struct load *load, int capability)
{
	const struct plan_source *source = load->source;

	return source->privileged || (source->rights.capabilities >> capability & 1);
}

static void limit_check(struct load *load, const struct plan_unit *unit, enum field_id id)
{
	const struct field *row = field_row(id);
	const struct terms_limit *limit = (const void *)((const char *)unit->more + row->offset);
	uint64_t most = load->source->rights.hard[limit - unit->more->terms.limits];
	struct node *node = draft_node(load, unit->index, id);
	struct text text = {0};
	struct diag *diag;

	if (!node ||
		((!limit->has_hard || limit->hard <= most) &&
			(!limit->has_soft || limit->soft <= most)))
		return;
	diag = fault_key(load, node, needs_root(load),
		"only root may raise `%s` above the hard limit that effd has", row->face.name);
	limit_half_add(&text, row, most);
	diag_help(load->diags, diag, "write at most %s", text.bytes ? text.bytes : "that");
	text_done(&text);
}

/* Below which nice effd may not go: by its own, or by what its limit of nice allows. */
static int nice_least(const struct plan_rights *rights)
{
	uint64_t limit = rights->hard[RLIMIT_NICE];
	int least = 20 - (int)(limit < 40 ? limit : 40);

	return rights->nice < least ? rights->nice : least;
}

static void refuse(struct load *load, struct node *node, const char *what)
{
	(void)fault(load, node, needs_root(load), "only root may %s", what);
}

static void priority_check(struct load *load, const struct plan_unit *unit)
{
	const struct plan_rights *rights = &load->source->rights;
	const struct terms *terms = &unit->more->terms;
	struct node *nice = draft_node(load, unit->index, FIELD_NICE);
	struct node *oom = draft_node(load, unit->index, FIELD_OOM_SCORE_ADJ);
	struct node *io = draft_node(load, unit->index, FIELD_IONICE_CLASS);
	struct node *sched = draft_node(load, unit->index, FIELD_SCHED_POLICY);

	if (nice && terms->nice < nice_least(rights) && !may(load, CAP_SYS_NICE))
		diag_help(load->diags,
			fault(load, nice, needs_root(load),
				"only root may lower `priority.nice` so far"),
			"write at least %d", nice_least(rights));
	if (oom && terms->oom_score_adj < 0 && terms->oom_score_adj < rights->oom_score_adj &&
		!may(load, CAP_SYS_RESOURCE))
		refuse(load, oom, "lower `priority.oom_score_adj`");
	if (io && terms->ionice == TERMS_IO_REALTIME && !may(load, CAP_SYS_ADMIN) &&
		!may(load, CAP_SYS_NICE))
		refuse(load, io, "give the I/O class `realtime`");
	if (sched && is_realtime(terms) &&
		terms->sched_priority > rights->hard[RLIMIT_RTPRIO] && !may(load, CAP_SYS_NICE))
		refuse(load, sched, "schedule a process in real time");
}

/* Did the unit itself say it, and not only `defaults` above? */
static bool is_own(
	struct load *load, const struct plan_unit *unit, struct node *node, const char *section)
{
	struct node *map = node_find(load, load->drafts[unit->index].map, "priority");

	map = map ? node_find(load, map, section) : NULL;
	return map && node_find(load, map, node->key) == node;
}

/* A level, or a priority, of what has none. */
static void levels_check(struct load *load, const struct plan_unit *unit)
{
	const struct terms *terms = &unit->more->terms;
	struct node *level = draft_node(load, unit->index, FIELD_IONICE_LEVEL);
	struct node *priority = draft_node(load, unit->index, FIELD_SCHED_PRIORITY);
	bool has_levels = terms->ionice == TERMS_IO_REALTIME ||
		terms->ionice == TERMS_IO_BEST_EFFORT;

	if (level && terms->given & TERMS_IONICE && !has_levels &&
		is_own(load, unit, level, "ionice"))
		(void)fault_key(load, level, "E218",
			"`level` is for `realtime` and `best-effort` alone");
	if (priority && terms->given & TERMS_SCHED && !is_realtime(terms) &&
		is_own(load, unit, priority, "sched"))
		(void)fault_key(load, priority, "E218", "`priority` is for `fifo` and `rr` alone");
}

/* The first of a set of capabilities. */
static const char *first_of(uint64_t set)
{
	unsigned n = 0;

	while (!(set >> n & 1))
		n++;
	return terms_capability_name(n);
}

static void security_check(struct load *load, const struct plan_unit *unit)
{
	const struct terms *terms = &unit->more->terms;
	struct node *all = draft_node(load, unit->index, FIELD_CAPABILITIES);
	struct node *ambient = draft_node(load, unit->index, FIELD_AMBIENT);
	uint64_t left_out = all ? terms->ambient & ~terms->capabilities : 0,
		 missing = terms->ambient & ~load->source->rights.capabilities;

	if (ambient && left_out)
		diag_note(load->diags,
			fault(load, ambient, "E209",
				"`ambient` has %s, which `capabilities` leaves out",
				first_of(left_out)),
			all->at, "`capabilities` is here");
	if (all && !may(load, CAP_SETPCAP))
		refuse(load, all, "take capabilities away");
	if (ambient && missing && !load->source->privileged)
		(void)fault(load, ambient, needs_root(load),
			"only root may grant %s, which effd does not have", first_of(missing));
}

void terms_check(struct load *load, const struct plan_unit *unit)
{
	struct node *node;
	enum field_id id;

	if (!unit->more)
		return;
	for (id = FIELD_LIMITS + 1; id <= FIELD_LIMIT_STACK && !may(load, CAP_SYS_RESOURCE); id++)
		limit_check(load, unit, id);
	node = draft_node(load, unit->index, FIELD_ROOT_DIR);
	if (node && !may(load, CAP_SYS_CHROOT))
		(void)fault_key(load, node, needs_root(load),
			"only root may give a process another root");
	node = draft_node(load, unit->index, FIELD_PRIVATE_TMP);
	if (node && unit->more->private_tmp && !may(load, CAP_SYS_ADMIN))
		(void)fault_key(load, node, needs_root(load),
			"only root may give a process a /tmp of its own");
	node = draft_node(load, unit->index, FIELD_READ_ONLY_PATHS);
	if (node && unit->more->read_only_paths && !may(load, CAP_SYS_ADMIN))
		(void)fault_key(load, node, needs_root(load),
			"only root may keep a process from writing paths");
	levels_check(load, unit);
	priority_check(load, unit);
	security_check(load, unit);
}
