/** The doctor's findings on machines that the tests make up, over the kernel in memory where one is needed. */
import { createFakeKernel } from 'ktls-bind/fake';
import { createProvider } from 'tls13-node-crypto';
import { describe, expect, it } from 'vitest';
import { examineCrypto } from '../../src/cli/doctor/crypto.js';
import { examineDevices } from '../../src/cli/doctor/devices.js';
import { examineExposure } from '../../src/cli/doctor/exposure.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { examineKernel } from '../../src/cli/doctor/kernel.js';
import type { Machine } from '../../src/cli/doctor/machine.js';
import { jsonReport, textReport } from '../../src/cli/doctor/report.js';

describe('the kernel', () => {
  it('has nothing to improve where everything works', () => {
    const kernel = createFakeKernel();
    const findings = examineKernel(machine({ kernelRelease: '7.2.7' }), kernel, kernel.probe());
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(find(findings, 'kernel.cipher.aes-128-gcm').found).toBe('send, receive');
    expect(find(findings, 'kernel.counters').found).toMatch(/TlsTxSw/);
  });

  it.each([
    ['built as a module', { '/boot/config-6.1.0': 'CONFIG_TLS=m\n' }, /modprobe tls \(at every boot/],
    ['not built', { '/boot/config-6.1.0': '# CONFIG_TLS is not set\n' }, /without CONFIG_TLS/],
    ['unknown', {}, /modprobe tls\. In a container/],
  ])('without the ULP says where it could come from: %s', (_name, files, advice) => {
    const kernel = createFakeKernel({ ulp: false });
    const ulp = find(examineKernel(machine({ files }), kernel, kernel.probe()), 'kernel.ulp');
    expect(ulp.status).toBe('warn');
    expect(ulp.found).toMatch(/ENOENT/);
    expect(ulp.advice).toMatch(advice);
  });

  it('names the module of a cipher that is missing, and the directions', () => {
    const kernel = createFakeKernel({
      refuse: (cipher, direction) => (cipher === 'chacha20-poly1305' && direction === 'send' ? 'ENOENT' : undefined),
    });
    const cipher = find(examineKernel(machine({}), kernel, kernel.probe()), 'kernel.cipher.chacha20-poly1305');
    expect(cipher).toMatchObject({
      status: 'warn',
      found: expect.stringMatching(/^send no: .*ENOENT.*; receive yes$/),
    });
    expect(cipher.advice).toMatch(/modprobe chacha20poly1305/);
  });

  it('tells what a version lacks, and that Linux 6.14 brings rekey', () => {
    const kernel = createFakeKernel({ rekey: { send: false, receive: false } });
    const findings = examineKernel(machine({ kernelRelease: '6.1.0-37-amd64' }), kernel, kernel.probe());
    expect(find(findings, 'kernel.release').advice).toBe('Newer kernels bring: rekey (6.14), smaller records (6.19).');
    expect(find(findings, 'kernel.rekey')).toMatchObject({ status: 'warn', found: 'send no, receive no' });
    const old = examineKernel(machine({ kernelRelease: '4.19.1' }), kernel, kernel.probe());
    expect(find(old, 'kernel.release').status).toBe('warn');
  });

  it('asks for nothing but Linux elsewhere', () => {
    const kernel = createFakeKernel();
    const findings = examineKernel(machine({ platform: 'darwin' }), kernel, kernel.probe());
    expect(findings).toHaveLength(1);
    expect(examineDevices(machine({ platform: 'darwin' }))).toEqual([]);
    expect(examineExposure(machine({ platform: 'darwin' }))).toEqual([]);
  });
});

describe('network devices', () => {
  const links = { '/sys/class/net/eth0/device': '../../0000:01', '/sys/class/net/eth0/device/driver': '../mlx5_core' };
  const lists = { '/sys/class/net': ['lo', 'eth0'] };

  it.each([
    ['tls-hw-tx-offload: on\ntls-hw-rx-offload: off', 'mlx5_core; on: tls-hw-tx-offload'],
    ['tls-hw-tx-offload: off\ntls-hw-rx-offload: off [fixed]', 'mlx5_core; off, but possible: tls-hw-tx-offload'],
    ['tls-hw-tx-offload: off [fixed]', 'mlx5_core; no TLS features'],
    [undefined, 'mlx5_core; its features are not visible'],
  ])('reads ethtool: %s', (listed, found) => {
    const programs = listed === undefined ? {} : { 'ethtool -k eth0': `Features for eth0:\n${listed}\n` };
    expect(examineDevices(machine({ links, lists, programs }))).toMatchObject([{ check: 'device.eth0', found }]);
  });

  it('leaves virtual ones out', () => {
    expect(examineDevices(machine({ lists }))).toMatchObject([{ found: 'no physical one is visible' }]);
  });
});

describe('pitfall 18: who could read keys', () => {
  it('finds a hardened machine well', () => {
    const findings = examineExposure(
      machine({
        files: {
          '/proc/sys/kernel/unprivileged_bpf_disabled': '2',
          '/proc/sys/kernel/perf_event_paranoid': '3',
          '/proc/sys/kernel/yama/ptrace_scope': '1',
          '/sys/kernel/security/lockdown': 'none integrity [confidentiality]',
          '/proc/self/status': 'Name:\tnode\nCapEff:\t0000000000000400\n',
          '/proc/self/limits': 'Max core file size        0                    unlimited            bytes',
          '/proc/sys/kernel/core_pattern': 'core',
        },
        programs: { 'bpftool cgroup tree': 'CgroupPath\nID       AttachType      AttachFlags     Name' },
      }),
    );
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  it.each([
    ['exposure.bpf', { '/proc/sys/kernel/unprivileged_bpf_disabled': '0' }, 'warn'],
    ['exposure.kprobes', { '/proc/sys/debug/kprobes-optimization': '1' }, 'warn'],
    ['exposure.kprobes', { '/sys/kernel/tracing/kprobe_events': 'p:kprobes/keys tls_setsockopt' }, 'bad'],
    ['exposure.perf', { '/proc/sys/kernel/perf_event_paranoid': '1' }, 'warn'],
    ['exposure.perf', { '/proc/sys/kernel/perf_event_paranoid': '-1' }, 'bad'],
    ['exposure.ptrace', { '/proc/sys/kernel/yama/ptrace_scope': '0' }, 'warn'],
    ['exposure.ptrace', {}, 'warn'],
    ['exposure.lockdown', { '/sys/kernel/security/lockdown': 'none [integrity] confidentiality' }, 'warn'],
    ['exposure.capabilities', { '/proc/self/status': 'CapEff:\t000001ffffffffff' }, 'warn'],
    ['exposure.core', { '/proc/self/limits': 'Max core file size  unlimited  unlimited  bytes' }, 'warn'],
    [
      'exposure.core',
      { '/proc/self/limits': 'Max core file size  0  0  bytes', '/proc/sys/kernel/core_pattern': '|/bin/dump %p' },
      'warn',
    ],
  ])('%s sees %o', (check, files: Readonly<Record<string, string>>, status) => {
    expect(find(examineExposure(machine({ files })), check).status).toBe(status);
  });

  it('finds a BPF program at setsockopt, and says when it cannot look', () => {
    const tree = '/sys/fs/cgroup/system.slice\n    71       cgroup_setsockopt multi           watch_keys';
    const watched = examineExposure(machine({ programs: { 'bpftool cgroup tree': tree } }));
    expect(find(watched, 'exposure.setsockopt')).toMatchObject({
      status: 'bad',
      found: '1 program(s) see every setsockopt',
    });
    expect(find(examineExposure(machine({})), 'exposure.setsockopt').status).toBe('warn');
  });

  it('names the capabilities that could trace the kernel', () => {
    const files = { '/proc/self/status': 'CapEff:\t0000008000080000' };
    expect(find(examineExposure(machine({ files })), 'exposure.capabilities').found).toBe('CAP_SYS_PTRACE, CAP_BPF');
  });
});

describe('crypto', () => {
  it('warns when node:crypto stands in, and calls missing chain verification bad', () => {
    const { report } = createProvider({ prefer: 'node' });
    const findings = examineCrypto({ ...report, reason: 'it did\nnot load', verifiesChains: false });
    expect(find(findings, 'crypto.provider')).toMatchObject({
      status: 'warn',
      found: expect.stringMatching(/it did not load$/),
    });
    expect(find(findings, 'crypto.chains').status).toBe('bad');
    expect(find(findings, 'crypto.ml-kem').status).toBe('ok');
  });
});

describe('the report', () => {
  const kernel = createFakeKernel({ ulp: false });
  const probe = kernel.probe();
  const sections = [{ title: 'Records in the kernel', findings: examineKernel(machine({}), kernel, probe) }];

  it('has two lines for each finding, and one line in all that counts', () => {
    const lines = textReport(sections, `Offload: ${probe.summary}.`).split('\n');
    const findings = sections[0]?.findings.length ?? 0;
    expect(lines).toHaveLength(1 + 2 * findings + 2);
    expect(lines.at(-1)).toMatch(
      /^\d+ ok, 1 to look at, 0 bad\. Offload: user space: this kernel has no tls ULP \(ENOENT\)\.$/,
    );
  });

  it('is plain data for programs', () => {
    const { report } = createProvider({ prefer: 'node' });
    const data = jsonReport(machine({}), probe, report, sections);
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
    expect(data.offload.ciphers['aes-128-gcm']?.send).toMatchObject({
      supported: false,
      code: 'ERR_KTLS_NO_ULP',
      errno: 'ENOENT',
    });
  });
});

interface MadeUp {
  readonly platform?: string;
  readonly kernelRelease?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly lists?: Readonly<Record<string, readonly string[]>>;
  readonly links?: Readonly<Record<string, string>>;
  readonly programs?: Readonly<Record<string, string>>;
}

function machine({ files = {}, lists = {}, links = {}, programs = {}, ...rest }: MadeUp): Machine {
  return {
    platform: 'linux',
    architecture: 'x64',
    kernelRelease: '6.1.0',
    ...rest,
    read: (path) => files[path]?.trim(),
    list: (path) => lists[path] ?? [],
    link: (path) => links[path],
    run: (program, list) => programs[[program, ...list].join(' ')],
  };
}

function find(findings: readonly Finding[], check: string): Finding {
  const found = findings.find((finding) => finding.check === check);
  if (found === undefined) throw new Error(`no finding ${check} among ${findings.map((one) => one.check).join(', ')}`);
  return found;
}
