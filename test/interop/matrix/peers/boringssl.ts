/** BoringSSL's own program, in Debian's package of it for Android. */
import { writeFileSync } from 'node:fs';
import type { NamedGroupName } from 'tls13-core';
import { scratch, trusted } from '../../identities.js';
import type { Program } from '../../peers/program.js';
import { type Peer, packageVersion, type Said, start, type Wish } from '../peer.js';

const groupNames: Readonly<Partial<Record<NamedGroupName, string>>> = {
  x25519: 'X25519',
  secp256r1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};
const saidGroups = new Map(Object.entries(groupNames).map(([name, said]) => [said, name]));

const suites = 'BoringSSL’s suites of TLS 1.3 cannot be chosen; it has no CCM';
const none = 'not in BoringSSL as of Android 14';
const program = 'its program cannot be told to';

export const boringssl: Peer = {
  id: 'boringssl',
  name: 'BoringSSL',
  version: async () => packageVersion('sid', 'android-boringssl'),
  lacks: {
    'peer-closes': 'its program closes the socket without a close_notify',
    'early-data-rejected': 'its program ends where early data is rejected',
    'early-data-retry': 'its program ends where early data is rejected',
    TLS_AES_256_GCM_SHA384: suites,
    TLS_CHACHA20_POLY1305_SHA256: suites,
  },
  knows: {
    features: [
      ...['TLS_AES_128_GCM_SHA256', 'x25519', 'secp256r1', 'secp384r1', 'secp521r1', 'retry', 'stateless-retry', 'sni'],
      ...[
        'alpn',
        'large',
        'small-records',
        'our-padding',
        'dynamic-records',
        'early-data',
        'ech-retry',
        'our-key-update',
        'resumption',
        'resumption-retry',
      ],
      ...['ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384', 'ecdsa_secp521r1_sha512', 'ed25519', 'client-p256'],
      ...[
        'rsa_pss_rsae_sha256',
        'rsa_pss_rsae_sha384',
        'rsa_pss_rsae_sha512',
        'client-rsa',
        'ech',
        'ech-grease',
        'grease',
      ],
    ],
    otherwise: `${none}, or ${program}`,
  },
  client: async (port, wish) => {
    const command = (more: readonly string[]) =>
      start('sid', [
        ...['bssl-tool', 'client', '-connect', `127.0.0.1:${port}`, '-server-name', wish.servername ?? 'localhost'],
        ...['-root-certs', trusted.files.cert, '-min-version', 'tls1.3', ...common(wish)],
        ...(wish.scheme === undefined ? [] : ['-sigalgs', wish.scheme]),
        ...(wish.alpn === undefined ? [] : ['-alpn-protos', wish.alpn.join(',')]),
        ...(wish.ech?.grease === true ? ['-ech-grease'] : []),
        ...(wish.ech?.configs === undefined ? [] : ['-ech-config-list', listFile(wish.ech.configs)]),
        ...more,
      ]);
    const link = (started: Program) => ({
      program: started,
      service: 'pipe' as const,
      said: () => saidOf(started, 1),
      close: () => started.end(),
    });
    if (wish.resume !== true) return link(command([]));
    const file = scratch(`bssl-${port}.session`);
    const first = command(['-session-out', file]);
    await first.take(1);
    first.end();
    await first.ended();
    const early = wish.earlyData === undefined ? [] : ['-early-data', `@${wish.earlyData}`];
    return link(command(['-session-in', file, ...early]));
  },
};

function listFile(configs: string): string {
  const file = scratch('bssl.echconfigs');
  writeFileSync(file, Buffer.from(configs, 'base64'));
  return file;
}

function common({ groups, identity }: Wish): string[] {
  return [
    ...(groups === undefined ? [] : ['-curves', groups.map((group) => groupNames[group] ?? group).join(':')]),
    ...(identity === undefined ? [] : ['-cert', identity.cert, '-key', identity.key]),
  ];
}

async function saidOf(started: Program, nth: number): Promise<Said> {
  await started.until(new RegExp(`(Encrypted ClientHello: [\\s\\S]*?){${nth}}`));
  const text = started.text.slice(started.text.lastIndexOf('Connected.'));
  return {
    suite: /Cipher: (\S+)/.exec(text)?.[1],
    group: saidGroups.get(/ECDHE (?:curve|group): (\S+)/.exec(text)?.[1] ?? ''),
    scheme: /Signature algorithm: (\S+)/.exec(text)?.[1],
    alpn: /ALPN protocol: (\S+)\n/.exec(text)?.[1],
    resumed: /Resumed session: yes/.test(text),
    ech: /Encrypted ClientHello: yes/.test(text),
  };
}
