#!/usr/bin/env bash
# The leak demonstration on Indian Pines: the same classifiers, and one that reads no band, under draws that leak
# and draws that do not. Writes all trials to benchmarks/results/leak/.
#
#     bash benchmarks/leak.sh [STORE]
set -euo pipefail
store=${1:-hsiaug-results-leak}
out=$(dirname "$0")/results/leak
mkdir -p "$out"
for protocol in random:0.05 random:0.1 random-twin:issd issd kshot:10 blocks:16; do
    hsiaug benchmark indian_pines --generator smote --classifier svm,rf,cnn2d --view raw --lambda 0.5 --seeds 5 \
        --protocol "$protocol" --store "$store"
done
hsiaug report --store "$store" --out "$out/trials.csv"
