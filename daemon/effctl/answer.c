/* SPDX-License-Identifier: MIT */
/* Rows are made while the text is walked through; of a unit that has something to remark, all of it is read. */
#include <errno.h>
#include <string.h>

#include "effctl/answer.h"
#include "effctl/words.h"

/* What a row shows. */
enum shown { NAME, STATE, HEALTH, PID, UPTIME, RESTARTS, NEXT, SAID, CAUSE, LAST, N_SHOWN };

/* N_SHOWN: it is not shown. */
static enum shown shown_by(struct json_piece key)
{
	static const struct json_piece keys[N_SHOWN] = {[NAME] = PIECE("name"),
		[STATE] = PIECE("state"),
		[HEALTH] = PIECE("health"),
		[PID] = PIECE("pid"),
		[UPTIME] = PIECE("uptime_s"),
		[RESTARTS] = PIECE("restarts"),
		[NEXT] = PIECE("next_start_s"),
		[SAID] = PIECE("status_text"),
		[CAUSE] = PIECE("cause"),
		[LAST] = PIECE("last_exit")};
	enum shown i = NAME;

	while (i < N_SHOWN && !piece_is(key, keys[i]))
		i++;
	return i;
}

/* effd tells of every unit in the same order: the n-th key is mostly what it was of the unit before. */
static void look(
	struct answer *answer, struct json_walk *walk, struct json_piece shown[static N_SHOWN])
{
	struct json_piece key;

	if (walk_kind(walk) != '{' || !walk_enter(walk))
		return;
	for (size_t n = 0; walk_next(walk, &key); n++) {
		struct answer_key *known = &answer->keys[n % ANSWER_KEYS];

		if (!piece_is(key, known->key))
			*known = (struct answer_key){key, shown_by(key)};
		if (known->shown < N_SHOWN)
			shown[known->shown] = walk_take(walk);
	}
}

static void add_cell(struct answer *answer, enum paint paint)
{
	grid_add_text(&answer->grid, paint, &answer->cell);
	answer->cell.len = 0;
}

static void add_text(struct answer *answer, struct json_piece piece)
{
	piece_add(&answer->cell, piece);
	if (!answer->cell.len)
		text_add(&answer->cell, "?");
}

static void add_state(struct answer *answer, struct json_piece piece, bool failing)
{
	enum paint paint;

	add_text(answer, piece);
	paint = failing || answer->cell.failed ? BAD : state_paint(answer->cell.bytes);
	text_add(&answer->cell, failing ? " (failing)" : "");
	add_cell(answer, paint);
}

static void add_count(struct answer *answer, struct json_piece piece, double least)
{
	double count = piece_number(piece);

	if (count >= least && count < 1e18)
		add_number(&answer->cell, (uint64_t)count);
	add_cell(answer, PLAIN);
}

/* Most have nothing to say. */
static bool has_remarks(const struct json_piece shown[static N_SHOWN])
{
	bool has = false;

	for (int i = NEXT; i < N_SHOWN; i++)
		has |= !piece_is_null(shown[i]);
	return has;
}

static void add_row(struct answer *answer, const struct json_piece shown[static N_SHOWN])
{
	add_text(answer, shown[NAME]);
	add_cell(answer, PLAIN);
	add_state(answer, shown[STATE], piece_is(shown[HEALTH], PIECE("failing")));
	add_count(answer, shown[PID], 1);
	add_seconds(&answer->cell, piece_number(shown[UPTIME]));
	add_cell(answer, PLAIN);
	add_count(answer, shown[RESTARTS], 0);
	if (has_remarks(shown))
		add_remark(&answer->cell, answer->read);
	add_cell(answer, PLAIN);
}

void answer_init(struct answer *answer, bool judges)
{
	static const char *const titles[] = {"UNIT", "STATE", "PID", "UPTIME", "RESTARTS", "CAUSE"};

	/* Why a unit is as it is says more than how often it was, for how long, and by which process. */
	static const unsigned char spared[] = {4, 3, 2, 0};

	*answer = (struct answer){.judges = judges, .all_well = true};
	grid_init(&answer->grid, 6, titles);
	answer->grid.spared = spared;
}

void answer_done(struct answer *answer)
{
	json_free(answer->read);
	grid_done(&answer->grid);
	text_done(&answer->cell);
}

bool status_is_well(const struct json *status)
{
	const char *state = json_get_text(status, "state", "");

	if (!strcmp(state, "waiting"))
		return json_get_number(status, "next_start_s", -1) >= 0 ||
			json_get_bool(json_first(json_get(status, "sockets")), "activates", false);
	return !strcmp(state, "up") || !strcmp(state, "done");
}

/* All that stands in the text of a unit; NULL: it is not needed, or no memory. */
static struct json *read_all(struct answer *answer, struct json_piece unit, bool is_needed)
{
	struct json *all = is_needed ? piece_read(unit) : NULL;

	answer->grid.failed |= is_needed && !all;
	return all;
}

static void read_unit(struct json_walk *walk, struct answer *answer)
{
	struct json_piece shown[N_SHOWN] = {{0}}, unit;
	size_t at = walk_at(walk);
	bool judges = answer->judges && answer->all_well;

	look(answer, walk, shown);
	unit = walk_since(walk, at);
	if (!unit.len)
		return;
	json_free(answer->read);
	answer->read = read_all(answer, unit, judges || has_remarks(shown));
	answer->n_units++;
	add_row(answer, shown);
	if (judges)
		answer->all_well = answer->read && status_is_well(answer->read);
}

static void read_parameters(struct json_walk *walk, struct answer *answer)
{
	struct json_piece key, unused;

	if (!walk_enter(walk))
		return;
	while (walk_next(walk, &key)) {
		if (!piece_is(key, PIECE("units")) || walk_kind(walk) != '[' || !walk_enter(walk))
			continue;
		while (walk_next(walk, &unused))
			read_unit(walk, answer);
	}
}

int answer_read(struct answer *answer, const char *text, size_t len)
{
	struct json_walk walk;
	struct json_piece key;
	bool refused = false;

	walk_begin(&walk, text, len);
	if (walk_kind(&walk) != '{' || !walk_enter(&walk))
		return -EBADMSG;
	while (walk_next(&walk, &key)) {
		if (piece_is(key, PIECE("parameters")))
			read_parameters(&walk, answer);
		else if (piece_is(key, PIECE("error")))
			refused = walk_kind(&walk) == '"';
	}
	return refused ? -EBADMSG : walk_end(&walk);
}
