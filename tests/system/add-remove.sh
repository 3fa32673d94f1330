#!/bin/bash
# SPDX-License-Identifier: MIT
# Children of a simple_one_for_one supervisor come and go while effd runs: whole or not at all, without a touch of the rest.
. "${0%/*}/lib.sh"

effd_start <<'END_OF_TREE'
version: 1
units:
  db: {command: sleep 1000}
  pool:
    strategy: simple_one_for_one
    template:
      shell: echo "$UNIT_KEY in $PWD"; exec sleep 1000
      depends_on: [db]
      environment: {UNIT_KEY: template}
END_OF_TREE

names() { ctl --json status | jq -r '[.units[].name] | join(" ")'; }
db=$(ctl --json status db | jq .units[0].pid)

# A file of its own folder; relative paths are relative to it.
mkdir more
cat >more/two.yaml <<'END_OF_FILE'
units:
  a: {environment: {UNIT_KEY: a}}
END_OF_FILE
expect_exit 0 ctl add pool more/two.yaml
matches "what add says" "$OUT" '^pool/a: up \(pid [0-9]+\)$'
same "the tree" "$(names)" "/ db pool pool/a"
expect_exit 0 ctl logs pool/a
same "its output" "$OUT" "a in $DIR/more"
same "db is as it was" "$(ctl --json status db | jq .units[0].pid)" "$db"

# From the standard input; the name is taken, or something is wrong: nothing is added.
expect_exit 1 ctl add pool - <<<'units: {c: {}, a: {}}'
same "taken" "$ERR" "effctl: there is a unit of this name; nothing was added: pool/a"
printf 'units:\n  c: {comand: x}\n  d: {depends_on: [dbb]}\n' >more/bad.yaml
expect_exit 1 ctl add pool more/bad.yaml
same "what is wrong" "$ERR" "$DIR/more/bad.yaml:2:7: error[E201]: unknown key \`comand\`
    2 |   c: {comand: x}
      |       ^
   help: did you mean \`command\`?
$DIR/more/bad.yaml:3:20: error[E301]: there is no unit \`dbb\`
    3 |   d: {depends_on: [dbb]}
      |                    ^
   help: units beside it: a, c
effctl: the tree has errors; nothing was changed"
expect_exit 1 ctl add pool - <<<'units: {c: {comand: x}}'
same "what is wrong with the standard input" "$ERR" "$DIR/<stdin>:1:13: error[E201]: unknown key \`comand\`
    1 | units: {c: {comand: x}}
      |             ^
   help: did you mean \`command\`?
effctl: the tree has errors; nothing was changed"
expect_exit 1 ctl add pool - <<<$'\xff'
same "no text" "$ERR" "effctl: cannot read the standard input: it is no text in UTF-8"
expect_exit 1 ctl add db more/two.yaml
expect_exit 4 ctl add dbb more/two.yaml
expect_exit 1 ctl add pool more/none.yaml
head -c 2000000 /dev/zero | tr '\0' '#' >more/long.yaml
expect_exit 1 ctl add pool more/long.yaml
printf '\xff' >more/binary.yaml
expect_exit 1 ctl add pool more/binary.yaml
same "the tree is as it was" "$(names)" "/ db pool pool/a"

# A unit like any other; one that fails its start says so and goes on by its policy.
expect_exit 0 ctl add pool - <<<'units: {b: {depends_on: [a]}, c: {}}'
same "where it is from" "$(ctl --json show pool/b | jq -r '.units[].values[] | select(.field == "depends_on") | .place.file')" "$DIR/<stdin>"
expect_exit 1 ctl --json add pool - <<<"units: {bad: {shell: 'echo oh; exit 3'}}"
same "a failed start" "$(jq -c '.units[] | [.name, .outcome, .output]' <<<"$OUT")" '["pool/bad","failed",["oh"]]'
expect_exit 0 ctl --json stop db
same "dependants" "$(jq -r '[.units[].name] | sort | join(" ")' <<<"$OUT")" "db pool/a pool/b pool/c"
expect_exit 0 ctl start db
expect_exit 0 ctl wait --for up pool/a pool/b pool/c

# A reload keeps them, and a changed template is what changes them.
pid=$(ctl --json status pool/c | jq .units[0].pid)
sed -i 's/UNIT_KEY: template/UNIT_KEY: changed/' "$TREE"
expect_exit 0 ctl plan
matches "the plan" "$OUT" '^pool/c +restart +environment$'
matches "what the plan says of the template" "$OUT" '^pool +live +template$'
[[ $OUT != *pool/a* ]] || fail "the plan has pool/a, whose environment is its own"
expect_exit 1 ctl reload
matches "the one that fails its start again" "$OUT" '^1 of 4 did not come about:$'
matches "which" "$OUT" '^pool/bad: failed, backoff: exit 3$'
expect_exit 0 ctl wait --for up pool/c
[ "$(ctl --json status pool/c | jq .units[0].pid)" != "$pid" ] || fail "pool/c was not restarted"

# What is removed is gone, with its process, its output, and its name.
expect_exit 1 ctl remove pool/c
matches "it runs" "$ERR" '^effctl: it does not rest; nothing was removed: pool/c: up \(--now kills it\)$'
expect_exit 1 ctl remove --now pool/a
matches "it is named" "$ERR" '^effctl: it is named by pool/b, which stays: pool/a$'
expect_exit 1 ctl remove --now db
expect_exit 0 ctl stop pool/c
expect_exit 0 ctl remove pool/c
same "what remove says" "$OUT" "pool/c: removed"
expect_exit 4 ctl logs pool/c
pid=$(ctl --json status pool/b | jq .units[0].pid)
expect_exit 0 ctl remove --now 'pool/*'
! kill -0 "$pid" 2>/dev/null || fail "pool/b is still there"
same "nothing is left" "$(names)" "/ db pool"

# One whose policy is no is forgotten at its end, and who added it is told of that end first.
expect_exit 0 ctl add pool - <<<"units: {job: {type: oneshot, restart: no, shell: 'echo done'}}"
same "a job" "$OUT" "pool/job: done"
same "it is forgotten" "$(names)" "/ db pool"

# They do not outlive their supervisor.
expect_exit 0 ctl add pool more/two.yaml
expect_exit 0 ctl restart pool
same "a restart" "$(names)" "/ db pool"
expect_exit 0 ctl stop pool
expect_exit 1 ctl add pool more/two.yaml
same "it is down" "$ERR" "effctl: it does not run, so it can have no children: pool: down"

# Many at once, by many.
expect_exit 0 ctl start pool
for i in 1 2 3 4 5 6 7 8; do
	ctl add pool - <<<"units: {a$i: {}, b$i: {}}" >/dev/null &
	adding[i]=$!
done
for i in 1 2 3 4 5 6 7 8; do wait "${adding[i]}"; done
same "all of them" "$(ctl --json status 'pool/*' | jq '.units | length')" 16
expect_exit 0 ctl remove --now 'pool/*'
effd_stop
