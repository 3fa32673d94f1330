#!/bin/bash
# SPDX-License-Identifier: MIT
# Every exit code and every deadly signal is told as it was.
. "${0%/*}/lib.sh"
ulimit -S -c 0
deadly="1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 25 26 27 29 30 31 $(seq -s ' ' 34 64)"
tree() {
	printf 'version: 1\ndefaults: {type: oneshot, restart: no}\nunits:\n'
	for code in {0..255}; do printf '  code%d: {command: [sh, -c, exit %d]}\n' "$code" "$code"; done
	printf '  dumps: {shell: "kill -SEGV $$", working_dir: %s, limits: {core: infinity}}\n' "$DIR/tmp"
	printf '  holds: {shell: "kill -SEGV $$", working_dir: %s, limits: {core: 0}}\n' "$DIR/tmp"
	for signal in $deadly; do printf '  signal%d: {shell: "kill -%d $$; exit 1"}\n' "$signal" "$signal"; done
}
effd_start < <(tree)
ctl --json status >"$DIR/status.json"
same "the exit codes" "$(jq -r '.units[] | select(.name | startswith("code")) |
	"\(.name) \(.state) \(.last_exit.kind) \(.last_exit.code) \(.last_exit.signal) \(.last_exit.core)"' "$DIR/status.json")" \
	"$(for code in {0..255}; do echo "code$code $([ "$code" -eq 0 ] && echo done || echo failed) exit $code null null"; done)"
same "the signals" "$(jq -r '.units[] | select(.name | startswith("signal")) | .name as $n |
	if ($n[6:] | tonumber) < 32 then . else .last_exit.signal |= .[:3] end |
	"\(.name) \(.state) \(.last_exit.kind) \(.last_exit.code) \(.last_exit.signal) \(.last_exit.core)"' "$DIR/status.json")" \
	"$(for signal in $deadly; do
		name=SIG$(kill -l "$signal")
		# One number, two names.
		[ "$signal" -ne 29 ] || name=SIGPOLL
		[ "$signal" -lt 32 ] || name=SIG
		echo "signal$signal failed signal null $name false"
	done)"
# Where the kernel writes it, and may.
core_of() { jq -r --arg unit "$1" '.units[] | select(.name == $unit) | "\(.state) \(.last_exit.kind) \(.last_exit.signal) \(.last_exit.core)"' "$DIR/status.json"; }
if [[ $(</proc/sys/kernel/core_pattern) != [\|/]* ]] && [ "$(ulimit -H -c)" != 0 ]; then
	same "one that leaves a core" "$(core_of dumps)" "failed signal SIGSEGV true"
	[ -n "$(ls "$DIR"/tmp/core*)" ] || fail "there is no core"
	matches "what a person is told" "$(ctl explain dumps)" 'SIGSEGV.*core'
fi
same "one that may leave none" "$(core_of holds)" "failed signal SIGSEGV false"
same "none was started again" "$(jq -c '.units | map(select(.kind == "process") | .starts) | unique' "$DIR/status.json")" '[1]'
effd_stop
