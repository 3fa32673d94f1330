#!/bin/bash
# SPDX-License-Identifier: MIT
# What the manual pages show can be typed as it stands there: trees are good ones, commands do what is said, programs compile. A
# line that this test does not know how to type fails it. Examples of single fields are held by tests/daemon/test_manual.c.
. "${0%/*}/lib.sh"
need jq python3
man=$BUILD/man

# Block NUMBER of a page, as somebody copies it from the terminal.
block() { # PAGE NUMBER
	awk -v wanted="$2" '/^\.Bd -literal -offset indent$/ { on = ++n == wanted; next } /^\.Ed/ { on = 0 } on' "$man/$1" |
		sed 's/\\e/\\/g'
}
blocks() { grep -c '^\.Bd -literal -offset indent$' "$man/$1"; }
# Lines to type end where no backslash or bar says that they go on.
lines() { sed -e ':more' -e '/[|\\]$/ { N; s/\n[ \t]*/ /; b more' -e '}'; }

# ── Trees ──

mkdir trees
for n in $(seq "$(blocks effd.yaml.5)"); do
	block effd.yaml.5 "$n" >"trees/$n.yaml"
	case $(head -n 1 "trees/$n.yaml") in
	version:*) ;;
	security:*)
		# One after the other.
		awk -v RS='security:' 'NR > 1 { print "version: 1\nunits:\n  a:\n    command: [/bin/true]\n    security:" $0 > "trees/'"$n"'." NR ".yaml" }' \
			<(sed '/^ /s/^/    /' "trees/$n.yaml")
		rm "trees/$n.yaml"
		;;
	*) fail "effd.yaml(5) shows what is no tree: $(<"trees/$n.yaml")" ;;
	esac
done
[ "$(find trees -type f | wc -l)" -ge 6 ] || fail "few trees were looked at"
for tree in trees/*; do expect_exit 0 "$BUILD/effctl" check "$tree"; done
# The first runs.
effd_start <trees/1.yaml
wait_for up db web workers heartbeat
wait_for done migrate
effd_stop

# ── effd(8) ──

PATH=$BUILD:$PATH
mkdir typed
cd typed
cp ../trees/1.yaml tree.yaml
[ "$(block effd.8 1 | lines | wc -l)" -ge 2 ] || fail "effd(8) has few examples"
while read -r line <&3; do
	case $line in
	*--check) expect_exit 0 eval "$line" ;;
	'effd -c tree.yaml --socket ./control.sock')
		# Instead of a shell that waits for it.
		eval "exec $line" >>"$DIR/effd.log" 2>&1 3<&- &
		EFFD=$!
		SOCKET=./control.sock
		eventually answers
		expect_exit 0 ctl shutdown
		wait "$EFFD"
		EFFD=
		;;
	*) fail "effd(8) says what this test cannot type: $line" ;;
	esac
done 3< <(block effd.8 1 | lines)
cd ..

# ── effctl(1) ──

# In memory, where that can be had: there it has a status file beside it.
mkdir -p "$DIR/run"
mount -t tmpfs -o mode=755 none "$DIR/run" 2>/dev/null || true
SOCKET=$DIR/run/control.sock
export EFFD_SOCKET=$SOCKET
effd_start <<<'
version: 1
units:
  web: {shell: "echo here; exec sleep infinity"}
  workers: {strategy: simple_one_for_one, template: {command: [sleep, infinity]}}'
for unit in web db; do printf '[Service]\nExecStart=/bin/true\n' >typed/$unit.service; done
cd typed
typed=0
while read -r line <&3; do
	typed=$((typed + 1))
	case $line in
	'effctl logs -f '*) follow 1 '.text == "here"' ${line#effctl } >/dev/null ;;
	'effctl '* | 'echo '*) expect_exit 0 eval "$line" ;;
	*) fail "effctl(1) says what this test cannot type: $line" ;;
	esac
	case $line in
	'effctl explain '*) matches "what $line says" "$OUT" '^web is up' ;;
	*' add '*) matches "what $line says" "$OUT" '^workers/w7: up' ;;
	*' import '*) expect_exit 0 effctl check tree.yaml ;;
	esac
done 3< <(block effctl.1 1 | lines)
[ "$typed" -ge 8 ] || fail "effctl(1) has only $typed examples"
cd ..

# ── effd-control(7) ──

for n in $(seq "$(blocks effd-control.7)"); do
	text=$(block effd-control.7 "$n" | lines)
	case $text in
	'{'*) same "what Add takes" "$(jq -r 'keys | join(" ")' <<<"$text")" "file supervisor tree" ;;
	*socat*)
		# As its author means it, and with the socket of this effd.
		matches "the example of effd-control(7)" "$text" '^printf .*\\0'
		text=${text/\/run\/effd\/control.sock/$SOCKET}
		! command -v socat >/dev/null || same "effd's answer" "$(eval "$text" | tr '\0' '\n')" '{"parameters":{}}'
		;;
	'od '*.status)
		text=${text/\/run\/effd\/control.sock/$SOCKET}
		[ ! -e "$SOCKET.status" ] ||
			same "how many units" "$(eval "$text" | tr -d ' ')" "$(ctl status --json | jq '.units | length')"
		;;
	*) fail "effd-control(7) shows what this test does not know: $text" ;;
	esac
done
effd_stop

# ── libeff(3) ──

block libeff.3 1 >hello.c
${CC:-cc} -std=gnu17 -I"$here/../../lib/include" -o hello hello.c "$BUILD/libeff.a" -lev \
	$(pkg-config --libs libuv 2>/dev/null) -lm -lpthread
same "hello" "$(./hello)" "hello, world"
