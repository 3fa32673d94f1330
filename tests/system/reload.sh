#!/bin/bash
# SPDX-License-Identifier: MIT
# A reload touches what has changed and nothing else; a plan says so first.
. "${0%/*}/lib.sh"
compile family
first() {
	cat <<TREE
version: 1
units:
  same: {command: $DIR/bin/family}
  live: {command: $DIR/bin/family, restart: {max_restarts: 3}}
  changed: {command: $DIR/bin/family, environment: {A: "1"}}
  gone: {command: $DIR/bin/family}
  stopped: {command: $DIR/bin/family, environment: {A: "1"}}
TREE
}
second() {
	cat <<TREE
version: 1
units:
  same: {command: $DIR/bin/family}
  live: {command: $DIR/bin/family, restart: {max_restarts: 4}}
  changed: {command: $DIR/bin/family, environment: {A: "2"}}
  stopped: {command: $DIR/bin/family, environment: {A: "2"}}
  fresh: {command: $DIR/bin/family}
TREE
}
changes() { jq -c '.changes | map([.unit, .action, .fields]) | sort | .[]' <<<"$1"; }
effd_start < <(first)
expect_exit 0 ctl stop stopped
same=$(pid_of same) live=$(pid_of live) changed=$(pid_of changed) gone=$(pid_of gone)

expect_exit 0 ctl --json plan
same "nothing to do" "$(jq -c .changes <<<"$OUT")" "[]"
second >"$TREE"
expect_exit 0 ctl --json plan
plan=$OUT
wanted='["changed","restart",["environment"]]
["fresh","start",[]]
["gone","stop",[]]
["live","live",["restart.max_restarts"]]
["stopped","restart",["environment"]]'
same "the plan" "$(changes "$plan" | sed 's/\["stopped","[a-z]*"/["stopped","restart"/; s/\["fresh","start",.*/["fresh","start",[]]/; s/\["gone","stop",.*/["gone","stop",[]]/')" "$wanted"
id=$(jq -r .id <<<"$plan")
same "a plan does nothing" "$(pid_of changed) $(pid_of gone)" "$changed $gone"
expect_exit 0 ctl plan
matches "a plan for people" "$OUT" 'changed'

# A plan is for the tree that it was made of.
second | sed 's/A: "2"/A: "3"/' >"$TREE"
expect_exit 1 ctl --json reload --plan "$id"
await_notice RELOADING=1
await_notice READY=1
same "the refusal" "$(jq -r .error <<<"$OUT")" org.effd.Control.PlanChanged
same "nothing was done" "$(pid_of changed) $(pid_of gone)" "$changed $gone"
second >"$TREE"
expect_exit 0 ctl --json plan
id=$(jq -r .id <<<"$OUT")
expect_exit 0 ctl --json reload --plan "$id"
await_notice RELOADING=1
await_notice READY=1
same "what was done" "$(changes "$OUT" | cut -d, -f1)" "$(cut -d, -f1 <<<"$wanted")"
wait_for up fresh changed
same "what did not change is untouched" "$(pid_of same) $(pid_of live) $(field same .starts)" "$same $live 1"
[ "$(pid_of changed)" != "$changed" ] || fail "changed was not restarted"
matches "the new environment" "$(tr '\0' '\n' <"/proc/$(pid_of changed)/environ")" '^A=2$'
expect_exit 4 ctl status gone
[ ! -e "/proc/$gone" ] || fail "gone still runs"
same "what an operator stopped stays down" "$(state stopped)" down

# Another name, another supervisor: two units, and said so.
second | sed "s|^  fresh:|  group: {units: {live: {command: $DIR/bin/family, restart: {max_restarts: 4}}}}\n  new:|; /^  live:/d" >"$TREE"
expect_exit 0 ctl plan
matches "a unit that moved" "$OUT" '^live +stop +moved from live to group/live: stopped and started$'
matches "where it moved" "$OUT" '^group/live +start +moved from live to group/live: stopped and started$'
matches "a unit that was renamed" "$OUT" '^new +start +renamed from fresh to new: stopped and started$'
expect_exit 0 ctl --json plan
same "moved, for programs" "$(jq -c '.changes[] | select(.moved_to) | [.unit, .moved_to]' <<<"$OUT" | sort | tr '\n' ' ')" \
	'["fresh","new"] ["live","group/live"] '
second >"$TREE"

# One of the new tree fails: it says so, what is new all the same, and what is as it was.
second | sed "s|^  fresh:.*|  fresh: {command: $DIR/bin/nothing-of-this-name, restart: no}|; /^  gone/d" >"$TREE"
printf '  late: {command: %s, type: notify, start_timeout: 300ms, restart: no}\n' "$DIR/bin/family" >>"$TREE"
printf '  good: {command: %s}\n' "$DIR/bin/family" >>"$TREE"
expect_exit 1 ctl --json reload
await_notice RELOADING=1
await_notice READY=1
same "what became of it" "$(jq -c '.changes[] | [.unit, .action, .outcome, .applied, .state, .cause.kind]' <<<"$OUT")" \
	'["fresh","restart","failed",true,"failed","exec_error"]
["late","start","failed",true,"failed","start_timeout"]
["good","start","done",true,"up",null]'
same "the others are as they were" "$(pid_of same) $(pid_of live)" "$same $live"
printf '  other: {command: %s, restart: no}\n' "$DIR/bin/nothing-of-this-name" >>"$TREE"
expect_exit 1 ctl reload
await_notice RELOADING=1
await_notice READY=1
matches "in words" "$OUT" '^1 of 1 did not come about:$'
matches "why" "$OUT" '^other: failed: .*ENOENT'
matches "what is new" "$OUT" '^new: other$'
matches "and the rest" "$OUT" '^all other units are as they were$'
second >"$TREE"
expect_exit 0 ctl reload
await_notice RELOADING=1
await_notice READY=1
wait_for up fresh

# By signal, with a bad tree first.
printf 'version: 1\nunits: {bad: {comand: x}}\n' >"$TREE"
kill -HUP "$EFFD"
await_notice RELOADING=1
await_notice READY=1
expect_exit 0 ctl ping
same "a bad tree changes nothing" "$(pid_of same) $(state fresh)" "$same up"
await_line "$DIR/effd.log" 'tree\.yaml:2:[0-9]+: error\[E201\]' >/dev/null
expect_exit 1 ctl plan
same "the line of an error" "$(sed -n '2p; 3s/ *//gp' <<<"$ERR")" $'    2 | units: {bad: {comand: x}}\n|^'
printf 'version: 1\nunits:\n  a: {shell: x}\n  a: {shell: y}\n' >"$TREE"
expect_exit 1 ctl reload
await_notice RELOADING=1
await_notice READY=1
await_line "$DIR/effd.log" 'note: .*tree\.yaml:3:3: ' >/dev/null
rm "$TREE"
expect_exit 1 ctl reload
await_notice RELOADING=1
await_notice READY=1
await_line "$DIR/effd.log" 'error: [^:]*/tree\.yaml: error\[E107\]: .*No such file' >/dev/null
same "no tree changes nothing" "$(pid_of same) $(state fresh)" "$same up"
first >"$TREE"
kill -HUP "$EFFD"
await_notice RELOADING=1
await_notice READY=1
wait_for up gone changed
expect_exit 4 ctl status fresh
same "still untouched" "$(pid_of same) $(pid_of live)" "$same $live"

# A unit's own reload.
sed -i "s|same: {command: $DIR/bin/family}|same: {command: $DIR/bin/family, reload: {command: touch $DIR/reloaded}}|" "$TREE"
expect_exit 0 ctl --json reload
same "reload is a live field" "$(changes "$OUT")" '["same","live",["reload.command"]]'
expect_exit 0 ctl reload same
[ -e "$DIR/reloaded" ] || fail "the unit's own reload was not run"
same "the pid is the same" "$(pid_of same)" "$same"
effd_stop
