/* SPDX-License-Identifier: MIT */
/* Schedules: a tree of values, and a state in which each has its parts.
 *
 * A schedule is an origin (a pace, or two others) and its modifiers. Its parts lie in the state one after the other: those
 * of the two it is made of, then its own, one more for each reset among its modifiers. A part has the delays given since it
 * began and when that was; what is put on before a reset looks at an earlier part than what is put on after it, so a reset
 * is a matter of beginning the parts before it anew. */
#include <assert.h>
#include <stddef.h>

#include <eff/schedule.h>

enum { SPACED, FIXED, WINDOWED, EXPONENTIAL, LINEAR, FIBONACCI, AND, OR, THEN };
enum { CAP, JITTER, TIMES, UPTO, RESET, WHILE };

_Static_assert(sizeof(struct eff_sched) <= 64, "a schedule is passed by value");

/* ── putting together ── */

static struct eff_sched pace_of(uint8_t kind, eff_ns base, double factor)
{
	return (struct eff_sched){
		.kind = kind,
		.n_parts = 1,
		.of.pace = {.base_ns = base > 0 ? base : 0, .factor = factor},
	};
}

struct eff_sched eff_spaced(eff_ns delay)
{
	return pace_of(SPACED, delay, 1);
}

struct eff_sched eff_recurs(int64_t times)
{
	return eff_sched_times(eff_spaced(0), times);
}

struct eff_sched eff_fixed(eff_ns interval)
{
	return pace_of(FIXED, interval, 1);
}

struct eff_sched eff_windowed(eff_ns length)
{
	return pace_of(WINDOWED, length, 1);
}

struct eff_sched eff_exponential(eff_ns base, double factor)
{
	return pace_of(EXPONENTIAL, base, factor);
}

struct eff_sched eff_linear(eff_ns base)
{
	return pace_of(LINEAR, base, 1);
}

struct eff_sched eff_fibonacci(eff_ns base)
{
	return pace_of(FIBONACCI, base, 1);
}

/* Make room for one more modifier; its operand is the caller's to write. */
static unsigned put_on(struct eff_sched *s, uint8_t mod)
{
	assert(s->n_mods < EFF_SCHED_MODS && "more than EFF_SCHED_MODS modifiers on a schedule");
	s->mods[s->n_mods] = mod;
	return s->n_mods++;
}

struct eff_sched eff_sched_cap(struct eff_sched s, eff_ns most)
{
	s.with[put_on(&s, CAP)].ns = most > 0 ? most : 0;
	return s;
}

/* A double does not fit; decimal fractions stay exact. */
static uint32_t to_millionths(double factor)
{
	if (!(factor > 0))
		return 0;
	return factor < 4294 ? (uint32_t)(factor * 1e6 + 0.5) : 4294000000u;
}

struct eff_sched eff_sched_jitter(struct eff_sched s, double low, double high)
{
	unsigned i = put_on(&s, JITTER);

	s.with[i].millionths[0] = to_millionths(low);
	s.with[i].millionths[1] = to_millionths(high);
	return s;
}

struct eff_sched eff_sched_times(struct eff_sched s, int64_t times)
{
	s.with[put_on(&s, TIMES)].times = times;
	return s;
}

struct eff_sched eff_sched_upto(struct eff_sched s, eff_ns duration)
{
	s.with[put_on(&s, UPTO)].ns = duration;
	return s;
}

static uint8_t parts_of(unsigned n_parts)
{
	assert(n_parts <= EFF_SCHED_PARTS && "a schedule of more than EFF_SCHED_PARTS parts");
	return (uint8_t)n_parts;
}

struct eff_sched eff_sched_reset_after(struct eff_sched s, eff_ns duration)
{
	s.with[put_on(&s, RESET)].ns = duration;
	s.n_parts = parts_of(s.n_parts + 1u);
	return s;
}

struct eff_sched eff_sched_while(struct eff_sched s, bool (*wants)(const struct eff_exit *last))
{
	s.with[put_on(&s, WHILE)].wants = wants;
	return s;
}

static struct eff_sched pair_of(uint8_t kind, const struct eff_sched *a, const struct eff_sched *b)
{
	return (struct eff_sched){
		.kind = kind,
		.n_parts = parts_of(a->n_parts + b->n_parts + 1u),
		.of.both = {a, b},
	};
}

struct eff_sched eff_sched_and(const struct eff_sched *a, const struct eff_sched *b)
{
	return pair_of(AND, a, b);
}

struct eff_sched eff_sched_or(const struct eff_sched *a, const struct eff_sched *b)
{
	return pair_of(OR, a, b);
}

struct eff_sched eff_sched_then(const struct eff_sched *a, const struct eff_sched *b)
{
	return pair_of(THEN, a, b);
}

/* ── delays ── */

/* 0 when it has not passed, or has not begun. */
static eff_ns elapsed(eff_ns since, eff_ns now)
{
	eff_ns duration;

	if (now <= since)
		return 0;
	return __builtin_sub_overflow(now, since, &duration) ? EFF_FOREVER : duration;
}

static eff_ns times(eff_ns base, int64_t n)
{
	eff_ns product;

	return __builtin_mul_overflow(base, n, &product) ? EFF_FOREVER : product;
}

/* factor^k by squaring: k may be as large as a day of crashes makes it. */
static double power(double factor, int64_t k)
{
	double result = 1;

	for (; k > 0; k >>= 1) {
		if (k & 1)
			result *= factor;
		factor *= factor;
	}
	return result;
}

/* The 92nd number is the last that fits. */
static int64_t fibonacci(int64_t k)
{
	int64_t a = 1;
	int64_t b = 1;

	for (; k > 0 && a != EFF_FOREVER; k--) {
		int64_t sum = eff_ns_add(a, b);

		a = b;
		b = sum;
	}
	return a;
}

/* To the first point of the grid after the last run began. */
static eff_ns until_grid(eff_ns interval, eff_ns since, eff_ns ran_at, eff_ns now)
{
	eff_ns point;

	if (!interval)
		return 0;
	point = eff_ns_add(
		since, times(interval, eff_ns_add(elapsed(since, ran_at) / interval, 1)));
	return point == EFF_FOREVER ? EFF_FOREVER : elapsed(now, point);
}

static eff_ns jittered(eff_ns delay, const uint32_t millionths[2], double random)
{
	double low = (double)millionths[0] / 1e6;
	double high = (double)millionths[1] / 1e6;

	return delay == EFF_FOREVER ? delay : eff_ns_scale(delay, low + (high - low) * random);
}

/* ── a step ── */

struct step {
	const struct eff_sched_in *in;
	struct eff_sched_state *state;
};

static void begin_parts(struct eff_sched_state *state, unsigned first, unsigned n, eff_ns now)
{
	for (unsigned p = first; p < first + n; p++) {
		state->parts[p].given = 0;
		state->parts[p].since = now;
		state->over &= ~(1u << p);
	}
}

/* The first of its own parts, `first` being the first of all of them. Whether it is over is marked there. */
static unsigned own_part(const struct eff_sched *s, unsigned first)
{
	unsigned own = first;

	if (s->kind >= AND)
		own += s->of.both[0]->n_parts + s->of.both[1]->n_parts;
	assert(own < first + s->n_parts && "a schedule that is part of itself, or has been changed");
	return own;
}

/* The outermost reset that is due covers all that is put on before it. */
static void reset(const struct eff_sched *s, unsigned first, const struct step *step)
{
	eff_ns lasted = elapsed(step->state->ran_at, step->in->now);
	unsigned n = s->n_parts;

	for (unsigned i = s->n_mods; i-- > 0;) {
		if (s->mods[i] != RESET)
			continue;
		n--;
		if (s->with[i].ns == EFF_FOREVER || lasted < s->with[i].ns)
			continue;
		begin_parts(step->state, first, n, step->in->now);
		return;
	}
}

static eff_ns pace_next(const struct eff_sched *s, unsigned part, const struct step *step)
{
	eff_ns base = s->of.pace.base_ns;
	eff_ns since = step->state->parts[part].since;
	int64_t k = step->state->parts[part].given;
	eff_ns now = step->in->now;

	switch (s->kind) {
	case FIXED:
		return until_grid(base, since, step->state->ran_at, now);
	case WINDOWED:
		return until_grid(base, since, now, now);
	case EXPONENTIAL:
		return base == EFF_FOREVER ? base
					   : eff_ns_scale(base, power(s->of.pace.factor, k));
	case LINEAR:
		return times(base, k < INT64_MAX ? k + 1 : k);
	case FIBONACCI:
		return base ? times(base, fibonacci(k)) : 0;
	default:
		return base;
	}
}

/* False: a modifier ends it. */
static bool modify(const struct eff_sched *s, unsigned part, const struct step *step, eff_ns *delay)
{
	const struct eff_sched_in *in = step->in;
	bool more = true;

	for (unsigned i = 0; more && i < s->n_mods; i++) {
		switch (s->mods[i]) {
		case CAP:
			if (*delay > s->with[i].ns)
				*delay = s->with[i].ns;
			break;
		case JITTER:
			*delay = jittered(*delay, s->with[i].millionths, in->random);
			break;
		case TIMES:
			more = step->state->parts[part].given < s->with[i].times;
			break;
		case UPTO:
			more = s->with[i].ns == EFF_FOREVER ||
				elapsed(step->state->parts[part].since, in->now) < s->with[i].ns;
			break;
		case RESET:
			part++;
			break;
		default:
			more = !in->last || s->with[i].wants(in->last);
		}
	}
	return more;
}

static bool part_next(
	const struct eff_sched *s, unsigned first, const struct step *step, eff_ns *ret_delay);

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than EFF_SCHED_PARTS. */
static bool pair_next(
	const struct eff_sched *s, unsigned first, const struct step *step, eff_ns *ret_delay)
{
	const struct eff_sched *a = s->of.both[0];
	const struct eff_sched *b = s->of.both[1];
	unsigned first_b = first + a->n_parts;
	bool was_over = step->state->over >> own_part(a, first) & 1;
	eff_ns delay_a = 0;
	eff_ns delay_b = 0;
	bool more_a = part_next(a, first, step, &delay_a);
	bool more_b;

	if (s->kind == THEN && more_a) {
		*ret_delay = delay_a;
		return true;
	}
	if (s->kind == THEN && !was_over)
		begin_parts(step->state, first_b, b->n_parts, step->in->now);
	more_b = part_next(b, first_b, step, &delay_b);
	if (more_a && more_b)
		*ret_delay = (delay_a > delay_b) == (s->kind == AND) ? delay_a : delay_b;
	else
		*ret_delay = more_a ? delay_a : delay_b;
	return s->kind == AND ? more_a && more_b : more_a || more_b;
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than EFF_SCHED_PARTS. */
static bool part_next(
	const struct eff_sched *s, unsigned first, const struct step *step, eff_ns *ret_delay)
{
	struct eff_sched_state *state = step->state;
	unsigned own = own_part(s, first);
	bool more = true;

	if (state->over >> own & 1)
		return false;
	reset(s, first, step);
	if (s->kind < AND)
		*ret_delay = pace_next(s, own, step);
	else
		more = pair_next(s, first, step, ret_delay);
	if (!more || !modify(s, own, step, ret_delay)) {
		state->over |= 1u << own;
		return false;
	}
	for (unsigned p = own; p < first + s->n_parts; p++)
		if (state->parts[p].given < INT64_MAX)
			state->parts[p].given++;
	return true;
}

void eff_sched_begin(struct eff_sched_state *state, eff_ns now)
{
	*state = (struct eff_sched_state){.ran_at = now, .begun = true};
	begin_parts(state, 0, EFF_SCHED_PARTS, now);
}

bool eff_sched_next(const struct eff_sched *s, struct eff_sched_state *state,
	const struct eff_sched_in *in, eff_ns *ret_delay_ns)
{
	const struct step step = {.in = in, .state = state};
	eff_ns delay = 0;

	if (!state->begun)
		eff_sched_begin(state, in->now);
	if (!part_next(s, 0, &step, &delay))
		return false;
	if (state->given < INT64_MAX)
		state->given++;
	state->ran_at = eff_ns_add(in->now, delay);
	*ret_delay_ns = delay;
	return true;
}
