#!/bin/bash
# Analyses a small network on 10,000 real images and shows the result, printing each command first.
set -euo pipefail
cd "$(dirname "$0")/.."

run() {
  echo "\$ $*"
  "$@"
}

mkdir -p out
run build/release/vigor analyze models/lenet5_fashion_mnist.onnx \
  --data fashion-mnist --scale 1/255 --inputs 10000 --audit 0.1% -o out/demo.h5
run build/release/vigor show out/demo.h5
