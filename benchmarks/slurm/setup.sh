#!/usr/bin/env bash
# A real SLURM of one machine, for tests of --on slurm: Debian's slurm-wlm and munge, without systemd or cgroups.
# Run as root; starts munged, slurmctld and slurmd. CPUS and MEMORY (MB) are what the node claims to have; ARRAY is its
# MaxArraySize, and JOBS its MaxJobCount (which holds once slurmctld is started anew).
set -euo pipefail
command -v slurmctld > /dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q slurm-wlm munge; }
cpus=${CPUS:-$(nproc)} memory=${MEMORY:-4000} host=$(hostname -s)

[ -s /etc/munge/munge.key ] || { dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 status=none; }
chown munge:munge /etc/munge/munge.key && chmod 400 /etc/munge/munge.key
mkdir -p /run/munge /var/log/munge /var/lib/munge && chown munge:munge /run/munge /var/log/munge /var/lib/munge && chmod 755 /run/munge
pgrep -x munged > /dev/null || su munge -s /bin/sh -c "munged --force"

mkdir -p /var/spool/slurmctld /var/spool/slurmd /etc/slurm /var/log/slurm
cat > /etc/slurm/slurm.conf << CONF
ClusterName=one
SlurmctldHost=$host
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MaxArraySize=${ARRAY:-1001}
MaxJobCount=${JOBS:-10000}
JobRequeue=1
KillWait=5
MpiDefault=none
NodeName=$host CPUs=$cpus RealMemory=$memory State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
pgrep -x slurmctld > /dev/null && scontrol reconfigure || slurmctld
pgrep -x slurmd > /dev/null || slurmd
for _ in $(seq 30); do
    sinfo -h -o %t 2> /dev/null | grep -qE 'idle|mix|alloc' && break
    sleep 1
done
sinfo
