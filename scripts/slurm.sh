#!/bin/bash
# Tries the scripts of docs/cluster.md on a Slurm of its own, with this machine as its one node:
#   scripts/slurm.sh [VIGOR]     (build/release/vigor)
# Needs Debian's slurm-wlm and openmpi-bin. Runs as root or as a user; another Slurm is not touched.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
vigor=$(realpath "${1:-$root/build/release/vigor}")
export PATH=$PATH:/usr/sbin
for program in slurmctld slurmd sbatch munged mpirun h5diff; do
  command -v $program >/dev/null || {
    echo "slurm: no $program: apt-get install slurm-wlm openmpi-bin hdf5-tools" >&2
    exit 1
  }
done

work=$(mktemp -d)
daemons=()
finish() {
  for ((i = ${#daemons[@]} - 1; i >= 0; i--)); do kill "${daemons[i]}" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT

mkdir "$work"/{munge,state,spool,job}
chmod 755 "$work" "$work/munge" # munge wants its socket reachable, and its key not
head -c 1024 /dev/urandom >"$work/munge/key"
chmod 600 "$work/munge/key"
munged --foreground --force --key-file="$work/munge/key" --socket="$work/munge/socket" \
  --pid-file="$work/munge/pid" --seed-file="$work/munge/seed" --log-file="$work/munge/log" 2>"$work/munge/said" &
daemons+=($!)

cores=$(nproc)
export SLURM_CONF=$work/slurm.conf
cat >"$SLURM_CONF" <<CONF
ClusterName=try
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
KillWait=5
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$cores State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
slurmctld -D 2>/dev/null & # it has its log
daemons+=($!)
slurmd -D 2>/dev/null &
daemons+=($!)
for _ in {1..60}; do
  sinfo --noheader --format=%t 2>/dev/null | grep -q idle && break
  sleep 1
done
sinfo | grep idle || {
  echo "slurm: the node does not come up:" >&2
  cat "$work"/munge/said "$work"/*.log >&2
  exit 1
}

# The scripts, as the page shows them, with this machine's network, data and sizes.
cd "$work/job"
cp "$root/models/lenet5_fashion_mnist.onnx" net.onnx
for name in mpi array merge; do
  awk -v name="<!-- $name.sbatch -->" '$0 == name {found = 1; next} found && /^```/ {if (inside) exit; inside = 1; next} inside' \
    "$root/docs/cluster.md" |
    sed "s#vigor analyze#$vigor analyze#; s#vigor merge#$vigor merge#" >$name.sbatch
  grep -q SBATCH $name.sbatch || { echo "slurm: docs/cluster.md has no $name.sbatch" >&2; exit 1; }
done
export DATA="--data fashion-mnist --scale 1/255 --inputs 128"
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
one=(--nodes=1 --cpus-per-task=1 --time=10)

submit() { # ends when the job has; fails where it did
  sbatch --wait --parsable "${one[@]}" "$@" || { cat slurm-*.out >&2; exit 1; }
}
same() {
  h5diff --exclude-path /provenance "$1" "$2" && echo "slurm: $2 has the bits of $1"
}

# shellcheck disable=SC2086
"$vigor" analyze net.onnx $DATA -o whole.h5
echo "slurm: mpi.sbatch, $cores tasks"
submit --ntasks-per-node="$cores" mpi.sbatch
same whole.h5 run.h5

echo "slurm: mpi.sbatch cancelled, then submitted again with another number of tasks"
rm run.h5
export DATA="$DATA --save-every 0"
job=$(sbatch --parsable "${one[@]}" --ntasks-per-node="$cores" mpi.sbatch)
until compgen -G "run.h5.parts/*.part" >/dev/null; do sleep 0.1; done
scancel "$job"
while squeue --noheader --job "$job" 2>/dev/null | grep -q .; do sleep 0.5; done
ls run.h5.parts | wc -l | sed 's/$/ parts kept/'
submit --ntasks-per-node=1 mpi.sbatch
grep -h reused slurm-*.out
same whole.h5 run.h5

echo "slurm: array.sbatch, then merge.sbatch after it"
array=$(sbatch --parsable "${one[@]}" --array=1-4 array.sbatch)
submit --dependency=afterok:"$array" merge.sbatch
same whole.h5 merged.h5
