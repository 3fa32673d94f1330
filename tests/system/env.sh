#!/bin/bash
# SPDX-License-Identifier: MIT
# A unit's environment is what the tree gives, to the letter; variables in the tree are filled in once and split nowhere.
. "${0%/*}/lib.sh"
compile world
printf '# a comment\nFROM_FILE=file value\n\nSECOND=2\n' >"$DIR/vars"
export SPACED='two  words' YAMLISH='[a, {b: c}]' DOLLAR='$HOME ${HOME}' NUMBER=8080 EMPTY= SECRET=hidden LC_TIME=C FOO_A=1 FOO_B=2
unset ABSENT
export WATCHDOG_USEC=10000000 WATCHDOG_PID=$$ LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=x INVOCATION_ID=x
unset LANG LC_ALL TZ
effd_start <<'TREE'
version: 1
defaults: {type: oneshot, restart: no, log: {stdout: ring}, env_inherit: []}
units:
  none: {command: bin/world, environment: {WORLD: env}}
  given:
    command: bin/world
    environment:
      WORLD: env
      PLAIN: a value
      EMPTY: ""
      FILLED: "<${SPACED}>"
      DEFAULTED: ${ABSENT:-other wise}
      EMPTY_TOO: ${EMPTY:-when empty}
      YAMLISH: ${YAMLISH}
      DOLLAR: ${DOLLAR}
      PRICE: $$5 and $5
      UNIT_NAME: ${UNIT}
      NUMBER: "${NUMBER}"
      EQUALS: a=b=c
      UNICODE: "grün\ttab"
  filed: {command: bin/world, env_file: [vars, "?absent"], environment: {WORLD: env}}
  inherited: {command: bin/world, env_inherit: [FOO_*, LC_*, ABSENT, EMPTY], environment: {WORLD: env}}
  list: {command: [bin/world, "${SPACED}", "a b", "", "$$x", "*"], environment: {WORLD: args}}
  text: {command: "bin/world ${SPACED} 'a b' \"c  d\" e\\ f * ''", environment: {WORLD: args}}
  shell: {shell: 'exec bin/world "${SPACED-unset}" "$$" "$HERE"', environment: {WORLD: args, HERE: here}}
  typed: {command: "true", stop: {timeout: "${NUMBER}ms"}}
TREE
lines() { ctl --json logs "$1" | jq -r .text; }
env_of() { lines "$1" | sed -n 's/^env //p'; }
same "the end of each" "$(ctl --json status | jq -r '.units | map(select(.kind == "process") | "\(.name) \(.state)") | join(",")')" \
	"none done,given done,filed done,inherited done,list done,text done,shell done,typed done"
same "no environment" "$(env_of none)" "WORLD=env"
same "the environment given" "$(lines given)" "$(printf '%s\n' 'env DEFAULTED=other wise' 'env DOLLAR=$HOME ${HOME}' 'env EMPTY=' \
	'env EMPTY_TOO=when empty' 'env EQUALS=a=b=c' 'env FILLED=<two  words>' 'env NUMBER=8080' 'env PLAIN=a value' 'env PRICE=$5 and $5' \
	'env UNICODE=grün\x09tab' 'env UNIT_NAME=given' 'env WORLD=env' 'env YAMLISH=[a, {b: c}]' end)"
same "from a file" "$(env_of filed)" $'FROM_FILE=file value\nSECOND=2\nWORLD=env'
same "inherited" "$(env_of inherited)" $'EMPTY=\nFOO_A=1\nFOO_B=2\nLC_TIME=C\nWORLD=env'
same "a list of arguments" "$(lines list)" "$(printf 'arg %s\n' 'two  words' 'a b' '' '$x' '*'; echo end)"
same "a command as text" "$(lines text)" "$(printf 'arg %s\n' 'two  words' 'a b' 'c  d' 'e f' '*' ''; echo end)"
matches "shell text is left alone" "$(lines shell)" '^arg unset$'
matches "shell text is left alone" "$(lines shell)" '^arg [0-9]+$'
matches "shell text is left alone" "$(lines shell)" '^arg here$'
effd_stop

# What must be there and is not.
printf 'version: 1\nunits:\n  a: {command: x, description: "${ABSENT:?say what to do}"}\n' >"$TREE"
expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
matches "a required variable" "$ERR" 'tree\.yaml:3:[0-9]+: error\[E215\]'
matches "its message" "$ERR" 'say what to do'
printf 'version: 1\nunits:\n  a: {command: x, env_file: absent}\n' >"$TREE"
expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
matches "a missing env_file" "$ERR" 'tree\.yaml:3:[0-9]+: error\[E107\]: cannot read .*/absent: No such file'
printf 'version: 1\nunits:\n  a: {command: x, env_file: "?absent"}\n' >"$TREE"
expect_exit 0 "$BUILD/effctl" check "$TREE"
