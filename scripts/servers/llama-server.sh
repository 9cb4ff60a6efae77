#!/usr/bin/env bash
# llama-server and its sisters, built from the llama.cpp source inside the Python package llama-cpp-python.
#
#   scripts/servers/llama-server.sh build DIR                     fetch and build below DIR; prints the binary's path
#   scripts/servers/llama-server.sh start DIR FILE.gguf [PORT]    serve on loopback, port 18080 unless told
#   scripts/servers/llama-server.sh stop DIR
#
# Needs python3 with venv and pip, and a C++ compiler; the build takes minutes. Tests start the server themselves:
#   PUMA_TEST_LLAMA_SERVER=DIR/build/bin/llama-server PUMA_TEST_MODEL=FILE.gguf \
#       cargo test -p puma-backends --test http_real
set -euo pipefail

command=${1:?build, start or stop}
dir=${2:?the folder to work in}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
version=0.3.36

case $command in
build)
    python3 -m venv "$dir/venv"
    "$dir/venv/bin/pip" install --quiet cmake ninja
    "$dir/venv/bin/pip" download --quiet --no-deps --no-binary llama-cpp-python --dest "$dir" "llama-cpp-python==$version"
    tar -xzf "$dir/llama_cpp_python-$version.tar.gz" -C "$dir"
    export PATH=$dir/venv/bin:$PATH
    cmake -S "$dir/llama_cpp_python-$version/vendor/llama.cpp" -B "$dir/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DGGML_NATIVE=ON
    # The other three are what `cargo xtask bench-vs-llama` compares PUMA with.
    ninja -C "$dir/build" llama-server llama-bench llama-completion llama-quantize
    echo "$dir/build/bin/llama-server"
    ;;
start)
    file=${3:?a GGUF file}
    port=${4:-18080}
    # One slot, one thread: the same answer for the same question.
    nohup "$dir/build/bin/llama-server" --model "$file" --host 127.0.0.1 --port "$port" --ctx-size 4096 --parallel 1 \
        --threads 1 >"$dir/serve.log" 2>&1 &
    echo $! >"$dir/serve.pid"
    for _ in $(seq 300); do
        if python3 -c "import urllib.request as r; r.urlopen('http://127.0.0.1:$port/health', timeout=2)" 2>/dev/null; then
            echo "llama-server answers on http://127.0.0.1:$port"
            exit 0
        fi
        sleep 0.2
    done
    echo "llama-server does not answer; see $dir/serve.log" >&2
    exit 1
    ;;
stop)
    kill "$(cat "$dir/serve.pid")"
    rm "$dir/serve.pid"
    ;;
*)
    echo "unknown command $command: use build, start or stop" >&2
    exit 2
    ;;
esac
