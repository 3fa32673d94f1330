#!/bin/bash
# SPDX-License-Identifier: MIT
# libeff beside what else switches between many things in one thread, and beside what is left when nothing but that is done
# (others/limit.c). Each measure is a process, all take turns round by round, and the best round counts. What is not there is
# skipped: README.md says what each needs. Prints `measure.library value unit`. BENCH_ROUNDS is a number.
set -euo pipefail
: "${BUILD:?is the folder of tests/bench/fibers}"
here=$(cd "${0%/*}" && pwd)/others
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
libraries=(libeff limit)
skipped() { echo "bench: $1 is skipped: $2" >&2; }

read -ra cc <<<"${CC:-cc}"
compile() { "${cc[@]}" -std=gnu17 -D_GNU_SOURCE -O2 -o "$@"; }
build_as() { # LIBRARY DRIVER FLAGS…
	local library=$1 driver=$2
	shift 2
	if compile "$dir/$library" "$here/$driver.c" "$@" 2>"$dir/why"; then
		libraries+=("$library")
	else
		skipped "$library" "$(grep -m 1 -E 'error|cannot|undefined' "$dir/why")"
	fi
}
build() { build_as "$1" "$@"; } # LIBRARY FLAGS…
checkout() { # LIBRARY FOLDER: is there one?
	[ -n "$2" ] && return 0
	skipped "$1" "no checkout is named by ${1^^}"
	return 1
}
ln -s "$BUILD/tests/bench/fibers" "$dir/libeff"
compile "$dir/limit" "$here/limit.c"
build boost -lboost_context
build ucontext
build pth -lpth
build threads -pthread
# As their own documents have it for speed: without assertions; libdill and neco on stacks of which 100,000 can be had, too.
if checkout libdill "${LIBDILL-}"; then
	parts=()
	for part in chan cr ctx handle libdill now pollset rbtree stack utils; do parts+=("$LIBDILL/$part.c"); done
	build libdill -w -DNDEBUG "-I$LIBDILL" "${parts[@]}"
	build_as libdill_unguarded libdill -w -DNDEBUG -DDILL_NOGUARD "-I$LIBDILL" "${parts[@]}"
fi
if checkout neco "${NECO-}"; then
	build neco -w -O3 -DNDEBUG "-I$NECO" "$NECO/neco.c" -pthread
	build_as neco_128k neco -w -O3 -DNDEBUG -DNECO_STACKSIZE=131072 -DNECO_GAPSIZE=4096 "-I$NECO" "$NECO/neco.c" -pthread
fi
if checkout minicoro "${MINICORO-}"; then
	build minicoro -w -DNDEBUG -DMCO_NO_DEBUG "-I$MINICORO"
	build_as minicoro_vmem minicoro -w -DNDEBUG -DMCO_NO_DEBUG -DMCO_USE_VMEM_ALLOCATOR "-I$MINICORO"
fi
if checkout libaco "${LIBACO-}"; then
	build libaco -w -DNDEBUG "-I$LIBACO" "$LIBACO/aco.c" "$LIBACO/acosw.S"
fi
if command -v go >/dev/null; then
	GOCACHE=$dir/cache GO111MODULE=off go build -o "$dir/go" "$here/goroutines.go" && libraries+=(go)
else
	skipped go "it is not installed"
fi
if command -v python3 >/dev/null; then
	printf '#!/bin/sh\nexec python3 %s "$@"\n' "$here/tasks.py" >"$dir/asyncio"
	chmod +x "$dir/asyncio"
	libraries+=(asyncio)
else
	skipped asyncio "python3 is not installed"
fi

for _ in $(seq "${BENCH_ROUNDS:-3}"); do
	for measure in switch message fork_await live sleep timers; do
		for library in "${libraries[@]}"; do
			timeout 120 "$dir/$library" "$measure" 2>/dev/null | sed "s/^/$library /" || true
		done
	done
done >"$dir/all"

awk '
	{ key = $2 SUBSEP $1; if (!(key in best) || $3 < best[key]) best[key] = $3; unit[$2] = $4
	  if (!($2 in known)) { known[$2] = 1; order[++n] = $2 }
	  if (!($1 in is)) { is[$1] = 1; library[++m] = $1 } }
	END { for (i = 1; i <= n; i++) for (k = 1; k <= m; k++) if ((order[i], library[k]) in best)
		printf "%s.%s %s %s\n", order[i], library[k], best[order[i], library[k]], unit[order[i]] }' "$dir/all"
