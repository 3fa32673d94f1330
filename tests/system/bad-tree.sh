#!/bin/bash
# SPDX-License-Identifier: MIT
# A bad tree starts nothing, and every error of it is told at once, each with its place and with what to write.
. "${0%/*}/lib.sh"
cat >"$TREE" <<'TREE'
version: 1
name: bad
units:
  marker:
    type: oneshot
    shell: touch started
  unknown:
    comand: [x]
    shell: exec x
  typed:
    command: {a: b}
  timed:
    shell: exec x
    stop: {timeout: 30}
  flagged:
    shell: exec x
    critical: yes
  worded:
    shell: exec x
    type: onshot
  foreign:
    shell: exec x
    ExecStart: x
  lost:
    shell: exec x
    depends_on: [markr]
  one:
    shell: exec x
    depends_on: [two]
  two:
    shell: exec x
    depends_on: [one]
  both:
    shell: exec x
    command: [x]
  empty: {}
TREE
wanted='8:5 E201
11:14 E204
14:21 E205
17:15 E207
20:11 E208
23:5 E202
26:18 E301
29:18 E302
35:5 E217
36:3 E203'
places() { sed -nE 's/^.*tree\.yaml:([0-9]+:[0-9]+): error\[(E[0-9]+)\]: .+$/\1 \2/p'; }

expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
same "every error, in file order" "$(places <<<"$ERR")" "$wanted"
matches "the source line of an error" "$ERR" '^ *(14 *\| *)?    stop: \{timeout: 30\}'
matches "the caret under it" "$ERR" '^[ |]*\^+$'
matches "help for a duration" "$ERR" 'help: .*30s.*30ms'
matches "help for a word that is nearly right" "$ERR" 'help: .*command'
matches "help for a foreign name" "$ERR" 'help: .*command'
matches "help for a unit that is nearly right" "$ERR" 'help: .*marker'
matches "the other edge of the cycle" "$ERR" 'note: .*tree\.yaml:3[0-9]:[0-9]+: .*two'
[ ! -e started ] || fail "a unit was started"
[ ! -e "$SOCKET" ] || fail "a socket was made"

# The same by --check, by effctl without a daemon, and as JSON.
expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET" --check
same "what --check finds" "$(places <<<"$OUT$ERR")" "$wanted"
expect_exit 1 "$BUILD/effctl" check "$TREE"
same "what effctl check finds" "$(places <<<"$OUT$ERR")" "$wanted"
expect_exit 1 "$BUILD/effctl" --json check "$TREE"
same "the fields of a diagnostic" "$(jq -c '.diagnostics | map(keys) | unique' <<<"$OUT")" \
	'[["code","column","file","help","line","message","related","severity"]]'
same "what the JSON says" "$(jq -r '.diagnostics[] | select(.severity == "error") | "\(.line):\(.column) \(.code)"' <<<"$OUT")" "$wanted"
same "the files of the JSON" "$(jq -r '.diagnostics[].file' <<<"$OUT" | sort -u)" "$TREE"
same "where else the cycle is" "$(jq -r '.diagnostics[] | select(.code == "E302") | .related[].line' <<<"$OUT" | sort -u | tail -n 1)" 32

# Text that is no YAML, or not ours.
one_error() { # WHAT PLACE-AND-CODE, a tree on standard input
	cat >"$TREE"
	expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
	same "$1" "$(places <<<"$ERR")" "$2"
}
printf 'version: 1\nunits:\n  a: {shell: x\n' >"$TREE"
expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
matches "an open brace" "$ERR" 'tree\.yaml:[0-9]+:[0-9]+: error\[E101\]'
printf 'version: 1\nunits:\n\ta: {shell: x}\n' | one_error "a tab" "3:1 E102"
printf 'version: 1\nunits:\n  a: {shell: x}\n  a: {shell: y}\n' | one_error "a unit twice" "4:3 E103"
printf 'version: 1\nunits:\n  a: {shell: x, umask: 022}\n' | one_error "an unquoted mode" "3:24 E212"
printf 'version: 1\nunits:\n  a: {type: oneshot, shell: x, restart: always}\n' >"$TREE"
expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
printf 'units:\n  a: {shell: x}\n' >"$TREE"
expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
matches "no version" "$ERR" 'error\[E203\]'
: >"$TREE"
expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
matches "an empty file is named" "$ERR" 'tree\.yaml'
expect_exit 78 "$BUILD/effd" -c "$DIR/nowhere.yaml" --socket "$SOCKET"
matches "a missing file is named" "$ERR" 'nowhere\.yaml'
if [ ! -e /etc/effd/effd.yaml ]; then
	expect_exit 78 env HOME="$DIR/nobody" XDG_CONFIG_HOME= "$BUILD/effd" --socket "$SOCKET"
	matches "who gives no tree is told how" "$ERR" 'default.* -c FILE'
fi
mkdir "$DIR/folder"
expect_exit 78 "$BUILD/effd" -c "$DIR/folder" --socket "$SOCKET"
matches "an empty folder is named" "$ERR" 'folder'

# A program that is not there is a warning, and --strict makes it count.
printf 'version: 1\nunits:\n  a: {command: /nowhere/x}\n' >"$TREE"
expect_exit 0 "$BUILD/effctl" check "$TREE"
matches "the warning" "$OUT$ERR" 'tree\.yaml:3:[0-9]+: warning\[W404\]'
expect_exit 1 "$BUILD/effctl" check --strict "$TREE"
if [ "$(id -u)" -eq 0 ]; then
	printf 'version: 1\nunits:\n  a: {shell: exec x}\n' >"$TREE"
	chmod 666 "$TREE"
	expect_exit 78 "$BUILD/effd" -c "$TREE" --socket "$SOCKET"
	matches "a tree that others may write" "$ERR" 'tree\.yaml'
fi
