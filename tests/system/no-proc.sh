#!/bin/bash
# SPDX-License-Identifier: MIT
# effd as PID 1 where there is no /proc: units start, stop, crash and are reloaded, are asked for and looked at as ever, and
# strays are reaped. As root, and as a user without a home, an entry or a variable.
. "${0%/*}/lib.sh"
need_apart
need setpriv
compile family notify orphans
cat >"$DIR/without-proc" <<'END'
#!/bin/sh
mount -t tmpfs none /proc || exit 70
exec "$@"
END
chmod 755 "$DIR/without-proc"
cp "$BUILD/effd" "$DIR/bin/effd"
EFFD_PROGRAM=$DIR/bin/effd

# A daemon that puts itself into the background, and tells where.
cat >"$DIR/forks.sh" <<END
$DIR/bin/family x &
echo \$! >\$PID_FILE
END

tree() { # VALUE FURTHER-UNITS
	cat <<TREE
version: 1
units:
  first: {command: [$DIR/bin/family, x, nested], environment: {V: "$1"}, log: {stdout: ring}}
  told: {type: notify, command: [$DIR/bin/notify, READY=1, STATUS=well, "@$OWN/gate"], depends_on: [first]}
  deaf: {command: [$DIR/bin/family, main=deaf, deaf], stop: {timeout: 100ms}}
  crash: {shell: exit 3, restart: {max_restarts: 3, backoff: {initial: 1ms}}}
  missing: {command: $DIR/nowhere, restart: no}
  scored: {type: oneshot, command: 'true', restart: no, priority: {oom_score_adj: 100}}
  job: {type: oneshot, shell: 'echo one; echo two >&2', log: {stdout: {file: $OWN/logs/job}}}
  probed: {command: $DIR/bin/family, readiness_probe: {exec: {command: ['true']}, period: 1s}, hooks: {pre_start: ['true'], post_stop: ['true']}}
  forks:
    type: forking
    command: [sh, $DIR/forks.sh]
    environment: {PID_FILE: $OWN/forks.pid}
    pid_file: $OWN/forks.pid
  leaves:
    activate: manual
    command: [$DIR/bin/family, main=exits, x, deaf]
    environment: {GATE: $OWN/leaves}
    restart: no
    stop: {timeout: 100ms}
    log: {stdout: ring}
  strays: {command: [$DIR/bin/orphans, "300", $OWN/strays], log: {stdout: ring}}
$2
TREE
}
children_of() { tr ' ' '\n' <"/proc/$1/task/$1/children" | grep -c . || true; }

life() { # FURTHER-UNITS
	local inner before
	mkdir -p "$OWN"
	mkfifo "$OWN/gate" "$OWN/strays" "$OWN/leaves"
	chmod -R a+rwX "$OWN"
	tree 1 "$1" >"$TREE"
	umask 0 # for the socket that it notifies
	effd_again
	umask 022
	await_notice READY=1
	inner=$(cut -d' ' -f1 <"/proc/$EFFD/task/$EFFD/children")
	same "it is PID 1" "$(ctl --json version | jq -r .pid) $(awk '/^NSpid:/ { print $NF }' "/proc/$inner/status")" "1 1"
	[ "$(readlink "/proc/$inner/root")" = / ] || fail "it is not the one that is looked at"
	wait_for up first told deaf probed forks strays
	wait_for failed crash missing scored
	same "what needs it" "$(field scored .last_exit.text)" "priority: ENOENT (No such file or directory): oom_score_adj"
	wait_for done job
	same "one that crashes" "$(field crash '"\(.starts) \(.cause.kind) \(.last_exit.kind) \(.last_exit.code)"')" "4 max_restarts exit 3"
	matches "one that is not there" "$(field missing .last_exit.text)" "^exec: ENOENT .*: $DIR/nowhere\$"
	same "what one says" "$(field told .status_text)" well
	same "a file of a log" "$(<"$OWN/logs/job")" $'one\ntwo'
	same "a ring" "$(ctl --json logs first | jq -r .text)" complete
	same "memory, which nobody tells of" "$(field first .memory_bytes)" null
	expect_exit 0 ctl status first
	expect_exit 0 ctl top first
	expect_exit 0 ctl explain told
	expect_exit 0 ctl tree

	# Strays.
	follow 1 '.text == "made"' logs -f strays >/dev/null
	[ "$(children_of "$inner")" -ge 300 ] || fail "it did not adopt them"
	before=$(children_of "$inner")
	echo >"$OWN/strays"
	reaped() {
		expect_exit 0 ctl ping
		[ "$(children_of "$inner")" -le $((before - 300)) ]
	}
	eventually reaped

	# What a main process leaves is ended with it.
	expect_exit 0 ctl start leaves
	follow 1 '.text == "complete"' logs -f leaves >/dev/null
	before=$(processes_of family | wc -l)
	echo >"$OWN/leaves"
	wait_for failed leaves
	same "what is left of it" "$(processes_of family | wc -l)" $((before - 3))

	# Stops, starts, a signal, a restart, a reload.
	expect_exit 0 ctl stop deaf
	same "one that did not listen" "$(field deaf '"\(.state) \(.pid) \(.last_exit.signal)"')" "down null SIGKILL"
	expect_exit 0 ctl start deaf
	before=$(pid_of probed)
	expect_exit 0 ctl restart probed
	[ "$(pid_of probed)" != "$before" ] || fail "probed was not restarted"
	before=$(pid_of forks)
	expect_exit 0 ctl signal KILL forks
	restarted() { [ "$(field forks '"\(.state) \(.starts)"')" = "up 2" ] && [ "$(pid_of forks)" != "$before" ]; }
	eventually restarted
	before="$(pid_of told) $(pid_of deaf)"
	tree 2 "$1" >"$TREE"
	same "what a reload would do" "$(ctl --json plan | jq -c '[.changes[] | [.unit, .action]]')" '[["first","restart"]]'
	expect_exit 0 ctl reload
	same "the others after a reload" "$(pid_of told) $(pid_of deaf)" "$before"
	same "the one that was reloaded" "$(field first '"\(.state) \(.starts)"')" "up 2"
	sed -i 's/type: notify/tipe: notify/' "$TREE"
	expect_exit 1 ctl reload
	same "after a bad tree" "$(pid_of told) $(pid_of deaf)" "$before"

	[ -z "$1" ] || expect_exit 1 ctl start apart
	[ -z "$1" ] || same "what needs it, of root's" "$(field apart .last_exit.text)" "security: ENOENT (No such file or directory): private_tmp"

	kill -TERM "$inner"
	effd_ended 0
	same "what is left" "$(processes_of family) $(processes_of notify) $(processes_of orphans)" "  "
	! grep -E '^effd: (error|warn): ' "$DIR/effd.log" | grep -vE '(crash|missing|scored|apart): |leaves: |forks: |tree\.yaml|the tree has errors|did you mean' || fail "it complains"
	: >"$DIR/effd.log"
}

alone=(unshare --fork --pid --mount --kill-child "$DIR/without-proc")
compile recorder
OWN=$DIR/roots
EFFD_UNDER=("${alone[@]}")
life "  other: {type: oneshot, command: [id, -un], user: nobody, log: {stdout: {file: $OWN/logs/other}}}
  apart: {type: oneshot, command: 'true', restart: no, activate: manual, security: {private_tmp: true}}"
same "one that is a user's" "$(<"$OWN/logs/other")" nobody

mkdir -m 755 "$DIR/user"
OWN=$DIR/user/own SOCKET=$DIR/user/control.sock
chown 54321:54321 "$DIR/user"
chmod 777 "$DIR"
EFFD_UNDER=("${alone[@]}" setpriv --reuid 54321 --regid 54321 --clear-groups env -i "PATH=$PATH" "NOTIFY_SOCKET=$DIR/notify.sock")
life ""
