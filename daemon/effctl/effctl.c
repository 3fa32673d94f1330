/* SPDX-License-Identifier: MIT */
/* One run: read the arguments, see where the output goes, call the command, see that all of it could be written. */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "effctl/command.h"
#include "effctl/words.h"
#include "wire/address.h"
#include "wire/varlink.h"

static void look_at_output(struct effctl *e)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	struct winsize size;
	int fd = fileno(e->out);

	if (fd < 0 || !isatty(fd))
		return;
	e->terminal = true;
	e->dumb = !terminal || !*terminal || strcmp(terminal, "dumb") == 0;
	e->colour = !(no_colour && *no_colour) && !e->dumb;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		e->width = size.ws_col;
}

void learn_locale(struct effctl *e)
{
	/* Numbers stay as they are. */
	(void)setlocale(LC_CTYPE, "");
	e->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static enum code run_command(struct effctl *e)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	enum code code;
	int r = 0;

	if (e->given[OPTION_SOCKET])
		e->socket = e->value[OPTION_SOCKET];
	else if ((r = address_default(path)) == 0)
		e->socket = path;
	if (!e->socket) {
		(void)fprintf(e->err, "effctl: %s\n",
			r == -ENOENT ? "no folder for the socket is yours alone: give --socket PATH"
				     : "the path of the socket is too long");
		return CODE_USAGE;
	}
	link_init(&e->link);
	code = e->command->run(e);
	link_close(&e->link);
	e->socket = NULL;
	return code;
}

static enum code run(struct effctl *e, int argc, char **argv)
{
	int r = options_read(e, argc, argv);

	if (r == -ENOMEM)
		return out_of_memory(e);
	if (r < 0)
		return CODE_USAGE;
	if (e->given[OPTION_HELP]) {
		help_print(e->out, e->command);
		return CODE_DONE;
	}
	if (e->given[OPTION_VERSION]) {
		(void)fprintf(e->out, "effctl %s\n", EFFD_VERSION);
		return CODE_DONE;
	}
	if (!e->command) {
		help_print(e->err, NULL);
		return CODE_USAGE;
	}
	return run_command(e);
}

int effctl_run(int argc, char **argv, FILE *out, FILE *err)
{
	struct effctl e = {.out = out, .err = err};
	enum code code;

	look_at_output(&e);
	code = run(&e, argc, argv);
	free(e.words);
	if (fflush(out) != EOF && !ferror(out))
		return (int)code;
	(void)fprintf(err, "effctl: cannot write: %s\n", strerror(errno));
	return code == CODE_DONE ? CODE_FAILED : (int)code;
}
