#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A Slurm cluster of this one machine, on the loopback, in a folder of its own; a job array on it; the parts merged.
#   slurm.sh SOURCE UNDIS IMAGE RULE
# Exit code 77: Slurm or Munge is not installed (Debian: slurmctld, slurmd, slurm-client, munge).
set -euo pipefail
source=$1
export UNDIS=$2
image=$3
rule=$4
for program in slurmctld slurmd sbatch sinfo munged; do
  PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || exit 77
done
[ "$(id -u)" = 0 ] || exit 77 # slurmd starts jobs for others
PATH=$PATH:/usr/sbin

folder=$(mktemp -d /tmp/undis-slurm.XXXXXX)
started=()
end() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap end EXIT
cd "$folder"
mkdir state spool
head -c 1024 /dev/urandom >munge.key
chmod 400 munge.key
munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.sock" --pid-file="$folder/munge.pid" \
  --log-file="$folder/munge.log" --seed-file="$folder/munge.seed" &
started+=($!)

node=$(hostname -s)
port=$((20000 + RANDOM % 20000))
cat >slurm.conf <<CONF
ClusterName=undis
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$folder/munge.sock
CredType=cred/munge
SlurmUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/slurm.conf
slurmctld -D -c -f "$SLURM_CONF" >/dev/null 2>&1 &
started+=($!)
slurmd -D -f "$SLURM_CONF" >/dev/null 2>&1 &
started+=($!)

# Until the controller answers and the node is there; sinfo itself waits for its connection.
for _ in $(seq 60); do
  [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] && break
  read -rt 1 <> <(:) || true
done
if [ "$(sinfo -h -o %T)" != idle ]; then
  cat slurmctld.log slurmd.log >&2
  exit 1
fi

code=0
"$source/scripts/slurm-array" 4 whole.json "$image" --schedules 200 || code=$?
[ $code = 1 ] || { echo "exit code 1 was expected, it is $code" >&2; exit 1; }
python3 - "$rule" <<'CHECK'
import json, sys
report = json.load(open("whole.json"))
assert (report["shard"], report["shards"]) == (0, 1), "not all parts are there"
assert any(v["rule"] == sys.argv[1] for v in report["violations"]), [v["rule"] for v in report["violations"]]
ran = [s["runs"] for s in report["suites"] if "faults" not in s and s["verdict"] != "skipped"]
assert ran and all(runs == 4 * 200 for runs in ran), ran
print(f"4 parts on {len(ran)} suites of 200 schedules each: {sys.argv[1]} found")
CHECK
