/* SPDX-License-Identifier: MIT */
/* The settings of a service, each with a row: what takes it and where to, or why there is no equal. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "effctl/import/systemd.h"

static void set(struct systemd *s, const char *path, const char *text)
{
	item_set(s->im, s->unit->item, path, text);
}

static void as_text(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char *text = systemd_filled(s, value);

	if (text && *text)
		set(s, row->path, literal(s->im, text));
}

static void as_span(struct systemd *s, const char *value, const struct systemd_row *row)
{
	set(s, row->path, systemd_span(s->im, value));
}

/* 0 is without end. */
static void as_timeout(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char *text = systemd_span(s->im, value);

	set(s, row->path, text && !strcmp(text, "0") ? "infinity" : text);
}

static void as_both_timeouts(struct systemd *s, const char *value, const struct systemd_row *row)
{
	as_timeout(s, value, row);
	as_timeout(s, value, &(struct systemd_row){NULL, NULL, "stop.timeout"});
}

static void as_signal(struct systemd *s, const char *value, const struct systemd_row *row)
{
	int number = signal_parse(value);
	char buffer[16];

	if (number > 0)
		set(s, row->path, im_printf(s->im, "%s", signal_text(number, buffer)));
	else
		no_equal(s->im, "`%s` is no signal", value);
}

static void as_later(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char *text = systemd_filled(s, value);

	if (text && *text)
		item_set_value(s->im, s->unit->item, row->path, literal(s->im, text));
}

static void as_size(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char *size = import_size_of(s->im, value);

	if (size)
		item_set_value(s->im, s->unit->item, row->path, size);
	else if (strcmp(value, "infinity") != 0)
		no_equal(s->im, "`%s` is no size", value);
}

/* A limit of a control group: a number, or a percentage where effd wants one. */
static void as_amount(struct systemd *s, const char *value, const struct systemd_row *row)
{
	bool in_percent = !strcmp(row->path, "cgroup.cpu_max");
	size_t n = strspn(value, "0123456789");

	if (n > 0 && n < 8 && !strcmp(value + n, in_percent ? "%" : ""))
		item_set_value(s->im, s->unit->item, row->path, literal(s->im, value));
	else if (*value && strcmp(value, "infinity") != 0)
		no_equal(s->im, "`%s` is nothing that `%s` takes", value, row->path);
}

static void as_limit(struct systemd *s, const char *value, const struct systemd_row *row)
{
	size_t soft = strcspn(value, ":");

	limit_set(s->im, s->unit->item, row->path, im_strndup(s->im, value, soft),
		value[soft] ? value + soft + 1 : NULL);
}

static void take_type(struct systemd *s, const char *value, const struct systemd_row *row)
{
	if (!strcmp(value, "oneshot")) {
		s->unit->is_once = true;
		set(s, row->path, value);
	} else if (!strcmp(value, "forking")) {
		set(s, row->path, value);
	} else if (!strcmp(value, "notify") || !strcmp(value, "notify-reload")) {
		set(s, row->path, "notify");
		if (value[6])
			assumed(s->im, "a reload is a SIGHUP");
		if (value[6])
			set(s, "reload.signal", "SIGHUP");
	} else if (strcmp(value, "simple") != 0 && strcmp(value, "exec") != 0) {
		assumed(s->im, "`%s` is taken as `exec`: it is up when its program has begun",
			value);
	}
}

static void take_remains(struct systemd *s, const char *value, const struct systemd_row *row)
{
	/* Judged at the end: only a oneshot has it. */
	if (truth(value) > 0)
		item_set_plain(s->im, s->unit->item, row->path, "true");
}

static void take_exec(struct systemd *s, const char *value, const struct systemd_row *row)
{
	struct systemd_unit *unit = s->unit;
	struct exec_list *list = !strcmp(row->key, "ExecStart") ? &unit->start
		: !strcmp(row->key, "ExecStartPre")             ? &unit->pre
		: !strcmp(row->key, "ExecStartPost")            ? &unit->post
		: !strcmp(row->key, "ExecStop")                 ? &unit->stop
		: !strcmp(row->key, "ExecStopPost")             ? &unit->stop_post
								: &unit->reload;

	exec_add(s, list, value);
}

static void take_restart(struct systemd *s, const char *value, const struct systemd_row *row)
{
	static const char *const same[] = {
		"no", "always", "on-success", "on-failure", "on-abnormal", NULL};

	for (int i = 0; same[i]; i++) {
		if (!strcmp(value, same[i])) {
			set(s, row->path, value);
			return;
		}
	}
	if (!strcmp(value, "on-abort") || !strcmp(value, "on-watchdog")) {
		set(s, row->path, "on-abnormal");
		assumed(s->im, "`%s` is taken as `on-abnormal`", value);
	} else {
		no_equal(s->im, "`%s` is no policy", value);
	}
}

static void take_delay(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char *text = systemd_span(s->im, value);

	if (!text)
		return;
	set(s, row->path, text);
	if (!item_find(s->im, item_map(s->im, s->unit->item, "restart.backoff"), "max"))
		set(s, "restart.backoff.max", text);
}

static void take_mode(struct systemd *s, const char *value, const struct systemd_row *row)
{
	if (!strcmp(value, "mixed") || !strcmp(value, "process"))
		set(s, row->path, value);
	else if (!strcmp(value, "none"))
		no_equal(s->im, "effd leaves nothing behind: `process` comes nearest");
}

/* Numbers as they are; of names the few that are in use. */
static const char *exit_code(const char *word)
{
	static const char *const names[] = {"SUCCESS", "0", "FAILURE", "1", "USAGE", "64",
		"DATAERR", "65", "NOINPUT", "66", "NOUSER", "67", "NOHOST", "68", "UNAVAILABLE",
		"69", "SOFTWARE", "70", "OSERR", "71", "OSFILE", "72", "CANTCREAT", "73", "IOERR",
		"74", "TEMPFAIL", "75", "PROTOCOL", "76", "NOPERM", "77", "CONFIG", "78", NULL};
	size_t n = strlen(word);

	if (n && n < 4 && strspn(word, "0123456789") == n)
		return strtol(word, NULL, 10) < 256 ? word : NULL;
	for (int i = 0; names[i]; i += 2) {
		if (!strcmp(word, names[i]))
			return names[i + 1];
	}
	return NULL;
}

static void take_ends(struct systemd *s, const char *value, const struct systemd_row *row)
{
	const char **words = systemd_words(s->im, value);
	char buffer[16];

	if (!strcmp(row->path, "success_exit") && !item_find(s->im, s->unit->item, row->path))
		systemd_clean(s->im, s->unit->item);
	for (; words && *words; words++) {
		int number = signal_parse(*words);
		const char *code = exit_code(*words);

		if (code)
			item_add_plain(s->im, item_list(s->im, s->unit->item, row->path),
				im_printf(s->im, "%ld", strtol(code, NULL, 10)));
		else if (number > 0)
			item_add(s->im, item_list(s->im, s->unit->item, row->path),
				im_printf(s->im, "%s", signal_text(number, buffer)));
		else
			no_equal(s->im, "`%s` is no end that is known here", *words);
	}
}

/* What is for readers of the file alone. */
static void take_nothing(struct systemd *s, const char *value, const struct systemd_row *row)
{
	(void)s;
	(void)value;
	(void)row;
}

static const struct systemd_row rows[] = {{"Description", as_text, "description"},
	{"Type", take_type, "type"}, {"ExecStart", take_exec, NULL},
	{"ExecStartPre", take_exec, NULL}, {"ExecStartPost", take_exec, NULL},
	{"ExecStop", take_exec, NULL}, {"ExecStopPost", take_exec, NULL},
	{"ExecReload", take_exec, NULL}, {"RemainAfterExit", take_remains, "remain_after_exit"},
	{"PIDFile", as_text, "pid_file"}, {"Restart", take_restart, "restart.policy"},
	{"RestartSec", take_delay, "restart.backoff.initial"},
	{"RestartMaxDelaySec", as_span, "restart.backoff.max"},
	{"TimeoutStartSec", as_timeout, "start_timeout"},
	{"TimeoutStopSec", as_timeout, "stop.timeout"},
	{"TimeoutSec", as_both_timeouts, "start_timeout"},
	{"RuntimeMaxSec", as_timeout, "max_runtime"}, {"WatchdogSec", as_span, "watchdog"},
	{"KillSignal", as_signal, "stop.signal"},
	{"FinalKillSignal", as_signal, "stop.final_signal"},
	{"KillMode", take_mode, "stop.mode"}, {"SuccessExitStatus", take_ends, "success_exit"},
	{"RestartPreventExitStatus", take_ends, "restart.prevent_exit"},
	{"RestartForceExitStatus", take_ends, "restart.force_exit"}, {"User", as_text, "user"},
	{"Group", as_text, "group"}, {"UMask", systemd_umask, "umask"},
	{"WorkingDirectory", systemd_folder, "working_dir"},
	{"Environment", systemd_environment, "environment"},
	{"EnvironmentFile", systemd_env_file, "env_file"},
	{"PassEnvironment", systemd_inherited, "env_inherit"},
	{"StandardOutput", systemd_output, "log.stdout"},
	{"StandardError", systemd_output, "log.stderr"},
	{"NoNewPrivileges", systemd_true, "security.no_new_privileges"},
	{"ReadOnlyPaths", systemd_read_only, "security.read_only_paths"},
	{"SystemCallFilter", systemd_calls, "security.seccomp"},
	{"SystemCallErrorNumber", systemd_call_error, "action"},
	{"PrivateTmp", systemd_private_tmp, "security.private_tmp"},
	{"RootDirectory", as_later, "root_dir"}, {"Nice", as_later, "priority.nice"},
	{"OOMScoreAdjust", as_later, "priority.oom_score_adj"}, {"LimitNOFILE", as_limit, "nofile"},
	{"LimitNPROC", as_limit, "nproc"}, {"LimitCORE", as_limit, "core"},
	{"LimitMEMLOCK", as_limit, "memlock"}, {"LimitAS", as_limit, "as"},
	{"LimitSTACK", as_limit, "stack"}, {"LimitFSIZE", as_limit, "fsize"},
	{"LimitDATA", as_limit, "data"}, {"LimitRSS", as_limit, "rss"},
	{"LimitLOCKS", as_limit, "locks"}, {"LimitSIGPENDING", as_limit, "sigpending"},
	{"LimitMSGQUEUE", as_limit, "msgqueue"}, {"LimitRTPRIO", as_limit, "rtprio"},
	{"SupplementaryGroups", systemd_names, "supplementary_groups"},
	{"CapabilityBoundingSet", systemd_capabilities, "security.capabilities"},
	{"AmbientCapabilities", systemd_capabilities, "security.ambient"},
	{"CPUAffinity", systemd_cpus, "priority.cpus"},
	{"IOSchedulingClass", systemd_word, "priority.ionice.class"},
	{"IOSchedulingPriority", as_later, "priority.ionice.level"},
	{"CPUSchedulingPolicy", systemd_word, "priority.sched.policy"},
	{"CPUSchedulingPriority", as_later, "priority.sched.priority"},
	{"RuntimeDirectory", systemd_folders, "directories.runtime"},
	{"StateDirectory", systemd_folders, "directories.state"},
	{"CacheDirectory", systemd_folders, "directories.cache"},
	{"LogsDirectory", systemd_folders, "directories.logs"},
	{"RuntimeDirectoryMode", systemd_folder_mode, "directories.mode"},
	{"StateDirectoryMode", systemd_folder_mode, "directories.mode"},
	{"CacheDirectoryMode", systemd_folder_mode, "directories.mode"},
	{"LogsDirectoryMode", systemd_folder_mode, "directories.mode"},
	{"MemoryMax", as_size, "cgroup.memory_max"}, {"MemoryHigh", as_size, "cgroup.memory_high"},
	{"TasksMax", as_amount, "cgroup.pids_max"}, {"CPUQuota", as_amount, "cgroup.cpu_max"},
	{"CPUWeight", as_amount, "cgroup.cpu_weight"}, {"IOWeight", as_amount, "cgroup.io_weight"},
	{"StartLimitBurst", NULL,
		"`restart: {max_restarts: …}` counts restarts in a row, `intensity` those of a supervisor"},
	{"StartLimitIntervalSec", NULL,
		"`restart: {backoff: {reset_after: …}}`, or the `period` of an `intensity`"},
	{"StartLimitInterval", NULL,
		"`restart: {backoff: {reset_after: …}}`, or the `period` of an `intensity`"},
	{"RestartSteps", NULL, "`restart: {backoff: {factor: …}}`"},
	{"NotifyAccess", NULL, "effd listens to all processes of a unit, and to nobody else"},
	{"Documentation", take_nothing, NULL},
	{"OnFailure", NULL, "`hooks: {on_give_up: …}` runs a command"},
	{"DynamicUser", NULL, "`user: …` of one that is there"},
	{"Slice", NULL, "effd knows no slices"}, {"BusName", NULL, "effd knows no D-Bus"},
	{"SyslogIdentifier", NULL, "lines of output begin with the unit's name"},
	{"DefaultDependencies", NULL, "effd knows no targets"}, {NULL, NULL, NULL}};

/* Names of other units are read when all units are there. */
static bool is_of_others(const char *key)
{
	static const char *const keys[] = {"Requires", "Requisite", "Wants", "BindsTo",
		"PartOf", "After", "Before", "Conflicts", "Upholds", NULL};

	for (int i = 0; keys[i]; i++) {
		if (!strcmp(key, keys[i]))
			return true;
	}
	return false;
}

static void service_setting(struct systemd *s, const struct setting *setting)
{
	const struct systemd_row *row = rows;

	while (row->key && strcmp(row->key, setting->key) != 0)
		row++;
	s->im->line = setting->line;
	s->im->setting = setting->key;
	if (!row->key)
		no_equal(s->im, "effd has no such setting");
	else if (row->take && (*setting->value || row->take == take_exec))
		row->take(s, setting->value, row);
	else if (!row->take)
		no_equal(s->im, "%s", row->path);
}

static void install_setting(struct systemd *s, const struct setting *setting)
{
	bool wanted = !strcmp(setting->key, "WantedBy") || !strcmp(setting->key, "RequiredBy");

	s->im->line = setting->line;
	s->im->setting = setting->key;
	if (wanted && strstr(setting->value, ".target"))
		s->unit->is_wanted = true;
	else
		no_equal(s->im, wanted ? "`depends_on` of that unit" : "effd has no such setting");
}

/* What is said next is of the setting that this was made from. */
static void look_at(struct import *im, const struct item *item, const char *setting)
{
	im->line = item->line;
	im->setting = setting;
}

/* What a field needs of another to be one. */
static void settle(struct systemd *s)
{
	struct import *im = s->im;
	struct item *unit = s->unit->item;
	struct item *type = item_find(im, unit, "type");
	struct item *policy = item_find(im, item_find(im, unit, "restart"), "policy");
	struct item *remains = item_find(im, unit, "remain_after_exit");
	struct item *pid_file = item_find(im, unit, "pid_file");
	bool forks = type && !strcmp(type->text, "forking");

	if (forks && !pid_file) {
		look_at(im, type, "Type");
		refused(im, "it forks, and no `PIDFile` tells which process it is: let it stay in the foreground");
		s->unit->item = NULL;
		return;
	}
	if (s->unit->is_once && policy &&
		(!strcmp(policy->text, "always") || !strcmp(policy->text, "on-success"))) {
		policy->text = "on-failure";
		look_at(im, policy, "Restart");
		assumed(im, "a oneshot is started again on failure alone");
	}
	if (!forks && pid_file) {
		item_drop(im, unit, "pid_file");
		look_at(im, pid_file, "PIDFile");
		no_equal(im, "effd knows the pid of what does not fork");
	}
	if (!s->unit->is_once && remains) {
		item_drop(im, unit, "remain_after_exit");
		look_at(im, remains, "RemainAfterExit");
		no_equal(im, "only a oneshot stays up after its end");
	}
}

void systemd_service(struct systemd *s)
{
	const struct systemd_unit *unit = s->unit;

	for (const struct section *section = unit->first;
		section && section->file == unit->first->file && !s->im->failed;
		section = section->next) {
		bool install = !strcmp(section->name, "Install");

		s->im->line = section->line;
		s->im->setting = NULL;
		if (!install && strcmp(section->name, "Unit") != 0 &&
			strcmp(section->name, "Service") != 0) {
			if (strncmp(section->name, "X-", 2) != 0)
				no_equal(s->im, "no section of a service's: [%s]", section->name);
			continue;
		}
		for (const struct setting *v = section->first; v && !s->im->failed; v = v->next) {
			if (install)
				install_setting(s, v);
			else if (!is_of_others(v->key))
				service_setting(s, v);
		}
	}
	if (!s->im->failed)
		systemd_priorities_settle(s);
	if (!s->im->failed)
		settle(s);
}
