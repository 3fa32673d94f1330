/* SPDX-License-Identifier: MIT */
/* effd's command line, and where things are when it does not say. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "effd/effd.h"
#include "wire/varlink.h"

static const char usage[] =
	"usage: effd [-c FILE|DIR] [--socket PATH] [--log-level LEVEL] [--check]\n"
	"       effd [OPTIONS] -- COMMAND ARGS...\n"
	"\n"
	"Keep the units of a tree running, in the foreground.\n"
	"\n"
	"  -c, --config FILE|DIR  the tree (default: /etc/effd/effd.yaml, as a user\n"
	"                         $XDG_CONFIG_HOME/effd/effd.yaml)\n"
	"      --socket PATH      the control socket (default: $EFFD_SOCKET, the tree's\n"
	"                         daemon.socket, /run/effd/control.sock, as a user\n"
	"                         $XDG_RUNTIME_DIR/effd/control.sock)\n"
	"      --log-level LEVEL  error, warn, info or debug\n"
	"      --check            report every error of the tree, and end\n"
	"      --version          say which effd this is, and end\n"
	"      --help             say this, and end\n"
	"  -- COMMAND ARGS...     a tree of this one unit, without restarts; effd ends as it does\n"
	"\n"
	"Signals: TERM and INT stop the tree, a second INT kills it, HUP reloads it.\n"
	"Exit codes: 0 done or stopped as asked, 1 the tree failed, 2 usage, 75 another effd has\n"
	"the socket, 78 a bad tree.\n";

enum { OPTION_SOCKET = 256, OPTION_LOG_LEVEL, OPTION_CHECK, OPTION_VERSION, OPTION_HELP };

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"socket", required_argument, NULL, OPTION_SOCKET},
	{"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"version", no_argument, NULL, OPTION_VERSION},
	{"help", no_argument, NULL, OPTION_HELP},
	{NULL, 0, NULL, 0},
};

/* "cwd/path"; what is absolute stays. malloc'd; NULL: out of memory, or no such folder any more. */
static char *absolute(const char *path)
{
	auto_free char *cwd = NULL;
	char *joined = NULL;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&joined, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path) < 0)
		return NULL;
	return joined;
}

static char *join(const char *folder, const char *rest)
{
	char *joined = NULL;

	return asprintf(&joined, "%s/%s", folder, rest) < 0 ? NULL : joined;
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* A user's folder: of the variable, or below HOME. NULL: neither. */
static char *user_folder(const char *variable, const char *below_home, const char *rest)
{
	const char *folder = environment(variable), *home = environment("HOME");
	auto_free char *base = NULL;

	/* The specification says that relative ones are to be ignored. */
	if (folder && *folder == '/')
		return join(folder, rest);
	if (!home || !below_home)
		return NULL;
	base = join(home, below_home);
	return base ? join(base, rest) : NULL;
}

static char *default_tree(void)
{
	if (geteuid() == 0)
		return strdup("/etc/effd/effd.yaml");
	return user_folder("XDG_CONFIG_HOME", ".config", "effd/effd.yaml");
}

char *options_default_socket(void)
{
	if (geteuid() == 0)
		return strdup("/run/effd/control.sock");
	return user_folder("XDG_RUNTIME_DIR", NULL, "effd/control.sock");
}

char *options_socket(const struct options *options, const struct plan_daemon *daemon, FILE *err)
{
	const char *given = options->socket;
	char *path;

	if (!given)
		given = environment("EFFD_SOCKET");
	if (!given)
		given = daemon->socket;
	path = given ? absolute(given) : options_default_socket();
	if (!path)
		(void)fprintf(err,
			"effd: no place for the control socket: set XDG_RUNTIME_DIR, or give --socket PATH\n");
	return path;
}

char *options_log_dir(const struct plan_daemon *daemon)
{
	const char *logs = environment("LOGS_DIRECTORY");
	char *folder;

	if (daemon->log_dir)
		return strdup(daemon->log_dir);
	/* systemd may give several, separated by colons. */
	if (logs)
		return strndup(logs, strcspn(logs, ":"));
	folder = geteuid() == 0 ? strdup("/var/log/effd")
				: user_folder("XDG_STATE_HOME", ".local/state", "effd/log");
	return folder ? folder : strdup("/tmp");
}

static int complain(FILE *err, const char *words, const char *what)
{
	(void)fprintf(err, "effd: %s%s; effd --help says more\n", words, what);
	return -EINVAL;
}

/* One option. Returns 0, 1 when all has been said, -EINVAL. */
static int option_take(int option, const char **ret_tree, struct options *o, FILE *out, FILE *err)
{
	switch (option) {
	case 'c':
		*ret_tree = optarg;
		return 0;
	case OPTION_SOCKET:
		o->socket = optarg;
		return *optarg ? 0 : complain(err, "--socket needs a path", "");
	case OPTION_LOG_LEVEL:
		o->log_level = optarg;
		if (log_level_parse(optarg) < 0)
			return complain(
				err, "no such log level (error, warn, info, debug): ", optarg);
		return 0;
	case OPTION_CHECK:
		o->check = true;
		return 0;
	case OPTION_VERSION:
		(void)fprintf(out, "effd %s\n", EFFD_VERSION);
		return 1;
	case OPTION_HELP:
		(void)fputs(usage, out);
		return 1;
	case ':':
		return complain(err, "an argument is missing after ",
			optopt == 'c' ? "-c" : "an option");
	default:
		return complain(err, "no such option", "");
	}
}

static int options_finish(const char *tree, struct options *o, FILE *err)
{
	if (tree && o->command)
		return complain(err, "-c and a command exclude each other", "");
	if (o->command)
		return 0;
	o->tree = tree ? absolute(tree) : default_tree();
	return o->tree ? 0 : complain(err, "no tree: set HOME, or give -c FILE", "");
}

int options_parse(int argc, char **argv, struct options *ret, FILE *out, FILE *err)
{
	struct options o = {0};
	const char *tree = NULL;
	int option, r = 0;

	opterr = 0;
	optind = 0;
	/* The plus: what stands behind the first word that is no option is not ours to read. */
	while (r == 0 && (option = getopt_long(argc, argv, "+:c:", long_options, NULL)) != -1)
		r = option_take(option, &tree, &o, out, err);
	if (r != 0)
		return r;
	if (optind < argc) {
		if (strcmp(argv[optind - 1], "--") != 0)
			return complain(err, "a command stands behind --: ", argv[optind]);
		o.command = (plan_strv)(argv + optind);
	} else if (optind > 1 && strcmp(argv[optind - 1], "--") == 0) {
		return complain(err, "there is no command behind --", "");
	}
	r = options_finish(tree, &o, err);
	if (r == 0)
		*ret = o;
	return r;
}

void options_done(struct options *options)
{
	free(options->tree);
	*options = (struct options){0};
}
