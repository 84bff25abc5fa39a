#!/bin/bash
# Fuzzes every parser and says what that covered. Findings land in out/fuzz/TARGET/.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]     600 seconds each, all targets
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
shift $(($# > 0 ? 1 : 0))
targets=("$@")
((${#targets[@]})) || targets=(onnx run faults options npz npy idx cifar10 cifar100 images)

# What each target is there to cover.
sources() {
  case $1 in
    onnx) echo onnx_import onnx_tensor node_view fold final_layer prune graph ;;
    run) echo store_head store_read injection_store part hdf5_group sealed_file seal ;;
    faults) echo fault_list csv ;;
    options) echo preprocess site ;;
    npz) echo data_npy data_zip data_file ;;
    npy) echo data_npy data_file ;;
    images) echo data_images image_decode ;;
    *) echo "data_${1%%10*}" data_file ;;
  esac
}

tool() { command -v "$1" || command -v "$1-14"; }

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "${JOBS:-$(nproc)}" --target "${targets[@]/#/fuzz_}" >/dev/null
/usr/bin/python3 -B tests/fuzz/seeds.py out/fuzz/seeds
export ASAN_OPTIONS=detect_container_overflow=0 # the libraries are not instrumented

for target in "${targets[@]}"; do
  out=out/fuzz/$target
  mkdir -p "$out/corpus" "$out/findings"
  status=0
  LLVM_PROFILE_FILE=$PWD/$out/%p.profraw build/fuzz/tests/fuzz/"fuzz_$target" \
    -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$out/findings/" \
    "$out/corpus" "out/fuzz/seeds/$target" "tests/fuzz/corpus/$target" >"$out/log" 2>&1 || status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/log")
  "$(tool llvm-profdata)" merge -sparse "$out"/*.profraw -o "$out/profile"
  rm -f "$out"/*.profraw
  files=()
  for name in $(sources "$target"); do files+=("vigor/$name.cpp"); done
  covered=$("$(tool llvm-cov)" report build/fuzz/tests/fuzz/"fuzz_$target" \
    -instr-profile="$out/profile" "${files[@]}" | awk '/^TOTAL/ {print $10}')
  echo "$target: $runs executions in $seconds s, status $status," \
    "$(du -sb "$out/corpus" | cut -f1) bytes of corpus, $covered of lines (${files[*]##*/})"
done
