#!/bin/sh
# docker-registry.sh FOLDER PORT: a real OCI registry on loopback that keeps its blobs in FOLDER.
# Needs the Debian package docker-registry (or any `registry` binary of the CNCF distribution project) in PATH.
set -eu
folder=$1
port=$2
binary=${PUMA_REGISTRY_BINARY:-$(command -v docker-registry || command -v registry)}
mkdir -p "$folder/data"
cat >"$folder/config.yml" <<YAML
version: 0.1
log:
  level: error
storage:
  filesystem:
    rootdirectory: $folder/data
http:
  addr: 127.0.0.1:$port
YAML
exec "$binary" serve "$folder/config.yml"
