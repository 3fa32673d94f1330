/* SPDX-License-Identifier: MIT */
/* effd's command line, and where things are when it does not say. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/trust.h"
#include "effd/effd.h"
#include "wire/address.h"
#include "wire/varlink.h"

static const char usage_head[] = "usage: effd [-c FILE|DIR] [--socket PATH] [--log-level LEVEL] [--check]\n"
				 "       effd [OPTIONS] -- COMMAND ARGS...\n"
				 "\n"
				 "Keep the units of a tree running, in the foreground.\n"
				 "\n";
static const char usage_tail[] =
	"  -- COMMAND ARGS...     a tree of this one unit, without restarts; effd ends as it does\n"
	"\n"
	"The tree is /etc/effd/effd.yaml by default, as a user $XDG_CONFIG_HOME/effd/effd.yaml. The\n"
	"socket is $EFFD_SOCKET, the tree's daemon.socket, or /run/effd/control.sock, as a user\n"
	"$XDG_RUNTIME_DIR/effd/control.sock.\n"
	"Signals: TERM and INT stop the tree, a second INT kills it, HUP reloads it.\n"
	"Exit codes: 0 done or stopped as asked, 1 the tree failed, 2 usage, 75 another effd has\n"
	"the socket, 78 a bad tree.\n";

/* What getopt_long(3) returns for each: beyond all letters. */
enum {
	OPTION_FIRST = 255,
#define OPTION(symbol, letter, name, argument, help) OPTION_##symbol,
#include "effd/options.def"
#undef OPTION
};

static const struct {
	char letter;
	const char *name, *argument, *help;
} rows[] = {
#define OPTION(symbol, letter, name, argument, help) {letter, name, argument, help},
#include "effd/options.def"
#undef OPTION
};

static const struct option long_options[] = {
#define OPTION(symbol, letter, name, argument, help) \
	{name, (argument) ? required_argument : no_argument, NULL, OPTION_##symbol},
#include "effd/options.def"
#undef OPTION
	{NULL, 0, NULL, 0},
};

enum { N_ROWS = sizeof(rows) / sizeof(*rows) };

static void help_print(FILE *out)
{
	(void)fputs(usage_head, out);
	for (int i = 0; i < N_ROWS; i++) {
		char left[64];

		(void)snprintf(left, sizeof(left), "%c%c%c --%s%s%s",
			rows[i].letter ? '-' : ' ', rows[i].letter ? rows[i].letter : ' ',
			rows[i].letter ? ',' : ' ', rows[i].name, rows[i].argument ? " " : "",
			rows[i].argument ? rows[i].argument : "");
		(void)fprintf(out, "  %-22s %s\n", left, rows[i].help);
	}
	(void)fputs(usage_tail, out);
}

/* As getopt_long(3) wants the letters. The plus: what stands behind the first word that is no option is not ours to read. */
static void letters_make(char buf[static 3 + 2 * N_ROWS])
{
	size_t n = 0;

	buf[n++] = '+';
	buf[n++] = ':';
	for (int i = 0; i < N_ROWS; i++) {
		if (rows[i].letter)
			buf[n++] = rows[i].letter;
		if (rows[i].letter && rows[i].argument)
			buf[n++] = ':';
	}
	buf[n] = '\0';
}

/* The row of a letter is its option; others are told by getopt_long(3). */
static int option_of(int got)
{
	for (int i = 0; i < N_ROWS; i++)
		if (rows[i].letter && rows[i].letter == got)
			return OPTION_FIRST + 1 + i;
	return got;
}

/* "cwd/path"; what is absolute stays. malloc'd; NULL: out of memory, or no such folder any more. */
static char *absolute(const char *path)
{
	auto_free char *cwd = NULL;
	char *joined = NULL;

	if (*path == '/')
		return strdup(path);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	cwd = getcwd(NULL, 0);
	if (!cwd || asprintf(&joined, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path) < 0)
		return NULL;
	return joined;
}

static const char no_folder[] = "the folder that this is run in is gone: give paths from the root on";

static char *join(const char *folder, const char *rest)
{
	char *joined = NULL;

	if (!rest)
		return strdup(folder);
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

/* Could `path` be made there, with the folders that are missing? It is cut to what is there of its folder. */
static bool place_is_usable(char *path)
{
	struct stat st;
	char *slash = strrchr(path, '/');

	*slash = '\0';
	if (geteuid() == 0 && trust_folder(path) < 0)
		return false;
	while (stat(path, &st) < 0 && errno == ENOENT && (slash = strrchr(path, '/')) != path)
		*slash = '\0';
	/* A filter that does not know the call says EPERM: to listen there will tell. */
	return faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0 || errno == EPERM;
}

/* The first that can be used. NULL: none. */
static char *default_socket(void)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)], place[sizeof(path)];

	for (unsigned n = 0; n < ADDRESS_PLACES; n++) {
		if (address_place(n, path, true) < 0)
			continue;
		memcpy(place, path, sizeof(place));
		if (place_is_usable(place))
			return strdup(path);
	}
	return NULL;
}

static const char *named_socket(const struct options *options, const struct plan_daemon *daemon)
{
	const char *given = options->socket ? options->socket : environment("EFFD_SOCKET");

	return given ? given : daemon->socket;
}

bool options_need_socket(const struct options *options, const struct plan_daemon *daemon)
{
	return named_socket(options, daemon) != NULL;
}

char *options_socket(const struct options *options, const struct plan_daemon *daemon, FILE *err)
{
	const char *given = named_socket(options, daemon);
	char *path = given ? absolute(given) : default_socket();

	if (!path && given)
		(void)fprintf(err, "effd: %s\n", no_folder);
	return path;
}

/* For who has no HOME. A command alone needs none: it logs into no file, and may be where nothing can be written. */
static char *log_dir_in_tmp(const struct options *options, FILE *err)
{
	char folder[ADDRESS_FOLDER_ROOM];

	if (address_folder_in_tmp(folder, !options->command) != -EPERM || options->command)
		return join(folder, "log");
	(void)fprintf(err,
		"effd: no place for log files, %s is not yours alone: set HOME, or `daemon.log_dir`\n",
		folder);
	return NULL;
}

char *options_log_dir(const struct options *options, const struct plan_daemon *daemon, FILE *err)
{
	const char *logs = environment("LOGS_DIRECTORY");
	char *folder;

	if (daemon->log_dir)
		return strdup(daemon->log_dir);
	/* systemd may give several, separated by colons. */
	if (logs)
		return strndup(logs, strcspn(logs, ":"));
	if (geteuid() == 0)
		return strdup("/var/log/effd");
	folder = user_folder("XDG_STATE_HOME", ".local/state", "effd/log");
	return folder ? folder : log_dir_in_tmp(options, err);
}

char *options_state_dir(const struct plan_daemon *daemon)
{
	const char *state = environment("STATE_DIRECTORY");

	if (daemon->state_dir)
		return strdup(daemon->state_dir);
	if (state)
		return strndup(state, strcspn(state, ":"));
	if (geteuid() == 0)
		return strdup("/var/lib/effd");
	return user_folder("XDG_STATE_HOME", ".local/state", "effd");
}

void options_places(char *ret[OS_N_PLACES])
{
	bool is_root = geteuid() == 0;

	ret[OS_RUNTIME] = is_root ? strdup("/run") : user_folder("XDG_RUNTIME_DIR", NULL, NULL);
	ret[OS_STATE] = is_root ? strdup("/var/lib")
				: user_folder("XDG_STATE_HOME", ".local/state", NULL);
	ret[OS_CACHE] = is_root ? strdup("/var/cache")
				: user_folder("XDG_CACHE_HOME", ".cache", NULL);
	ret[OS_LOGS] = is_root ? strdup("/var/log")
			       : user_folder("XDG_STATE_HOME", ".local/state", "log");
}

static int complain(FILE *err, const char *words, const char *what)
{
	(void)fprintf(err, "effd: %s%s; effd --help says more\n", words, what);
	return -EINVAL;
}

/* What getopt could not take: a letter, or a whole argument. */
static int complain_option(char *const *argv, int option, FILE *err)
{
	char letter[] = {'-', (char)optopt, '\0'};
	const char *what = optopt > 0 && optopt < OPTION_FIRST ? letter : argv[optind - 1];

	if (option == ':')
		return complain(err, "a value is missing after ", what);
	return complain(err,
		optopt < OPTION_FIRST ? "no such option: " : "this option takes no value: ", what);
}

/* One option. Returns 0, 1 when all has been said, -EINVAL. */
static int option_take(int option, const char **ret_tree, struct options *o, FILE *out, FILE *err)
{
	switch (option) {
	case OPTION_CONFIG:
		*ret_tree = optarg;
		return *optarg ? 0 : complain(err, "--config needs a path", "");
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
		help_print(out);
		return 1;
	default:
		return -EINVAL;
	}
}

static int options_finish(const char *tree, struct options *o, FILE *err)
{
	if (tree && o->command)
		return complain(err, "-c and a command exclude each other", "");
	if (o->command)
		return 0;
	o->tree = tree ? absolute(tree) : default_tree();
	o->by_default = !tree;
	if (tree && !o->tree)
		return complain(err, no_folder, "");
	return o->tree ? 0 : complain(err, "no tree: set HOME, or give -c FILE", "");
}

int options_parse(int argc, char **argv, struct options *ret, FILE *out, FILE *err)
{
	char letters[3 + 2 * N_ROWS];
	struct options o = {0};
	const char *tree = NULL;
	int option, r = 0;

	opterr = 0;
	optind = 0;
	letters_make(letters);
	while (r == 0 && (option = getopt_long(argc, argv, letters, long_options, NULL)) != -1)
		r = option == ':' || option == '?'
			? complain_option(argv, option, err)
			: option_take(option_of(option), &tree, &o, out, err);
	if (r > 0 && fflush(out) == EOF) {
		r = -errno;
		(void)fprintf(err, "effd: cannot write: %s\n", strerror(-r));
	}
	if (r != 0)
		return r;
	if (optind < argc) {
		if (strcmp(argv[optind - 1], "--") != 0)
			return complain(err,
				"a tree stands behind -c, a command behind --: ", argv[optind]);
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
