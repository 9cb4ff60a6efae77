#!/bin/sh
# Stops the Ollama that `puma up` started, and no other: a thin door to `puma down`.

set -eu

[ $# -eq 0 ] || {
    echo "usage: ./stop_puma_native.sh" >&2
    exit 1
}
here=$(cd "$(dirname "$0")" && pwd)
built=${CARGO_TARGET_DIR:-$here/target}/release/puma

for program in "$here/puma" "$(command -v puma || true)" "$built"; do
    [ -x "$program" ] && exec "$program" down
done
echo "stop_puma_native.sh: there is no program \`puma\` here, on the PATH or in target/release" >&2
exit 1
