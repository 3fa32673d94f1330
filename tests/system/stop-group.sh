#!/bin/bash
# SPDX-License-Identifier: MIT
# A stop ends all of a unit: children, grandchildren, those in sessions of their own, and those that will not listen.
. "${0%/*}/lib.sh"
compile family notify
effd_start <<TREE
version: 1
defaults: {stop: {timeout: 1h}, activate: manual}
units:
  plain: {command: [$DIR/bin/family, x, nested]}
  sessions: {command: [$DIR/bin/family, session, "session,nested", orphan, "session,deaf,nested"]}
  deaf: {command: [$DIR/bin/family, main=deaf, deaf, "deaf,session"], stop: {timeout: 300ms}}
  stopped: {command: [$DIR/bin/family, x]}
  asked: {command: [$DIR/bin/family, herald], log: {stdout: ring}, stop: {mode: group}}
  mixed: {command: [$DIR/bin/family, herald, "herald,nested"], log: {stdout: ring}, stop: {mode: mixed}}
  process: {command: [$DIR/bin/family, x, herald], log: {stdout: ring}, stop: {mode: process}}
  handed:
    type: notify
    shell: '$DIR/bin/family & $DIR/bin/notify "=READY=1;MAINPID=\$!" & wait; exec $DIR/bin/family'
    stop: {mode: process}
  now: {command: [$DIR/bin/family, main=deaf, deaf]}
  zero: {command: [$DIR/bin/family, main=herald], log: {stdout: ring}, stop: {timeout: 0}}
  other: {command: [$DIR/bin/family, main=herald], log: {stdout: ring}, stop: {signal: SIGINT}}
  commanded: {command: [$DIR/bin/family, main=deaf], stop: {command: 'touch $DIR/commanded'}}
  ends:
    command: [$DIR/bin/family, main=exits, x, deaf]
    environment: {GATE: $DIR/gate}
    restart: no
    log: {stdout: ring}
    stop: {timeout: 300ms}
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
# Ask it to stop; when it has been asked, and that is true, the grace is cut short.
end_once() { # UNIT HOW-IT-ENDED CONDITION…
	expect_exit 0 ctl stop --no-wait "$1"
	eventually "${@:3}"
	expect_exit 0 ctl stop --now "$1"
	end "$1" "$2"
}
has_ended() { [ ! -e "/proc/$1" ]; }
heard() { ctl --json logs "$1" | jq -r .text | grep -c 'was asked' || true; }
has_heard() { [ "$(heard "$1")" -gt 0 ] && has_ended "$2"; }

begin plain
end plain SIGTERM
for unit in deaf zero; do
	begin "$unit"
	end "$unit" SIGKILL
done
begin now
end_once now SIGKILL true
begin sessions
end_once sessions SIGTERM has_ended "$(pid_of sessions)"
begin asked
end_once asked SIGTERM has_heard asked "$(pid_of asked)"
begin mixed
end_once mixed SIGTERM has_ended "$(pid_of mixed)"
begin other
end other SIGINT
begin stopped
kill -STOP "$(pid_of stopped)"
end stopped SIGTERM
begin commanded
end_once commanded SIGKILL [ -e "$DIR/commanded" ]

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

# So does the process that effd began, when another is the main one: also when its run is over and the next has begun.
begin_handed() {
	expect_exit 0 ctl start handed
	main=$(pid_of handed)
	first=$(awk '{print $4}' "/proc/$main/stat")
	kill -KILL $(processes_of notify)
}
begin_handed
before=$first
expect_exit 0 ctl stop handed
has_ended "$main" || fail "the main process was not stopped"
left=$(ctl --json events handed | jq -r 'select(.event == "left_behind") | .text')
matches "what was reported" "$left" "pid $before \\((sh|family)\\)"
begin_handed
has_ended "$before" && fail "the former main process did not outlive the run"
expect_exit 0 ctl stop handed
kill -KILL "$before" "$first"

# After an end by itself the rest is ended in the same way.
mkfifo "$DIR/gate"
begin ends
echo >"$DIR/gate"
wait_for failed ends
same "what is left after an end by itself" "$(processes_of family)" ""
same "how that ended" "$(field ends '"\(.last_exit.kind) \(.last_exit.code)"')" "exit 3"
effd_stop
