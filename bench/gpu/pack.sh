#!/bin/sh
# Packs what bench/gpu/run.sh needs on a machine with a GPU and without Node: this Node, the compiled TypeScript, the
# modules that a run needs, and images. Usage: bench/gpu/pack.sh [FOLDER = .gpu] [DATA SET, to be taken along]
set -eu
target=${1:-.gpu}
data=${2:-}
mkdir -p "$target"
node scripts/build.mjs
node=$(readlink -f "$(command -v node)")
tar -C "$(dirname "$node")" -cf - "$(basename "$node")" | xz -T0 -6 >"$target/node.tar.xz"
# Of what npm lists only what is built for this kind of machine: x64 Linux with glibc.
npm ls --omit=dev --all --parseable 2>/dev/null | sed -n "s#^.*/\(node_modules/.*\)#\1#p" | sort -u | grep -v tfjs-node >"$target/modules"
tar -hcf - --exclude='*.map' --exclude='*darwin*' --exclude='*win32*' --exclude='*musl*' --exclude='*arm64*' \
  dist src/wire/generated -T "$target/modules" | xz -T0 -6 >"$target/built.tar.xz"
rm "$target/modules"
if [ -n "$data" ]; then tar -C "$(dirname "$data")" -cf "$target/data.tar" "$(basename "$data")"; fi
du -h "$target"/*
