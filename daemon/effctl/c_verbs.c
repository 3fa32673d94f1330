/* SPDX-License-Identifier: MIT */
/* `effctl start`, `stop`, `restart`, `reset` and `signal`: what is to be done, and then what became of it. */
#include <string.h>

#include "base/text.h"
#include "effctl/command.h"
#include "effctl/results.h"

/* `asked` is what is said of one that nobody waits for: its state is still the one before. */
static enum code verb(struct effctl *e, enum method method, const char *asked)
{
	return results_ask(e, method, call_verb(e), e->given[OPTION_NO_WAIT] ? asked : NULL);
}

enum code c_start(struct effctl *e)
{
	return verb(e, METHOD_START, "asked to start");
}

enum code c_stop(struct effctl *e)
{
	return verb(e, METHOD_STOP, "asked to stop");
}

enum code c_restart(struct effctl *e)
{
	return verb(e, METHOD_RESTART, "asked to restart");
}

enum code c_reset(struct effctl *e)
{
	return verb(e, METHOD_RESET, "asked to forget its failures");
}

enum code c_signal(struct effctl *e)
{
	int sig = signal_parse(e->before[0]);
	struct json *parameters;
	char name[16];
	char done[32];

	if (sig <= 0) {
		const char *nearest = signal_nearest(e->before[0]);

		(void)fprintf(e->err, "effctl: no such signal: %s", e->before[0]);
		if (nearest)
			(void)fprintf(e->err, "; did you mean %s?", nearest);
		(void)fputc('\n', e->err);
		return CODE_USAGE;
	}
	(void)snprintf(done, sizeof(done), "sent %s", signal_text(sig, name));
	parameters = call_units(e);
	(void)json_set(parameters, "signal", json_text(e->before[0]));
	return results_ask(e, METHOD_SIGNAL, parameters, done);
}
