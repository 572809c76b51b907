#!/usr/bin/env bash
# Learns a prior for each scene of benchmarks/prior.toml from the four others, into priors/ beside this file.
set -euo pipefail
cd "$(dirname "$0")"
declare -A scenes=(
    [indian_pines]=indian_pines [houston]=scenes/houston_crop.toml [pavia]=scenes/pavia_crop.toml
    [jasper]=scenes/jasper_ridge.toml [samson]=scenes/samson.toml
)
for target in "${!scenes[@]}"; do
    others=()
    for name in "${!scenes[@]}"; do
        [[ $name == "$target" ]] || others+=("${scenes[$name]}")
    done
    hsiaug pretrain "${others[@]}" --out "priors/$target"
done
