#!/bin/bash
# SPDX-License-Identifier: MIT
# "A minute to your first service" of README.md, line by line as a newcomer types it. A line that this test does not know
# how to type fails it.
. "${0%/*}/lib.sh"
need_apart # The port in README may be anybody's outside.
need python3
ln -s "$BUILD" build
minute() { sed -n '/^## A minute/,/^The whole language/p' "$here/../../README.md" | sed -n 's/^    //p'; }
matches "what README says" "$(minute)" "^cat > web.yaml <<'END'$"
minute | sed -n "/^cat > web.yaml/,/^END$/p" | sed '1d;$d' >web.yaml
[ -s web.yaml ] || fail "README.md has no web.yaml"

# The lines to type, without what they say of themselves. effd stays in the foreground, so here it is in the background.
minute | sed "/^scripts\/setup \&\& make /d; /^cat > web.yaml/,/^END$/d; s/  *#.*//" >lines
same "how often effd is started" "$(grep -c '^build/effd ' lines)" 1
export EDITOR="sed -i s/hello/hallo/"
typed=0
while read -r line <&3; do
	typed=$((typed + 1))
	case $line in
	'build/effd -c '*' --socket ./demo.sock')
		eval "$line" >"$DIR/effd.out" 2>"$DIR/effd.log" 3<&- &
		EFFD=$!
		SOCKET=./demo.sock
		eventually answers
		wait_for up greeter web
		;;
	'build/effctl logs -f greeter')
		follow 1 '.text == "hello"' logs -f greeter >/dev/null
		;;
	'build/effctl '* | 'export '* | "\$EDITOR "*)
		eval "$line" >"$DIR/typed.out" 2>&1 3<&- || fail "exit $? of: $line: $(cat "$DIR/typed.out")"
		;;
	*) fail "README.md says what this test cannot type: $line" ;;
	esac
	case $line in
	*' restart web') matches "what $line says" "$(cat typed.out)" '^web: up' ;;
	*' plan') matches "what $line says" "$(cat typed.out)" '^greeter +restart +shell' ;;
	*' reload')
		follow 1 '.text == "hallo"' logs -f greeter >/dev/null
		same "what was not changed" "$(field web .starts) $(field greeter .starts)" "2 2"
		;;
	esac
done 3<lines
[ "$typed" -ge 9 ] || fail "README.md has only $typed lines to type"
status=0
wait "$EFFD" || status=$?
EFFD=
same "how effd ended" "$status" 0
matches "what effd printed" "$(cat effd.out)" '^greeter \| hello$'
