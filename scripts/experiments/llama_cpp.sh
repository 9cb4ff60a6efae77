#!/usr/bin/env bash
# The same spec on builds of llama.cpp's server, and what `puma cross-arch` says of every pair that matters.
#
# Usage: llama_cpp.sh OUT MODEL PUMA SERVER_A SERVER_B
#   OUT       folder for databases, bundles and verdicts; made if it is not there
#   MODEL     path of the weights (GGUF)
#   PUMA      the program puma
#   SERVER_A  llama-server of one build, SERVER_B that of the other
# Each server runs alone with one slot and THREADS threads (default 1; they change no bit). Runs: A twice, B, and A with the
# prompt cache on.
# SPEC names another spec than cross_arch_triage.yaml, RUN_FLAGS adds flags to `puma run` (`--data titles.csv`), SERVER_FLAGS to
# the servers, PORT names another port than 18431.
set -euo pipefail

[ $# -eq 5 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=$1 model=$2 puma=$3 server_a=$4 server_b=$5
spec=${SPEC:-$(dirname "$0")/cross_arch_triage.yaml}
port=${PORT:-18431}
mkdir -p "$out"

# run NAME SERVER FLAGS…: one run on a server that was just started, as a bundle.
run() {
    local name=$1 server=$2 pid code=0
    shift 2
    rm -rf "${out:?}/$name" "$out/$name.puma-bundle"
    # shellcheck disable=SC2086
    "$server" -m "$model" --host 127.0.0.1 --port "$port" -c 8192 -np 1 -t "${THREADS:-1}" ${SERVER_FLAGS:-} > "$out/$name.server.log" 2>&1 &
    pid=$!
    # shellcheck disable=SC2086
    PUMA_DATA_DIR="$out/$name" "$puma" run "$spec" ${RUN_FLAGS:-} --backend llama-server --endpoint "http://127.0.0.1:$port" \
        --no-cache --no-emissions "$@" > "$out/$name.txt" || code=$?
    kill "$pid"
    wait "$pid" || true
    [ "$code" -eq 0 ] || exit "$code"
    PUMA_DATA_DIR="$out/$name" "$puma" bundle export latest --output "$out/$name.puma-bundle"
}

# judge NAME FIRST SECOND: a verdict as Markdown and JSON. A difference is a result, not a failure of the experiment.
judge() {
    local code=0
    "$puma" cross-arch "$out/$2.puma-bundle" "$out/$3.puma-bundle" --markdown > "$out/$1.md" || code=$?
    [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || exit "$code"
    "$puma" cross-arch "$out/$2.puma-bundle" "$out/$3.puma-bundle" --json > "$out/$1.json" 2> /dev/null || true
    echo "$1: $(sed -n 's/^Verdict: //p' "$out/$1.md")"
}

run a "$server_a"
run a-again "$server_a"
run b "$server_b"
run a-reuse "$server_a" --reuse-prompts
judge same-build a a-again
judge two-builds a b
judge prompt-cache a a-reuse
