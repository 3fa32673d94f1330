#!/bin/bash
# SPDX-License-Identifier: MIT
# "Install it" of README.md under a real systemd, line by line as an administrator types it. A line that this test does not know
# how to type fails it.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
boot
sed -n '/^## Install it/,/^## /p' "$root/README.md" | sed -n '/^    install -Dm/,/^$/s/^    //p' | sed 's/  *#.*//' >lines
typed=0
while read -r line <&3; do
	typed=$((typed + 1))
	case $line in
	install\ * | systemctl\ *) expect_exit 0 inside sh -c "$line" ;;
	*) fail "README.md says what this test cannot type: $line" ;;
	esac
	case $line in
	*' enable '*) same "after $line" "$(property effd ActiveState) $(property effd UnitFileState)" "active enabled" ;;
	*' status '*) matches "what $line says" "$OUT" 'Status: "[0-9]+ of [0-9]+ up' ;;
	*' reload '*) same "after $line" "$(property effd ActiveState) $(property effd Result)" "active success" ;;
	esac
done 3<lines
[ "$typed" -ge 4 ] || fail "README.md has only $typed lines to type"
expect_exit 0 inside systemctl stop effd
