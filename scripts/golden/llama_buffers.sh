#!/usr/bin/env bash
# Writes crates/host/tests/fit/golden/llama_server_buffers.csv: the cache and buffer sizes that llama-server reports.
#
#   scripts/golden/llama_buffers.sh LLAMA-SERVER MODEL.gguf > crates/host/tests/fit/golden/llama_server_buffers.csv
#
# The model is SmolLM2-135M-Instruct Q4_1, the catalogue's default; scripts/servers/llama-server.sh builds the server.
set -euo pipefail

server=${1:?the llama-server binary}
model=${2:?the model file}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

cat <<'HEAD'
# Buffers that llama-server (llama.cpp of llama-cpp-python 0.3.36, CPU) reports for SmolLM2-135M-Instruct Q4_1.
# Written by scripts/golden/llama_buffers.sh. Columns: context, flash attention, kv type, kv MiB, compute MiB.
HEAD

report() { sed -n "s/.*CPU $1 buffer size = *\([0-9.]*\) MiB.*/\1/p" "$log" | head -1; }

for row in 1024,on,f16 2048,on,f16 8192,on,f16 32768,on,f16 8192,off,f16 8192,on,q8_0 8192,on,q4_0 8192,on,f32; do
    IFS=, read -r context flash type <<<"$row"
    "$server" --model "$model" --port 18766 --host 127.0.0.1 --threads 1 --no-warmup --verbosity 4 --parallel 1 \
        --ctx-size "$context" --flash-attn "$flash" --cache-type-k "$type" --cache-type-v "$type" >"$log" 2>&1 &
    process=$!
    for _ in $(seq 100); do
        [ -n "$(report compute)" ] && break
        sleep 0.2
    done
    kill "$process"
    wait "$process" || true
    echo "$context,$flash,$type,$(report KV),$(report compute)"
done
