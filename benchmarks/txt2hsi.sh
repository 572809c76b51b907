#!/usr/bin/env bash
# What txt2hsi gives on Indian Pines: ten draws under issd, five under random:0.05, and ablations on five draws.
# Writes its tables to benchmarks/results/txt2hsi/. About half an hour on two cores.
#
#     bash benchmarks/txt2hsi.sh [STORE]
set -euo pipefail
store=${1:-hsiaug-results-txt2hsi}
out=$(dirname "$0")/results/txt2hsi
mkdir -p "$out"
run() { hsiaug benchmark indian_pines --lambda 1 --store "$store" "$@"; }

run --generator smote,txt2hsi --seeds 10
run --generator smote,txt2hsi --seeds 5 --protocol random:0.05
for setting in "strength=0.001 steps=1" pseudo=false text=class-id strength=1.0; do
    words=()
    for word in $setting; do words+=(--set "txt2hsi.$word"); done
    run --generator txt2hsi --seeds 5 "${words[@]}"
done
hsiaug report "$store" --by classifier --out "$out/table.md"
hsiaug report "$store" --format csv --out "$out/trials.csv"
