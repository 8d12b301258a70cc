#!/bin/sh
# Everything that wants a GPU, in one go of about six minutes: the CUDA tests, then throughput with one worker and with one per processor.
#
#     sh benchmarks/on_gpu.sh photos/ out/
#
# Each step has a time limit, so that one that hangs leaves the others their turn; what they print is in OUT.
set -u
data=$1 out=$2
mkdir -p "$out"
run() { name=$1; shift; echo "== $name"; timeout "$LIMIT" "$@" >"$out/$name.txt" 2>&1; echo "   status $?"; tail -n 12 "$out/$name.txt"; }

LIMIT=60 run tests python -m pytest -n 0 tests/metrics/test_cuda.py
for workers in 1 $(nproc); do
    LIMIT=160 run "throughput-$workers" python benchmarks/throughput.py --data "$data" --device cuda:0 --workers "$workers" \
        --rounds 1 --images 48 --metrics grepq,aesthetic jpeg_quality,grain_noise,scale_factor,jpeg_qf,exposure,aesthetic,grepq
done
