#!/bin/bash
# SPDX-License-Identifier: MIT
# A unit with replicas: each is a process of its own with its own number, its name stands for all of them wherever units
# are asked for, and a reload that changes how many there are touches no other.
. "${0%/*}/lib.sh"
tree() { # HOW MANY
	cat <<TREE
version: 1
daemon: {log_dir: $DIR/log}
units:
  web: {command: [sleep, "1000000"], depends_on: [pool/fetch]}
  pool:
    strategy: rest_for_one
    units:
      fetch:
        shell: trap 'echo "\$N was told"' HUP; echo "\$N is here"; while :; do sleep 1000000 & wait; done
        replicas: $1
        environment: {N: "\${INSTANCE} of \${UNIT}"}
        log: {stdout: file}
        restart: {backoff: {initial: 1ms}}
      last: {command: [sleep, "1000000"]}
TREE
}
pids() { ctl --json status "$@" | jq -r '[.units[] | select(.kind == "process") | .pid] | join(" ")'; }
names() { ctl --json status "$@" | jq -r '[.units[].name] | join(" ")'; }
effd_start < <(tree 2)

# ── each has its number, and its name stands for all ──

same "all units" "$(names)" "/ web pool pool/fetch@1 pool/fetch@2 pool/last"
same "by their name" "$(names pool/fetch)" "pool/fetch@1 pool/fetch@2"
await_line "$DIR/log/pool/fetch@1.log" "^1 of pool/fetch@1 is here$" >/dev/null
await_line "$DIR/log/pool/fetch@2.log" "^2 of pool/fetch@2 is here$" >/dev/null
same "what they wrote" "$(ctl logs pool/fetch | sort)" \
	"pool/fetch@1 | 1 of pool/fetch@1 is here
pool/fetch@2 | 2 of pool/fetch@2 is here"
same "what is needed" "$(ctl --json status web | jq -c '.units[0].depends_on')" '["pool/fetch@1","pool/fetch@2"]'
expect_exit 0 ctl explain pool/fetch
same "explained" "$(grep -o '^pool[^ ]* is [a-z]*' <<<"$OUT")" "pool/fetch@1 is up
pool/fetch@2 is up"
expect_exit 0 ctl show pool/fetch
matches "shown" "$OUT" '^pool/fetch@2 \(process\)'

# ── verbs ──

before=$(pids pool/fetch) web=$(pids web) last=$(pids pool/last)
expect_exit 0 ctl --json signal HUP pool/fetch
same "told" "$(jq -r '[.units[] | .name + " " + .outcome] | join(", ")' <<<"$OUT")" "pool/fetch@1 done, pool/fetch@2 done"
told() { [ "$(ctl logs pool/fetch | grep -c 'was told')" -eq 2 ]; }
eventually told
expect_exit 0 ctl restart pool/fetch
read -r was1 was2 <<<"$before"
read -r is1 is2 <<<"$(pids pool/fetch)"
[ "$was1" != "$is1" ] && [ "$was2" != "$is2" ] || fail "not both of $before were restarted: $is1 $is2"
same "who depends on them" "$(pids web)" "$web"

expect_exit 0 ctl --json stop pool/fetch
same "stopped" "$(jq -r '[.units[] | .name + " " + .state] | join(", ")' <<<"$OUT")" \
	"web waiting, pool/fetch@1 down, pool/fetch@2 down"
expect_exit 0 ctl start pool/fetch@2
expect_exit 0 ctl wait --for waiting web
expect_exit 0 ctl start pool/fetch
expect_exit 0 ctl wait --timeout 60s --for up 'pool/fet?h' web

# An end of one is its own business, and that of those after it.
read -r one two <<<"$(pids pool/fetch)"
last=$(pids pool/last)
kill -KILL "$two"
again() { [ "$(pids pool/fetch@2)" != "$two" ] && [ "$(pids pool/last)" != "$last" ]; }
eventually again
expect_exit 0 ctl wait --timeout 60s --for up pool/fetch pool/last
same "the other one" "$(pids pool/fetch@1)" "$one"
same "counts" "$(ctl --json status pool/fetch | jq -c '[.units[].restarts]')" "[0,1]"

# ── how many there are ──

before=$(pids pool/fetch) web=$(pids web) last=$(pids pool/last)
tree 4 >"$TREE"
expect_exit 0 ctl --json plan
same "the plan" "$(jq -c '.changes | map([.unit, .action])' <<<"$OUT")" \
	'[["pool/fetch@3","start"],["pool/fetch@4","start"]]'
expect_exit 0 ctl reload
expect_exit 0 ctl wait --timeout 60s --for up pool/fetch
same "all of them" "$(names pool/fetch)" "pool/fetch@1 pool/fetch@2 pool/fetch@3 pool/fetch@4"
read -r is1 is2 three four <<<"$(pids pool/fetch)"
same "the first" "$is1 $is2" "$before"
tree 1 >"$TREE"
expect_exit 0 ctl reload
same "what is left" "$(names pool/fetch)" "pool/fetch@1"
same "the first" "$(pids pool/fetch)" "$is1"
for pid in "$is2" "$three" "$four"; do
	[ ! -e "/proc/$pid" ] || fail "$pid is still there"
done
same "the others" "$(pids web) $(pids pool/last)" "$web $last"
expect_exit 4 ctl status pool/fetch@2
tree 0 >"$TREE"
expect_exit 0 ctl reload
expect_exit 0 ctl --json restart pool/fetch
same "none" "$(jq -c .units <<<"$OUT")" "[]"
expect_exit 0 ctl stop pool/fetch
same "none to stop" "$OUT" "pool/fetch has no replicas"
expect_exit 0 ctl logs pool/fetch
same "none that say anything" "$OUT$ERR" "pool/fetch has no replicas"
expect_exit 0 ctl wait --for up pool/fetch
same "who needs none of them" "$(pids web)" "$web"

# ── what cannot be ──

tree 2 | sed "s|stdout: file|stdout: {file: $DIR/shared.log}|" >"$DIR/bad.yaml"
expect_exit 1 "$BUILD/effctl" check "$DIR/bad.yaml"
matches "a log for all" "$ERR$OUT" 'error\[E311\]: `log.stdout` is the same for all 2 replicas of `pool/fetch`'
effd_stop
