/* SPDX-License-Identifier: MIT */
/* Schedules: the k-th delay is a pure function of the schedule, k and a random number. */
#include <eff/schedule.h>

struct eff_sched eff_spaced(eff_ns delay)
{
	return (struct eff_sched){
		.kind = EFF_SCHED_SPACED,
		.base_ns = delay,
		.factor = 1,
		.cap_ns = EFF_FOREVER,
		.jitter_low = 1,
		.jitter_high = 1,
		.times = -1,
	};
}

struct eff_sched eff_exponential(eff_ns base, double factor)
{
	struct eff_sched s = eff_spaced(base);

	s.kind = EFF_SCHED_EXPONENTIAL;
	s.factor = factor;
	return s;
}

struct eff_sched eff_sched_cap(struct eff_sched s, eff_ns most)
{
	if (most < s.cap_ns)
		s.cap_ns = most;
	/* Put on after a jitter it holds for what the jitter made, too. */
	if (s.jittered && (!s.ceiling_ns || most < s.ceiling_ns))
		s.ceiling_ns = most;
	return s;
}

struct eff_sched eff_sched_jitter(struct eff_sched s, double low, double high)
{
	s.jittered = true;
	s.jitter_low *= low;
	s.jitter_high *= high;
	return s;
}

struct eff_sched eff_sched_times(struct eff_sched s, int64_t times)
{
	s.times = times;
	return s;
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

bool eff_sched_next(const struct eff_sched *s, struct eff_sched_state *state, double random,
	eff_ns *ret_delay_ns)
{
	eff_ns delay = s->base_ns;

	if (s->times >= 0 && state->k >= s->times)
		return false;
	if (s->kind == EFF_SCHED_EXPONENTIAL)
		delay = eff_ns_scale(delay, power(s->factor, state->k));
	if (delay > s->cap_ns)
		delay = s->cap_ns;
	if (s->jittered)
		delay = eff_ns_scale(
			delay, s->jitter_low + (s->jitter_high - s->jitter_low) * random);
	if (s->ceiling_ns && delay > s->ceiling_ns)
		delay = s->ceiling_ns;
	if (state->k < INT64_MAX)
		state->k++;
	*ret_delay_ns = delay;
	return true;
}
