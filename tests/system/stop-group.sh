#!/bin/bash
# SPDX-License-Identifier: MIT
# A stop ends all of a unit: children, grandchildren, those in sessions of their own, and those that will not listen.
. "${0%/*}/lib.sh"
compile family
effd_start <<TREE
version: 1
defaults: {stop: {timeout: 300ms}, activate: manual}
units:
  plain: {command: [$DIR/bin/family, x, nested]}
  sessions: {command: [$DIR/bin/family, session, "session,nested", orphan, "session,deaf,nested"]}
  deaf: {command: [$DIR/bin/family, main=deaf, deaf, "deaf,session"]}
  stopped: {command: [$DIR/bin/family, x]}
  asked: {command: [$DIR/bin/family, herald], log: {stdout: ring}, stop: {mode: group}}
  mixed: {command: [$DIR/bin/family, herald, "herald,nested"], log: {stdout: ring}, stop: {mode: mixed}}
  process: {command: [$DIR/bin/family, x, herald], log: {stdout: ring}, stop: {mode: process}}
  now: {command: [$DIR/bin/family, main=deaf, deaf], stop: {timeout: 1h}}
  zero: {command: [$DIR/bin/family, main=herald], log: {stdout: ring}, stop: {timeout: 0}}
  other: {command: [$DIR/bin/family, main=herald], log: {stdout: ring}, stop: {signal: SIGINT, timeout: 1h}}
  commanded: {command: [$DIR/bin/family, main=deaf], stop: {command: 'touch $DIR/commanded', timeout: 300ms}}
  ends: {command: [$DIR/bin/family, main=exits, x, deaf], environment: {GATE: $DIR/gate}, restart: no, log: {stdout: ring}}
TREE
complete() { follow 1 '.text == "complete"' logs -f "$1" >/dev/null; }
begin() { # UNIT
	expect_exit 0 ctl start "$1"
	complete "$1"
}
end() { # UNIT HOW-IT-ENDED
	expect_exit 0 ctl stop "$1"
	same "what is left of $1" "$(processes_of family)" ""
	same "$1 after its stop" "$(field "$1" '"\(.state) \(.pid) \(.last_exit.kind) \(.last_exit.signal)"')" "down null stop_requested $2"
}
for unit in plain sessions asked mixed; do
	begin "$unit"
	end "$unit" SIGTERM
done
for unit in deaf zero now; do
	begin "$unit"
	if [ "$unit" = now ]; then
		expect_exit 0 ctl stop --now now
	fi
	end "$unit" SIGKILL
done
begin other
end other SIGINT
begin stopped
kill -STOP "$(pid_of stopped)"
end stopped SIGTERM
begin commanded
end commanded SIGKILL
[ -e "$DIR/commanded" ] || fail "stop.command was not run"

heard() { ctl --json logs "$1" | jq -r .text | grep -c 'was asked' || true; }
same "a group is asked" "$(heard asked)" 1
same "mixed asks the main process alone" "$(heard mixed)" 0
same "a timeout of 0 asks nobody" "$(heard zero)" 0

# process: what it leaves stays, and is reported.
begin process
main=$(pid_of process)
others=$(processes_of family | grep -vx "$main" | sort)
expect_exit 0 ctl stop process
same "process after its stop" "$(field process '"\(.state) \(.pid) \(.last_exit.kind) \(.last_exit.signal)"')" "down null stop_requested SIGTERM"
same "what was left alive" "$(processes_of family | sort)" "$others"
same "nobody else was asked" "$(heard process)" 0
await_events 1 '.event == "left_behind"' process >/dev/null
same "it is reported once" "$(ctl --json events | jq -c 'select(.event == "left_behind") | .unit')" '"process"'
kill -KILL $others

# After an end by itself the rest is ended in the same way.
mkfifo "$DIR/gate"
begin ends
echo >"$DIR/gate"
wait_for failed ends
same "what is left after an end by itself" "$(processes_of family)" ""
same "how that ended" "$(field ends '"\(.last_exit.kind) \(.last_exit.code)"')" "exit 3"
effd_stop
