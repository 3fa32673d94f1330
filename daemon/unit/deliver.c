/* SPDX-License-Identifier: MIT */
/* Lines that wait for effd's stdout, for syslog or for the journal to take them. Who takes no more makes the unit wait, as it
 * would without effd, or costs lines, by its on_block; who is not there costs lines too. They are counted and told. */
#include <errno.h>
#include <string.h>

#include "unit/internal.h"

/* So many records in one turn of the loop. */
enum { RECORDS_MOST = 256 };
/* So much waits at most where a unit must not. */
enum { WAITING_MOST = 256 << 10 };

#define PAUSE_LEAST EFF_US(100)
#define PAUSE_MOST EFF_MS(50)

static const char *target_name(const struct sink *k)
{
	switch (sink_target(k)->kind) {
	case PLAN_LOG_INHERIT:
		return "to effd's stdout";
	case PLAN_LOG_SYSLOG:
		return "to syslog";
	case PLAN_LOG_JOURNAL:
		return "to the journal";
	default:
		return "the log";
	}
}

/* What is no error of the target's has no words of the system's that say what it was. */
static const char *loss_words(int error)
{
	switch (error) {
	case EAGAIN:
		return "it takes less than there is";
	case ECANCELED:
		return "it has not taken it in time";
	default:
		return strerror(error);
	}
}

void sink_lose(struct sink *k, size_t bytes, int error)
{
	losses_add(&k->losses, k->unit, bytes,
		&(struct loss){.where = k->file ? logfile_path(k->file) : target_name(k),
			.why = loss_words(error)});
}

/* What waits has these bytes no more. */
static void out_cut(struct sink *k, size_t from, size_t to)
{
	memmove(k->out.bytes + from, k->out.bytes + to, k->out.len - to);
	k->out.len -= to - from;
}

/* A record in `out` is the digit of its priority, the text, and a newline. */
static int send_one(struct sink *k, const char *at, size_t len)
{
	struct unit *u = k->unit;
	struct os_record record = {
		.to_journal = sink_target(k)->kind == PLAN_LOG_JOURNAL,
		.stream = k->stream,
		.unit = u->name,
		.pid = k->pid,
		.priority = at[0] - '0',
		.text = at + 1,
		.len = len - 2,
	};
	int r = u->world->os->ops->send_record(u->world->os, &record);

	if (r != -EMSGSIZE)
		return r;
	sink_lose(k, record.len, EMSGSIZE);
	return 0;
}

static int send_some(struct sink *k)
{
	size_t sent = 0;
	int r = 0;

	for (int i = 0; i < RECORDS_MOST && sent < k->out.len && r == 0; i++) {
		const char *at = k->out.bytes + sent;
		const char *end = memchr(at, '\n', k->out.len - sent);
		size_t len = end ? (size_t)(end + 1 - at) : k->out.len - sent;

		r = send_one(k, at, len);
		if (r == 0)
			sent += len;
	}
	out_cut(k, 0, sent);
	return r;
}

int sink_try(struct sink *k)
{
	struct os *os = k->unit->world->os;
	int r;

	switch (sink_target(k)->kind) {
	case PLAN_LOG_FILE:
		r = sink_file_take(k, k->out.bytes, k->out.len);
		break;
	case PLAN_LOG_INHERIT:
		r = os->ops->write_stdout(os, k->out.bytes, k->out.len);
		break;
	default:
		return send_some(k);
	}
	if (r == 0)
		k->out.len = 0;
	return r;
}

/* Wait before the next try: for a file, till it has room; else the shortest pause after one that has got somewhere, for a
 * queue may be short, and its reader quick. Suspends. */
static int sink_wait(const struct sink *k, bool got_somewhere, eff_ns *pause)
{
	if (k->file)
		return logfile_await_room(k->file);
	*pause = got_somewhere ? PAUSE_LEAST : *pause * 2;
	if (*pause > PAUSE_MOST)
		*pause = PAUSE_MOST;
	return eff_sleep(*pause);
}

/* Where the first line ends that ends in `bytes` from `at` on; `none`: no line does. */
static size_t line_end(const struct text *bytes, size_t at, size_t none)
{
	const char *end = at < bytes->len ? memchr(bytes->bytes + at, '\n', bytes->len - at) : NULL;

	return end ? (size_t)(end + 1 - bytes->bytes) : none;
}

/* Up to a bound whole lines wait, the oldest or the newest of them; one that its file has the beginning of is the oldest, and stays.
 * Of one that was begun, what is still to come goes the way of its beginning. */
static void sink_bound(struct sink *k, enum plan_on_block on_block)
{
	struct text *out = &k->out;
	size_t over = out->len > WAITING_MOST ? out->len - WAITING_MOST : 0;
	size_t from = 0, to = out->len;
	const char *end;

	if (!over)
		return;
	if (on_block == PLAN_DROP_NEW) {
		end = memrchr(out->bytes, '\n', WAITING_MOST);
		from = end ? (size_t)(end + 1 - out->bytes) : 0;
	} else {
		if (k->file && k->file_mid_line)
			from = line_end(out, 0, 0);
		from = from < WAITING_MOST ? from : 0;
		to = line_end(out, from + over - 1, out->len);
	}
	k->skips = k->file && !k->by_line && to == out->len && out->bytes[to - 1] != '\n';
	out_cut(k, from, to);
	sink_lose(k, to - from, EAGAIN);
}

size_t sink_skip(struct sink *k, const char *bytes, size_t len)
{
	const char *end = k->skips ? memchr(bytes, '\n', len) : NULL;
	size_t skipped = end ? (size_t)(end + 1 - bytes) : k->skips ? len : 0;

	k->skips &= !end;
	if (skipped > 0)
		sink_lose(k, skipped, EAGAIN);
	return skipped;
}

int sink_flush(struct sink *k, bool to_the_end)
{
	eff_ns pause = PAUSE_LEAST;
	int r = 0;

	while (r == 0 && k->out.len > 0) {
		enum plan_on_block on_block = k->unit->spec->ways->on_block;
		size_t before = k->out.len;

		r = sink_try(k);
		if (r == -EAGAIN && on_block != PLAN_BLOCK && !to_the_end) {
			sink_bound(k, on_block);
			return 0;
		}
		if (r == -EAGAIN)
			r = sink_wait(k, k->out.len < before, &pause);
		else if (r == 0 && k->out.len > 0)
			r = eff_await_turn();
	}
	if (r < 0)
		sink_lose(k, k->out.len, -r);
	k->out.len = 0;
	if (r == 0 && k->file && to_the_end)
		r = logfile_await(k->file);
	else if (r == 0 && k->file && k->unit->spec->ways->on_block == PLAN_BLOCK)
		r = logfile_await_room(k->file);
	return r == -ECANCELED ? r : 0;
}

bool sink_hand_over(struct sink *k, bool to_the_end)
{
	if (k->out.len > 0 && (sink_try(k) < 0 || k->out.len > 0))
		return false;
	if (!k->file)
		return true;
	return to_the_end ? logfile_is_settled(k->file) : !logfile_is_full(k->file);
}

void sink_give_up(struct sink *k)
{
	if (k->out.len > 0)
		sink_lose(k, k->out.len, ECANCELED);
	k->out.len = 0;
}
