#!/usr/bin/env bash
# The same spec by two builds of PUMA's embedded engine, and what `puma cross-arch` says of them.
#
# Usage: embedded.sh OUT MODEL FIRST SECOND
#   OUT     folder for databases, bundles and the verdict; made if it is not there
#   MODEL   path of the weights (GGUF), the same file for both
#   FIRST   command that starts one build:      target/release/puma
#   SECOND  command that starts the other, quoted: "qemu-aarch64-static -cpu max target/aarch64-…/release/puma"
# SPEC names another spec than cross_arch_triage.yaml; RUN_FLAGS adds flags to `puma run` (`--threads 2`).
set -euo pipefail

[ $# -eq 4 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out=$1 model=$2 first=$3 second=$4
spec=${SPEC:-$(dirname "$0")/cross_arch_triage.yaml}
mkdir -p "$out"

# run NAME COMMAND…: one run from scratch, as a bundle.
run() {
    local name=$1
    shift
    rm -rf "${out:?}/$name" "$out/$name.puma-bundle"
    # Words of the command and of the flags are meant to be split.
    # shellcheck disable=SC2068,SC2086
    PUMA_DATA_DIR="$out/$name" $@ run "$spec" --model "$model" --no-cache --no-emissions ${RUN_FLAGS:-} > "$out/$name.txt"
    # shellcheck disable=SC2068
    PUMA_DATA_DIR="$out/$name" $@ bundle export latest --output "$out/$name.puma-bundle"
}

# shellcheck disable=SC2086
run first $first
# shellcheck disable=SC2086
run second $second
# shellcheck disable=SC2086
$first cross-arch "$out/first.puma-bundle" "$out/second.puma-bundle" --require bit-equal --markdown | tee "$out/verdict.md"
