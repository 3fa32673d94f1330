#!/bin/bash
# SPDX-License-Identifier: MIT
# Every exit code that effctl and effd promise.
. "${0%/*}/lib.sh"
compile family
cp "$BUILD/effctl" "$DIR/bin/effctl"
expect_exit 5 ctl ping
expect_exit 5 ctl status
effd_start <<TREE
version: 1
units:
  up: {command: $DIR/bin/family}
  down: {command: $DIR/bin/family, activate: manual}
  bad: {shell: exit 3, activate: manual, restart: no}
  slow: {type: notify, command: $DIR/bin/family, activate: manual, start_timeout: infinity}
  job: {type: oneshot, shell: exit 0, activate: manual}
  off: {command: $DIR/bin/family, enabled: false}
  talks: {type: oneshot, shell: echo something}
TREE
# 0: done as asked.
for command in ping version status tree "status up" "events" "logs up" "explain up" "explain down" plan show "show up" "start up" \
	"start job" "wait --for up up" "wait --for up job" "wait --for done job" "signal CONT up" "reset bad" "stop down" \
	"restart up" reload --help; do
	# shellcheck disable=SC2086
	expect_exit 0 ctl $command
done
expect_exit 0 ctl --json start up
same "unchanged is fine" "$(jq -r '.units[0] | "\(.name) \(.outcome) \(.state) \(.pid > 0)"' <<<"$OUT")" "up unchanged up true"
# 1: tried and failed, or refused.
expect_exit 1 ctl --json start bad
same "what a failed start tells" "$(jq -r '.units[0] | "\(.name) \(.outcome) \(.state) \(.pid) \(.cause.kind) \(.cause.code)"' <<<"$OUT")" "bad failed failed null exit 3"
expect_exit 1 ctl wait --for up bad
expect_exit 1 ctl wait --for up down
expect_exit 1 ctl start off
# What cannot be written is an error that is told, of streams as of all else.
expect_exit 0 ctl restart talks
for command in status events "logs talks" --help version; do
	# shellcheck disable=SC2086
	! ctl $command >/dev/full 2>"$DIR/err.txt" || fail "effctl $command into a full disk ends with 0"
	same "what effctl $command says of a full disk" "$(<"$DIR/err.txt")" "effctl: cannot write: No space left on device"
done
for option in --help --version; do
	! "$BUILD/effd" "$option" >/dev/full 2>"$DIR/err.txt" || fail "effd $option into a full disk ends with 0"
	same "what effd $option says of a full disk" "$(<"$DIR/err.txt")" "effd: cannot write: No space left on device"
done
# 2: usage.
for command in "" frobnicate start stop "wait up" "wait --for sideways up" "status --colour" "signal NOSUCH up" "logs -n x" \
	"start --timeout soon up"; do
	# shellcheck disable=SC2086
	expect_exit 2 ctl $command
	[ -n "$ERR" ] || fail "effctl $command: says nothing"
done
# 3: one is not as it might be. 4: no such unit.
expect_exit 3 ctl status down
expect_exit 3 ctl status up bad
expect_exit 0 ctl status up job
expect_exit 0 ctl status
for command in "status nobody" "start nobody" "stop up nobody" "logs nobody" "wait --for up nobody" "explain nobody" \
	"restart nobody" "signal HUP nobody" "reset nobody" "events nobody" "show nobody"; do
	# shellcheck disable=SC2086
	expect_exit 4 ctl $command
done
same "a verb with an unknown unit does nothing" "$(state up)" up
# 6: not permitted. 7: timed out.
if [ "$(id -u)" -eq 0 ]; then
	expect_exit 6 setpriv --reuid 65534 --regid 65534 --clear-groups "$DIR/bin/effctl" -s "$SOCKET" ping
fi
expect_exit 7 ctl start --timeout 50ms slow
expect_exit 7 ctl wait --for up --timeout 50ms slow
same "a wait that ends does not end the start" "$(state slow)" starting
expect_exit 0 ctl start --no-wait slow
expect_exit 0 ctl stop slow
effd_stop

# effd: 0 is above; 1 the tree failed; 2 usage; 75 and 78 have tests of their own, and so has a stop by signal.
cat >"$TREE" <<TREE
version: 1
units:
  well: {command: $DIR/bin/family}
  bad: {shell: exit 3, restart: no, critical: true}
TREE
expect_exit 1 timeout "$limit" "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
same "what is left of a tree that failed" "$(processes_of family)" ""
while IFS=: read -r arguments words; do
	# shellcheck disable=SC2086
	expect_exit 2 timeout "$limit" "$BUILD/effd" --socket "$SOCKET" $arguments
	same "what effd $arguments says" "$ERR" "effd: $words; effd --help says more"
done <<'USAGE'
--bogus:no such option: --bogus
-x:no such option: -x
--check=3:this option takes no value: --check=3
-c:a value is missing after -c
--log-level loud:no such log level (error, warn, info, debug): loud
--config=:--config needs a path
extra:a tree stands behind -c, a command behind --: extra
--:there is no command behind --
USAGE
printf 'version: 1\nunits: {a: {command: %s}, b: {shell: exit 5, restart: no}}\ndaemon: {exit_code_from: b}\n' "$DIR/bin/family" >"$TREE"
expect_exit 5 timeout "$limit" "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
same "what is left after exit_code_from" "$(processes_of family)" ""

# A command as the whole tree.
run() { timeout "$limit" "$BUILD/effd" --socket "$SOCKET" -- "$@"; }
expect_exit 0 run true
expect_exit 7 run sh -c 'exit 7'
expect_exit 127 run "$DIR/nowhere"
printf 'text' >"$DIR/locked"
expect_exit 126 run "$DIR/locked"
expect_exit 143 run sh -c 'kill -TERM $$'
expect_exit 137 run sh -c 'kill -KILL $$'
# Whoever starts it to ignore the ends of children.
expect_exit 7 timeout "$limit" env --ignore-signal=CHLD "$BUILD/effd" --socket "$SOCKET" -- sh -c 'exit 7'
expect_exit 0 run sh -c 'echo "$1-$2"' x 'a b' c
matches "its output" "$OUT" 'a b-c$'
for signal in TERM INT; do
	: >"$DIR/begun"
	"$BUILD/effd" --socket "$SOCKET" -- sh -c 'trap "exit 9" TERM; echo begun; while :; do sleep 100 & wait; done' >"$DIR/begun" 2>>"$DIR/effd.log" &
	runner=$!
	await_line "$DIR/begun" 'begun' >/dev/null
	kill "-$signal" "$runner"
	expect_exit 9 wait "$runner"
done
