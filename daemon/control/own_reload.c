/* SPDX-License-Identifier: MIT */
/* Reload with units: the own reload of each, which is its signal or its command. All begin at once, and each is awaited. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "control/errand.h"
#include "control/methods.h"

struct own_reload {
	struct errand errand;
	struct unit *unit; /* held until it has been carried out; NULL: it never began, or is over */
	char *name;
	char *words; /* how it failed; NULL */
	int signal;  /* it was sent that one, and nobody knows what came of it; 0 */
};

static void own_let_go(struct own_reload *own)
{
	struct unit *u = own->unit;

	own->unit = NULL;
	if (!u)
		return;
	u->n_users--;
	eff_pulse_send(&u->changed);
}

static void own_free(struct errand *errand)
{
	struct own_reload *own = eff_container(errand, struct own_reload, errand);

	own_let_go(own);
	free(own->name);
	free(own->words);
	free(own);
}

static int own_run(struct errand *errand)
{
	struct own_reload *own = eff_container(errand, struct own_reload, errand);
	const struct plan_ways *ways = own->unit->spec->ways;
	int signal = ways->reload_command ? 0 : ways->reload_signal;
	int r = unit_reload(own->unit, &own->words);

	own->signal = r == 0 ? signal : 0;
	own_let_go(own);
	return r;
}

static struct own_reload *own_new(struct request *req, const char *name)
{
	struct own_reload *own = alloc_new(sizeof(*own));

	if (!own)
		return NULL;
	errand_init(&own->errand, req->control, own_run, own_free);
	own->name = strdup(name);
	if (own->name)
		return own;
	errand_unref(&own->errand);
	return NULL;
}

/* NULL: out of memory. */
static struct own_reload *own_begin(struct request *req, struct unit *u)
{
	struct own_reload *own = own_new(req, u->name);
	int r;

	request_log(req, "reload", u->name);
	if (!own)
		return NULL;
	r = unit_may_reload(u);
	if (r == 0)
		r = errand_begin(&own->errand);
	if (r == 0) {
		own->unit = u;
		u->n_users++;
	}
	own->errand.result = r;
	return own;
}

static const char *own_words(int r)
{
	switch (r) {
	case -EOPNOTSUPP:
		return "it has no `reload`";
	case -ESRCH:
		return "nothing of it runs";
	case -ECHILD:
		return "its reload command cannot be executed";
	case -EIO:
		return "its reload command failed";
	case -ETIME:
		return "it has not said in time that it has reloaded";
	case -EINTR:
		return "it has ended meanwhile";
	default:
		return strerror(-r);
	}
}

static const char *own_outcome(int r)
{
	switch (r) {
	case 0:
		return "done";
	case -ETIMEDOUT:
		return "timeout";
	case -EOPNOTSUPP:
	case -ESRCH:
		return "refused";
	default:
		return "failed";
	}
}

static struct json *own_result(struct tree *t, const struct own_reload *own, int r)
{
	const struct unit *u = tree_find(t, own->name);
	struct cause *why = NULL;
	struct json *result;
	char buf[16];

	if (r < 0 && r != -ETIMEDOUT)
		why = cause_new(CAUSE_HOOK, eff_wall(), NULL, "%s%s%s", own_words(r),
			own->words ? ": " : "", own->words ? own->words : "");
	result = u ? json_result(u, own_outcome(r), why)
		   : json_result_gone(own->name, own_outcome(r), why);
	if (own->signal)
		(void)json_set(result, "signal", json_text(signal_text(own->signal, buf)));
	cause_unref(why);
	return result;
}

/* Suspends. What became of them, in the order asked for; NULL: nobody is there to be answered. */
static struct json *owns_await(struct request *req, struct own_reload **owns, uint32_t n, eff_ns until)
{
	bool wait = json_get_bool(req->parameters, "wait", true);
	struct json *results = json_array();

	for (uint32_t i = 0; i < n; i++) {
		int r = owns[i]->errand.result;

		if (wait && owns[i]->unit)
			r = errand_await(&owns[i]->errand, until);
		if (r == -ECANCELED && eff_check() < 0) {
			json_free(results);
			return NULL;
		}
		(void)json_add(results, own_result(req->tree, owns[i], r));
	}
	return results;
}

static void owns_answer(struct request *req, struct own_reload **owns, uint32_t n, eff_ns until)
{
	struct json *results = owns_await(req, owns, n, until);
	struct json *parameters;

	if (!results)
		return;
	parameters = json_object();
	(void)json_set(parameters, "units", results);
	request_reply(req, parameters);
}

void own_reloads(struct request *req, const struct json *names, eff_ns until)
{
	struct own_reload **owns;
	struct selection s;
	uint32_t n = 0;

	if (select_units(req, names, false, &s) < 0)
		return;
	owns = alloc_new((s.n ? s.n : 1) * sizeof(*owns));
	for (; owns && n < s.n; n++) {
		owns[n] = own_begin(req, req->tree->units[s.index[n]]);
		if (!owns[n])
			break;
	}
	if (owns && n == s.n)
		owns_answer(req, owns, n, until);
	else
		request_fail(req, ERROR_FAILED, "out of memory");
	for (uint32_t i = 0; i < n; i++)
		errand_unref(&owns[i]->errand);
	free(owns);
	selection_done(&s);
}
