#!/bin/bash
# SPDX-License-Identifier: MIT
# The schema for editors: the file in conf/ is what effctl prints, a real validator knows it for one, takes every tree that
# effd takes, and none that has a mistake which a schema can see.
. "${0%/*}/lib.sh"
root=${0%/*}/../..
schema=$root/conf/schema/effd.schema.json
expect_exit 0 "$BUILD/effctl" schema
same "conf/schema/effd.schema.json (write it anew: build/effctl schema >conf/schema/effd.schema.json)" "$(<"$schema")" "$OUT"

# An editor has something to show for each field.
same "fields without a description" "$(jq -r '."$defs" | to_entries[] | select(.key | startswith("field.")) | . as {key: $key} |
	[.value | .. | objects | .properties? // empty | to_entries[] | {key, value: .value}] + [{key: "", value: .value}] |
	.[] | select(.value.description == null) | "\($key) \(.key)"' "$schema")" ""

judged() { /usr/bin/python3 -B "${0%/*}/schema.py" "$schema" "$@"; } # FILE…
mapfile -t good < <(find "$root/conf" "$root/tests/fixtures/plans/good" -name '*.yaml' ! -path '*/parts/*')
same "good trees" "$(judged "${good[@]}" | grep -v '^good' || true)" ""

# What units say of each other it cannot see, nor what a cron line means; and what is in another file.
unseen='^(include-twice-defined|env-file)$'
declare -A codes=()
for tree in "$root"/tests/fixtures/plans/bad/*.yaml; do
	name=${tree##*/}
	found=$("$BUILD/effctl" --json check "$tree" | jq -r '.diagnostics[] | select(.severity == "error") | .code' || true)
	grep -qE '^E(102|20[124-8]|21[23678])$' <<<"$found" && [[ ! ${name%.yaml} =~ $unseen ]] || continue
	codes[$tree]=${found//$'\n'/ }
done
[ "${#codes[@]}" -ge 30 ] || fail "only ${#codes[@]} bad trees were looked at"
judged "${!codes[@]}" >judged
same "trees that were judged" "$(grep -c . judged)" "${#codes[@]}"
while read -r word tree; do
	[ "$word" = bad ] || fail "the schema takes ${tree##*/}, which has: ${codes[$tree]}"
done <judged
