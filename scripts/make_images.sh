#!/usr/bin/env bash
# Makes the pictures in docs/images that are drawn from runs, with the programs of build/release. Takes half a minute.
# window.svg is drawn by hand.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=build/release/bin
images=docs/images
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$bin/unroll-train" --quiet --hidden-size 16 --epochs 1 --series-length 200000 --log-every 50 --out "$scratch/run"
"$bin/unroll-compare" --quiet --variants manual/autograd,builtin/autograd,manual/fused --epochs 1 \
  --series-length 300000 --out "$scratch/comparison"
"$bin/unroll-sweep" --quiet --out "$scratch/sweep"

mkdir -p "$images"
cp "$scratch/run/loss.svg" "$images/loss.svg"
cp "$scratch/comparison/losses.svg" "$images/comparison.svg"
cp "$scratch/sweep/sweep.svg" "$images/sweep.svg"
