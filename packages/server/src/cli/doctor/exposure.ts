/**
 * The doctor on what could read keys: they pass to the kernel through setsockopt in clear, and stay in this process's
 * memory in user space. Root can always; the question is who else, and how easily.
 */
import type { Finding } from './finding.js';
import type { Machine } from './machine.js';

export function examineExposure(machine: Machine): readonly Finding[] {
  if (machine.platform !== 'linux') return [];
  return [bpf, socketPrograms, kprobes, perf, ptrace, lockdown, capabilities, coreDumps].map((look) => look(machine));
}

function bpf({ read }: Machine): Finding {
  const value = read('/proc/sys/kernel/unprivileged_bpf_disabled');
  const finding = { check: 'exposure.bpf', title: 'unprivileged BPF' };
  if (value === undefined) {
    const found = 'the setting is not there: this kernel has no BPF system call, or hides it';
    return { ...finding, status: 'ok', found, advice: 'Nobody but root loads BPF programs.' };
  }
  if (value === '0') {
    const advice = 'As root: sysctl kernel.unprivileged_bpf_disabled=1 (and in /etc/sysctl.d).';
    return { ...finding, status: 'warn', found: 'every user may load BPF programs', advice };
  }
  const advice = 'Programs that could watch setsockopt need CAP_BPF.';
  return { ...finding, status: 'ok', found: `off (${value})`, advice };
}

/** Programs at cgroup hooks see the arguments of setsockopt, keys included. */
function socketPrograms(machine: Machine): Finding {
  const finding = { check: 'exposure.setsockopt', title: 'BPF at setsockopt' };
  const tree = machine.run('bpftool', ['cgroup', 'tree']);
  if (tree === undefined) {
    const found = 'not visible: bpftool is not installed, or this user may not ask';
    return {
      ...finding,
      status: 'warn',
      found,
      advice: 'As root: bpftool cgroup tree | grep sockopt shows who watches.',
    };
  }
  const programs = tree.split('\n').filter((line) => /\b(cgroup_)?setsockopt\b/.test(line));
  if (programs.length > 0) {
    const found = `${programs.length} program(s) see every setsockopt`;
    return { ...finding, status: 'bad', found, advice: 'bpftool cgroup tree names them; detach what you do not know.' };
  }
  return { ...finding, status: 'ok', found: 'none attached', advice: 'No cgroup program sees keys on their way.' };
}

function kprobes({ read, list }: Machine): Finding {
  const finding = { check: 'exposure.kprobes', title: 'kprobes' };
  const folders = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];
  const events = folders.map((folder) => read(`${folder}/kprobe_events`)).find((text) => text !== undefined);
  const set = events === undefined || events === '' ? 0 : events.split('\n').length;
  if (set > 0) {
    const advice = 'As root: cat /sys/kernel/tracing/kprobe_events; remove what you do not know.';
    return { ...finding, status: 'bad', found: `${set} probe(s) are set in this kernel`, advice };
  }
  const built = events !== undefined || read('/proc/sys/debug/kprobes-optimization') !== undefined;
  if (built) {
    const mounted = folders.some((folder) => list(folder).length > 0);
    const found = mounted ? 'possible for root; tracefs is mounted, no probe is set' : 'possible for root';
    const advice = 'Kernel lockdown in confidentiality mode stops even root from reading keys this way.';
    return { ...finding, status: 'warn', found, advice };
  }
  return { ...finding, status: 'ok', found: 'no sign of them', advice: 'Nothing to place a probe with was found.' };
}

function perf({ read }: Machine): Finding {
  const value = Number(read('/proc/sys/kernel/perf_event_paranoid') ?? Number.NaN);
  const finding = { check: 'exposure.perf', title: 'perf events' };
  if (Number.isNaN(value)) {
    return { ...finding, status: 'ok', found: 'not in this kernel', advice: 'No tracepoints for ordinary users.' };
  }
  const found = `perf_event_paranoid ${value}`;
  if (value >= 2) return { ...finding, status: 'ok', found, advice: 'Ordinary users may not trace the kernel.' };
  const status = value < 0 ? 'bad' : 'warn';
  return { ...finding, status, found, advice: 'As root: sysctl kernel.perf_event_paranoid=2 (and in /etc/sysctl.d).' };
}

function ptrace({ read }: Machine): Finding {
  const value = read('/proc/sys/kernel/yama/ptrace_scope');
  const finding = { check: 'exposure.ptrace', title: 'ptrace scope' };
  if (value === undefined || value === '0') {
    const found = value === undefined ? 'Yama is not in this kernel' : 'ptrace_scope 0';
    const advice =
      value === undefined
        ? 'Every process of the same user can read the memory of a server: give the server a user of its own.'
        : 'As root: sysctl kernel.yama.ptrace_scope=1; and give the server a user of its own.';
    return { ...finding, status: 'warn', found, advice };
  }
  const advice = 'Processes of the same user cannot attach to a running server.';
  return { ...finding, status: 'ok', found: `ptrace_scope ${value}`, advice };
}

/** `none [integrity] confidentiality` */
function lockdown({ read }: Machine): Finding {
  const text = read('/sys/kernel/security/lockdown');
  const mode = /\[(\w+)\]/.exec(text ?? '')?.[1];
  const finding = { check: 'exposure.lockdown', title: 'kernel lockdown' };
  if (mode === 'confidentiality') {
    const advice = 'Root cannot read kernel memory by BPF, kprobes or /proc/kcore.';
    return { ...finding, status: 'ok', found: mode, advice };
  }
  const found = text === undefined ? 'not in this kernel, or not visible' : (mode ?? 'none');
  const advice = 'Where root is not trusted with keys: boot with lockdown=confidentiality.';
  return { ...finding, status: 'warn', found, advice };
}

/** Bits of include/uapi/linux/capability.h. */
const powers = { CAP_SYS_PTRACE: 19n, CAP_SYS_ADMIN: 21n, CAP_PERFMON: 38n, CAP_BPF: 39n } as const;

function capabilities({ read }: Machine): Finding {
  const finding = { check: 'exposure.capabilities', title: 'capabilities of this process' };
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status') ?? '')?.[1];
  if (mask === undefined) {
    const advice = 'grep CapEff /proc/PID/status tells them for a running server.';
    return { ...finding, status: 'warn', found: 'not visible', advice };
  }
  const effective = BigInt(`0x${mask}`);
  const held = Object.entries(powers).filter(([, bit]) => (effective & (1n << bit)) !== 0n);
  if (held.length > 0) {
    const found = held.map(([name]) => name).join(', ');
    const advice = 'Run servers as a user of their own; port 443 needs no more than CAP_NET_BIND_SERVICE.';
    return { ...finding, status: 'warn', found, advice };
  }
  const advice = 'A break-in here could not place probes in the kernel.';
  return { ...finding, status: 'ok', found: 'none that could trace the kernel', advice };
}

function coreDumps({ read }: Machine): Finding {
  const finding = { check: 'exposure.core', title: 'core dumps' };
  const line = /^Max core file size\s+(\S+)/m.exec(read('/proc/self/limits') ?? '')?.[1];
  const pattern = read('/proc/sys/kernel/core_pattern');
  // A pipe gets the whole memory even where the limit is 0.
  const piped = pattern?.startsWith('|') === true;
  if (line === '0' && !piped) {
    return { ...finding, status: 'ok', found: 'off', advice: 'A crash leaves no memory with keys on disk.' };
  }
  const found = piped ? 'go to a program of this system' : `on, limit ${line ?? 'unknown'}`;
  const advice = 'A crash would leave keys on disk: ulimit -c 0, or LimitCORE=0 in the systemd unit.';
  return { ...finding, status: 'warn', found, advice };
}
