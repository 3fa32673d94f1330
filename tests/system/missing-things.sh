#!/bin/bash
# SPDX-License-Identifier: MIT
# What cannot be executed says at which stage and why, is tried again, and holds nobody else up.
. "${0%/*}/lib.sh"
compile family
printf '#!/nowhere/interpreter\n' >"$DIR/script"
printf 'no program at all\n' >"$DIR/text"
printf '#!/bin/sh\n' >"$DIR/locked"
chmod 755 "$DIR/script" "$DIR/text"
# Somebody writes it.
cp "$DIR/bin/family" "$DIR/busy"
sleep infinity 9>>"$DIR/busy" &
writer=$!
chmod 644 "$DIR/locked"
user_unit=
[ "$(id -u)" -ne 0 ] || user_unit="
  user: {command: $DIR/bin/family, user: no-such-user}
  group: {command: $DIR/bin/family, group: no-such-group}
  further: {command: $DIR/bin/family, supplementary_groups: [daemon, no-such-group]}
  odd: {command: $DIR/bin/family, user: 0day}"
effd_start <<TREE
version: 1
defaults: {restart: {backoff: {initial: 10ms, max: 20ms}}}
units:
  program: {command: $DIR/nowhere}
  searched: {command: no-such-program-anywhere, environment: {PATH: "/usr/bin:/bin"}}
  relative: {command: ./nowhere/x}
  folder: {command: $DIR/bin/family, working_dir: $DIR/gone}
  script: {command: $DIR/script}
  locked: {command: $DIR/locked}
  text: {command: $DIR/text}
  directory: {command: $DIR/tmp}
  busy: {command: $DIR/busy}
  large: {command: [$DIR/bin/family, $(printf '%0140000d' 0)]}
  surroundings: {command: $DIR/bin/family, environment: {LARGE: $(printf 'x%0140000d' 0)}}$user_unit
  well: {command: $DIR/bin/family}
TREE
text() { # UNIT PATTERN
	matches "the end of $1" "$(field "$1" '"\(.last_exit.kind) \(.last_exit.signal) \(.last_exit.text)"')" \
		"^exec_error null $2"
}
text program "exec: ENOENT \(No such file or directory\): $DIR/nowhere$"
text searched "exec: ENOENT \(No such file or directory\): no-such-program-anywhere$"
text relative "exec: ENOENT \(No such file or directory\): .*nowhere/x$"
text folder "chdir: ENOENT \(No such file or directory\): $DIR/gone$"
text script "exec: ENOENT \(No such file or directory\): .*/nowhere/interpreter"
text locked "exec: EACCES \(Permission denied\): $DIR/locked$"
text text "exec: ENOEXEC \(Exec format error\): $DIR/text$"
text directory "exec: EACCES \(Permission denied\): $DIR/tmp$"
if [ -n "$user_unit" ]; then
	text user 'user: [A-Z]+ \(.+\): no-such-user$'
	text further 'group: [A-Z]+ \(.+\): no-such-group$'
	text odd 'user: EINVAL \(Invalid argument\): 0day$'
	text group 'group: [A-Z]+ \(.+\): no-such-group$'
fi
text busy "exec: ETXTBSY \(Text file busy\): $DIR/busy$"
text large "exec: E2BIG \(Argument list too long\): $DIR/bin/family$"
text surroundings "exec: E2BIG \(Argument list too long\): $DIR/bin/family$"
same "the one that is well" "$(state well)" up

# They are tried again and again, and never seemed to run.
for unit in program folder script large busy; do
	await_events 4 '.event == "state" and .to == "backoff"' "$unit" >/dev/null
	[ "$(field "$unit" .restarts)" -ge 3 ] || fail "$unit was not tried again"
	same "$unit was never up" "$(ctl --json events "$unit" | jq -c 'select(.to == "up")')" ""
done

# What was missing comes: it starts by itself.
cp "$DIR/bin/family" "$DIR/nowhere"
mkdir "$DIR/gone"
kill "$writer"
wait "$writer" || true
wait_for up program folder busy
same "the folder of one that missed it" "$(readlink "/proc/$(pid_of folder)/cwd")" "$DIR/gone"
expect_exit 1 ctl start locked
same "the one that was well all the time" "$(field well '"\(.state) \(.starts)"')" "up 1"
effd_stop

# The folder that they are run in is gone.
in_no_folder() (
	mkdir "$DIR/passing"
	cd "$DIR/passing"
	rmdir "$DIR/passing"
	exec "$@"
)
for command in "effctl check tree.yaml" "effctl add pool -" "effd -c tree.yaml" "effd --socket x.sock -- true"; do
	# shellcheck disable=SC2086
	! in_no_folder "$BUILD"/$command >/dev/null 2>"$DIR/err.txt" </dev/null || fail "$command in no folder ends with 0"
	same "what $command says in no folder" "$(sed -E 's/^eff(d|ctl): //; s/; effd --help says more$//' "$DIR/err.txt")" \
		"the folder that this is run in is gone: give paths from the root on"
done
