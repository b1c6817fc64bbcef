/** The doctor on the kernel: what its version offers, what a probe found, and what is in the way. */
import type { Kernel, KtlsCipher, KtlsSupport } from 'ktls-bind';
import { type Finding, oneLine } from './finding.js';
import type { Machine } from './machine.js';

/** @param probe a fresh one. */
export function examineKernel(machine: Machine, kernel: Kernel, probe: KtlsSupport): readonly Finding[] {
  if (machine.platform !== 'linux') {
    return [
      {
        check: 'kernel.release',
        title: 'kernel',
        status: 'warn',
        found: `${machine.platform} ${machine.kernelRelease}`,
        advice: 'Only Linux seals TLS records in its kernel; everything else works here, in user space.',
      },
    ];
  }
  const version = versionOf(machine.kernelRelease);
  return [
    releaseFinding(machine, version),
    addonFinding(kernel, probe),
    ulpFinding(machine, kernel, probe),
    ...(probe.available ? abilities(probe, version) : []),
    countersFinding(kernel, probe),
  ];
}

type Version = readonly [major: number, minor: number];

/** Since when mainline has what (distributions may have brought it back to older ones, so the probe decides). */
const history: readonly (readonly [Version, string])[] = [
  [[4, 13], 'sealing and sendfile'],
  [[4, 17], 'opening'],
  [[5, 1], 'TLS 1.3 with AES-GCM'],
  [[5, 2], 'AES-128-CCM'],
  [[5, 4], 'diagnostics'],
  [[5, 11], 'ChaCha20-Poly1305'],
  [[5, 19], 'zero-copy sendfile'],
  [[6, 0], 'opening in place'],
  [[6, 14], 'rekey'],
  [[6, 19], 'smaller records'],
];

const newest: Version = [6, 19];

function releaseFinding(machine: Machine, version: Version | undefined): Finding {
  const found = `Linux ${machine.kernelRelease}, ${machine.architecture}`;
  const finding = { check: 'kernel.release', title: 'kernel', found };
  if (version === undefined) {
    return { ...finding, status: 'warn', advice: 'The version of this kernel was not understood; rely on the probe.' };
  }
  const missing = history.filter(([since]) => !atLeast(version, since));
  if (missing.length === 0) {
    return { ...finding, status: 'ok', advice: 'Every ability that is used here is in mainline of this version.' };
  }
  const list = missing.map(([since, what]) => `${what} (${since.join('.')})`).join(', ');
  const status = atLeast(version, [5, 1]) ? 'ok' : 'warn';
  return { ...finding, status, advice: `Newer kernels bring: ${list}.` };
}

function addonFinding(kernel: Kernel, { error }: KtlsSupport): Finding {
  const finding = { check: 'kernel.addon', title: 'ktls-bind addon' };
  if (kernel.nativeAvailable) {
    return { ...finding, status: 'ok', found: 'loaded', advice: 'Sockets can be handed to the kernel.' };
  }
  return {
    ...finding,
    status: 'bad',
    found: oneLine(error?.message ?? 'did not load'),
    advice:
      'Build it: in the repository `npm run build`, elsewhere `npm rebuild ktls-bind` with g++, make and python3.',
  };
}

function ulpFinding(machine: Machine, kernel: Kernel, { available, error }: KtlsSupport): Finding {
  const finding = { check: 'kernel.ulp', title: 'tls ULP' };
  if (available) {
    return { ...finding, status: 'ok', found: 'attaches to a socket', advice: 'The kernel can protect records.' };
  }
  const found = oneLine(error?.message ?? 'the probe failed');
  if (!kernel.nativeAvailable) {
    return { ...finding, status: 'warn', found: 'not probed', advice: 'The probe needs the addon of ktls-bind.' };
  }
  return { ...finding, status: 'warn', found, advice: ulpAdvice(machine, error?.code) };
}

/** Where the module could come from, as far as this kernel's own files tell. */
function ulpAdvice(machine: Machine, code: string | undefined): string {
  if (code !== 'ERR_KTLS_NO_ULP')
    return 'The module is there but takes no keys: load the modules gcm, ccm, chacha20poly1305.';
  const { kernelRelease } = machine;
  const built = machine.list(`/lib/modules/${kernelRelease}/kernel/net/tls`).some((name) => name.startsWith('tls.ko'));
  const setting = configured(machine);
  if (built || setting === 'm') {
    return 'As root: modprobe tls (at every boot: echo tls > /etc/modules-load.d/tls.conf).';
  }
  if (setting === 'n') return 'This kernel was built without CONFIG_TLS: another kernel is needed for offload.';
  return 'As root: modprobe tls. In a container, on the host. If it has no such module, another kernel is needed.';
}

function configured({ read, kernelRelease }: Machine): 'y' | 'm' | 'n' | undefined {
  const config = read('/proc/config.gz') ?? read(`/boot/config-${kernelRelease}`);
  if (config === undefined) return undefined;
  const line = /^CONFIG_TLS=([ym])$/m.exec(config);
  if (line === null) return 'n';
  return line[1] === 'y' ? 'y' : 'm';
}

const cipherModules: Readonly<Record<KtlsCipher, string>> = {
  'aes-128-gcm': 'gcm',
  'aes-256-gcm': 'gcm',
  'aes-128-ccm': 'ccm',
  'chacha20-poly1305': 'chacha20poly1305',
};

const ciphers: readonly KtlsCipher[] = ['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305', 'aes-128-ccm'];

function abilities(probe: KtlsSupport, version: Version | undefined): readonly Finding[] {
  return [
    ...ciphers.map((cipher) => cipherFinding(cipher, probe)),
    rekeyFinding(probe),
    optionFinding('zero-copy', 'zero-copy sendfile', probe.zeroCopy, 'Linux 5.19; matters with a device that seals.'),
    optionFinding('expect-no-pad', 'opening in place', probe.expectNoPad, 'Linux 6.0; helps with offload both.'),
    optionFinding('max-payload', 'smaller records', probe.maxPayload, smallerRecords(version)),
  ];
}

function cipherFinding(cipher: KtlsCipher, probe: KtlsSupport): Finding {
  const { send, receive } = probe.ciphers[cipher];
  const finding = { check: `kernel.cipher.${cipher}`, title: cipher };
  if (send.supported && receive.supported) {
    return { ...finding, status: 'ok', found: 'send, receive', advice: 'The kernel takes keys in both directions.' };
  }
  const words = [
    `send ${send.supported ? 'yes' : `no: ${oneLine(send.error.message)}`}`,
    `receive ${receive.supported ? 'yes' : `no: ${oneLine(receive.error.message)}`}`,
  ];
  const advice = `As root: modprobe ${cipherModules[cipher]}; until then connections with it stay in user space.`;
  return { ...finding, status: 'warn', found: words.join('; '), advice };
}

function rekeyFinding({ rekey }: KtlsSupport): Finding {
  const finding = { check: 'kernel.rekey', title: 'rekey' };
  if (rekey.send && rekey.receive) {
    return { ...finding, status: 'ok', found: 'send, receive', advice: 'Connections of any length keep fresh keys.' };
  }
  return {
    ...finding,
    status: 'warn',
    found: `send ${rekey.send ? 'yes' : 'no'}, receive ${rekey.receive ? 'yes' : 'no'}`,
    advice:
      'Linux 6.14 brings it; before, a connection closes cleanly at the limit of its key (AES-GCM: 2^24.5 records).',
  };
}

function optionFinding(name: string, title: string, has: boolean, note: string): Finding {
  return {
    check: `kernel.${name}`,
    title,
    status: 'ok',
    found: has ? 'yes' : 'no',
    advice: has ? 'Used where the configuration asks for it.' : `Not needed by default. ${note}`,
  };
}

function smallerRecords(version: Version | undefined): string {
  const already = version !== undefined && atLeast(version, newest);
  return already ? 'Mainline has it since 6.19.' : 'Linux 6.19; before, a negotiated record size stays in user space.';
}

function countersFinding(kernel: Kernel, { available }: KtlsSupport): Finding {
  const finding = { check: 'kernel.counters', title: '/proc/net/tls_stat' };
  const counters = kernel.readTlsStat();
  if (counters === undefined) {
    return {
      ...finding,
      status: available ? 'warn' : 'ok',
      found: 'not there',
      advice: available
        ? 'The kernel counts nothing: offload cannot be verified from outside.'
        : 'It comes with the ULP.',
    };
  }
  const shown = ['TlsCurrTxSw', 'TlsCurrRxSw', 'TlsTxSw', 'TlsRxSw', 'TlsTxDevice', 'TlsRxDevice', 'TlsDecryptError']
    .filter((name) => counters[name] !== undefined)
    .map((name) => `${name} ${counters[name]}`);
  return {
    ...finding,
    status: 'ok',
    found: shown.join(', '),
    advice: 'TlsTxSw rises with each connection sealed here.',
  };
}

function versionOf(text: string): Version | undefined {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}

function atLeast([major, minor]: Version, [wantedMajor, wantedMinor]: Version): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
