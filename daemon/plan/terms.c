/* SPDX-License-Identifier: MIT */
/* The terms of a process, when all of its fields were read: they are kept for those that were given any. Then what cannot
 * be meant is told, and what effd could not grant: the kernel would refuse it at each start. */
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#include "plan/draft.h"

void process_settle(struct decoder *decoder, struct plan_unit *unit)
{
	struct plan_process *more;

	if (!decoder->has_process)
		return;
	more = keep_alloc(decoder->load, sizeof(*more));
	if (!more)
		return;
	*more = decoder->process;
	unit->more = more;
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
	diag = fault_key(load, node, "E220",
		"only root may raise `%s` above the hard limit that effd has", row->face.name);
	limit_half_add(&text, row, most);
	diag_help(load->diags, diag, "write at most %s", text.bytes ? text.bytes : "that");
	text_done(&text);
}

void terms_check(struct load *load, const struct plan_unit *unit)
{
	enum field_id id;

	if (!unit->more)
		return;
	for (id = FIELD_LIMITS + 1; id <= FIELD_LIMIT_STACK && !may(load, CAP_SYS_RESOURCE); id++)
		limit_check(load, unit, id);
}
