#!/bin/bash
# Fuzzes every parser, as many at a time as there are cores, and says what of each file the targets
# have covered together. Findings land in out/fuzz/TARGET/findings/; exit code 1 if there are any.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]     600 seconds each, all targets
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
shift $(($# > 0 ? 1 : 0))
targets=("$@")
((${#targets[@]})) || targets=(onnx run faults options npz npy idx cifar10 cifar100 images)
jobs=${JOBS:-$(nproc)}

# What reads files and options that others may have made.
parsers=(onnx_import onnx_tensor node_view fold final_layer prune
  sealed_file seal hdf5_group store_head store_read injection_store mapping_store
  part tally_part injection_part fault_list csv
  preprocess site analyze_options data_options gate number_format fault_model
  data_file data_zip data_npy data_idx data_cifar data_images image_decode)

tool() { command -v "$1" || command -v "$1-14"; }

stat_of() { sed -n "s/^stat::$1: *//p" "$out/log"; }

fuzz() {
  local target=$1 out=out/fuzz/$1 status=0
  mkdir -p "$out/corpus" "$out/findings"
  rm -f "$out"/*.profraw
  LLVM_PROFILE_FILE=$PWD/$out/%p.profraw build/fuzz/tests/fuzz/"fuzz_$target" \
    -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$out/findings/" \
    "$out/corpus" "out/fuzz/seeds/$target" "tests/fuzz/corpus/$target" >"$out/log" 2>&1 || status=$?
  "$(tool llvm-profdata)" merge -sparse "$out"/*.profraw -o "$out/profile"
  rm -f "$out"/*.profraw
  echo "$target: $(stat_of number_of_executed_units) executions of $(stat_of bytes) bytes in" \
    "$seconds s, corpus $(du -sb "$out/corpus" | cut -f1) bytes, status $status"
  return "$status"
}

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j "$jobs" --target "${targets[@]/#/fuzz_}" >/dev/null
/usr/bin/python3 -B tests/fuzz/seeds.py out/fuzz/seeds
export seconds ASAN_OPTIONS=detect_container_overflow=0 # the libraries are not instrumented
export -f fuzz stat_of tool
failed=0
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz {}' || failed=1

echo 'Lines covered, of all targets together:'
profiles=() binaries=()
for target in "${targets[@]}"; do
  profiles+=("out/fuzz/$target/profile")
  binaries+=(-object "build/fuzz/tests/fuzz/fuzz_$target")
done
"$(tool llvm-profdata)" merge -sparse "${profiles[@]}" -o out/fuzz/profile
"$(tool llvm-cov)" report "${binaries[1]}" "${binaries[@]:2}" -instr-profile=out/fuzz/profile 2>/dev/null |
  awk -v parsers=" ${parsers[*]} " '
    { name = $1; sub(/.*\//, "", name) }
    sub(/\.cpp$/, "", name) && index(parsers, " " name " ") { printf "  %s %s\n", name, $10 }'
exit "$failed"
