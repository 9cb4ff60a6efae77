#!/bin/sh
# Starts what PUMA needs and checks it: a thin door to `puma up` that keeps upstream PUMA's flags.
#
# Nothing has to be exported afterwards: `puma up` writes down where the server is, and every command reads it.

set -eu

usage() {
    cat <<'USAGE'
usage: ./start_puma.sh [options]

  --native           Ollama as a program of this system, with its GPU (Metal on a Mac); the default
  --docker           Ollama in a container
  --profile ID       hardware profile whose model is fetched, or auto
  --skip-models      fetch no model
  --skip-datasets    do not check the datasets
  --smoke-only       end after a run of three instances instead of telling what comes next
  --verbose          show every command
  -h, --help         show this

Everything but --smoke-only is an option of `puma up`; PUMA itself is built if it is not here.
USAGE
}

refuse() {
    echo "start_puma.sh: $1" >&2
    exit 1
}

profile=auto mode='' skip_models='' skip_datasets='' smoke_only='' verbose=''
while [ $# -gt 0 ]; do
    case $1 in
    --native | --docker)
        [ -z "$mode" ] || [ "$mode" = "$1" ] || refuse "--native and --docker exclude each other"
        mode=$1
        ;;
    --profile)
        [ $# -gt 1 ] || refuse "--profile needs an id, or auto"
        profile=$2
        shift
        ;;
    --profile=*) profile=${1#--profile=} ;;
    --skip-models) skip_models=--skip-models ;;
    --skip-datasets) skip_datasets=yes ;;
    --smoke-only) smoke_only=yes ;;
    --verbose) verbose=yes ;;
    --observability)
        refuse "--observability named a file that upstream never shipped; what a run measures is stored and shown by \`puma show\`"
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        refuse "unknown option $1"
        ;;
    esac
    shift
done

if [ -n "$smoke_only" ] && [ -n "$skip_models" ]; then
    refuse "--smoke-only needs a model, which --skip-models leaves out"
fi

here=$(cd "$(dirname "$0")" && pwd)

# The program beside this script, on the path, or built from the checkout.
if [ -x "$here/puma" ]; then
    set -- "$here/puma"
elif command -v puma >/dev/null 2>&1; then
    set -- puma
elif [ -f "$here/Cargo.toml" ] && command -v cargo >/dev/null 2>&1; then
    echo "building PUMA (a few minutes the first time)" >&2
    cargo build --release --quiet --manifest-path "$here/Cargo.toml" --package puma
    set -- cargo run --release --quiet --manifest-path "$here/Cargo.toml" --package puma --
else
    refuse "there is no program \`puma\` here or on the PATH, and no cargo to build it; see README.md"
fi

# Runs a command and, if wished, says so.
run() {
    [ -z "$verbose" ] || echo "+ $*" >&2
    "$@"
}

# Without a word about the mode, `puma up` decides.
# shellcheck disable=SC2086  # each of these is one option or nothing
run "$@" up $mode --profile "$profile" $skip_models

[ -n "$skip_datasets" ] || run "$@" datasets >/dev/null

[ -n "$smoke_only" ] || exit 0
model=$("$@" env | sed -n 's/^service\.model  *//p')
[ -n "$model" ] || refuse "\`puma up\` wrote down no model"
run "$@" run --scenario triage_jira --instances 3 --backend ollama --model "$model" --no-cache
