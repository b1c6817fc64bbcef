/** NSS's tstclnt and selfserv, which find keys and authorities in a database. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { cipherSuites, type NamedGroupName } from 'tls13-core';
import { type Files, scratch, trusted } from '../../identities.js';
import { freePort, type Program } from '../../peers/program.js';
import { type Link, type Peer, packageVersion, printed, type Said, start, type Wish } from '../peer.js';

const groupNames: Readonly<Partial<Record<NamedGroupName, string>>> = {
  secp256r1: 'P256',
  secp384r1: 'P384',
  secp521r1: 'P521',
  X25519MLKEM768: 'x25519mlkem768',
  SecP256r1MLKEM768: 'secp256r1mlkem768',
  SecP384r1MLKEM1024: 'secp384r1mlkem1024',
};

const keyUsage = 'tstclnt wants certificates of RSA keys to be for keyEncipherment too';
const programs = 'its programs cannot be told to';

export const nss: Peer = {
  id: 'nss',
  name: 'NSS',
  version: async () => packageVersion('sid', 'libnss3-tools'),
  lacks: {
    x448: 'NSS has no X448',
    MLKEM768: 'NSS has ML-KEM in hybrids only',
    MLKEM1024: 'NSS has ML-KEM in hybrids only',
    TLS_AES_128_CCM_SHA256: 'NSS has no CCM',
    TLS_AES_128_CCM_8_SHA256: 'NSS has no CCM',
    ed448: 'NSS has no Ed448',
    'psk-sha384': 'its programs take keys for SHA-256',
    'psk-alone': 'NSS has no psk_ke',
    'key-log': 'Debian builds it without',
    'compress-brotli': 'its programs have zlib only',
    'compress-zstd': 'its programs have zlib only',
    'server-raw-key': 'NSS has no raw public keys',
    'client-raw-key': 'NSS has no raw public keys',
    alpn: programs,
    'their-padding': programs,
    'their-small-records': programs,
    psk: { server: 'selfserv gives the key to its model socket alone and serves nobody by it' },
    'key-update': programs,
    'key-update-requested': programs,
    'peer-closes': 'its programs close the socket without a close_notify',
    ed25519: 'NSS has no Ed25519 in TLS',
    'client-ed25519': 'NSS has no Ed25519 in TLS',
    'client-rsaPss': 'its database takes no such keys',
    'our-key-update': { server: 'selfserv answers one request' },
    large: { server: 'selfserv answers one request' },
    rsa_pss_pss_sha256: { server: 'its database takes no such keys' },
    rsa_pss_pss_sha384: { server: 'its database takes no such keys' },
    rsa_pss_pss_sha512: { server: 'its database takes no such keys' },
    rsa_pss_rsae_sha256: { client: keyUsage },
    rsa_pss_rsae_sha384: { client: keyUsage },
    rsa_pss_rsae_sha512: { client: keyUsage },
  },
  faults: { staple: { server: 'selfserv -T good -A … shows none' } },
  client: async (port, wish) => {
    const request = scratch('tstclnt.request');
    writeFileSync(request, 'GET / HTTP/1.0\r\n\r\n');
    const program = start(
      'sid',
      [
        ...['tstclnt', '-h', '127.0.0.1', '-p', `${port}`, '-a', wish.servername ?? 'localhost', '-4'],
        ...['-d', await database(wish.identity), ...common(wish), '-u'],
        ...(wish.identity === undefined ? [] : ['-n', 'own']),
        // It reconnects by itself, if what it sends comes from a file.
        ...(wish.resume === true ? ['-L', '2', '-A', request] : []),
        ...(wish.earlyData === undefined ? [] : ['-Z']),
        ...(wish.delegatedCredential === true ? ['-B'] : []),
        ...(wish.staple === undefined ? [] : ['-T']),
        ...(wish.compression === undefined ? [] : ['--zlib-certificate-compression']),
        ...ech(wish),
      ],
      { unbuffered: true },
    );
    return clientLink(program, wish);
  },
  server: async (wish) => {
    const port = await freePort();
    const ecdsa = /rsa/.test(wish.identity.cert) ? '-n' : '-e';
    const program = start(
      'sid',
      [
        ...['selfserv', '-p', `${port}`, '-d', await database(wish.identity), ecdsa, 'own', '-u', '-U', '0'],
        ...common(wish),
        ...(wish.requestCert === true ? ['-r', '-r'] : []),
        ...(wish.postHandshakeAuth === true ? ['-r', '-r', '-r'] : []),
        ...(wish.staple === undefined ? [] : ['-T', 'good', '-A', 'authority']),
        ...(wish.earlyData === undefined ? [] : ['-Z']),
        ...(wish.compression === undefined ? [] : ['-q']),
        // It makes the key itself.
        ...(wish.ech?.publicName === undefined ? [] : ['-X', `publicname:${wish.ech.publicName}`]),
      ],
      { unbuffered: true },
    );
    await program.until(/selfserv: About to call accept/);
    // It refuses early data while it might have forgotten what came before it was started.
    if (wish.earlyData !== undefined) await setTimeout(10_500);
    const echConfigs = /^([A-Za-z0-9+/]{40,}=*)$/m.exec(program.text)?.[1];
    return {
      port,
      program,
      service: 'http',
      makesStaples: true,
      echConfigs,
      said: (nth) => serverSaid(program, nth, wish),
    };
  },
};

function common(wish: Wish): string[] {
  const { suite, groups, scheme, externalPsk } = wish;
  return [
    ...['-V', 'tls1.3:tls1.3', '-v'],
    ...(suite === undefined ? [] : ['-c', `:${cipherSuites[suite].toString(16)}`]),
    ...(groups === undefined ? [] : ['-I', groups.map((group) => groupNames[group] ?? group).join(',')]),
    // The second one is the authority's.
    ...(scheme === undefined ? [] : ['-J', [...new Set([scheme, 'ecdsa_secp256r1_sha256'])].join(',')]),
    ...(wish.exporter === undefined ? [] : ['-x', `${wish.exporter}:32`]),
    ...(externalPsk === undefined ? [] : ['-z', `0x${externalPsk.key.toString('hex')}:${externalPsk.identity}`]),
    ...(wish.postHandshakeAuth === true ? ['-E'] : []),
  ];
}

function ech({ ech: wish }: Wish): string[] {
  if (wish === undefined) return [];
  return wish.configs === undefined ? ['-i', '100'] : ['-N', wish.configs];
}

/** A database with the authority, and with an identity under the name `own`; one an identity. */
async function database(identity: Files | undefined): Promise<string> {
  const key = identity?.cert ?? '';
  const known = databases.get(key) ?? makeDatabase(identity, databases.size);
  databases.set(key, known);
  return known;
}

const databases = new Map<string, Promise<string>>();

async function makeDatabase(identity: Files | undefined, index: number): Promise<string> {
  const folder = scratch(`nss-${index}`);
  mkdirSync(folder);
  const place = `sql:${folder}`;
  await printed('sid', 'certutil', '-N', '-d', place, '--empty-password');
  await printed('sid', 'certutil', '-A', '-d', place, '-n', 'authority', '-t', 'CT,C,', '-i', trusted.files.cert);
  if (identity !== undefined) {
    for (const [name, files] of [['own', identity] as const, ['authority', trusted.files] as const]) {
      const bundle = `${folder}/${name}.p12`;
      const from = ['-in', files.cert, '-inkey', files.key, '-name', name, '-passout', 'pass:interop'];
      execFileSync('openssl', ['pkcs12', '-export', ...from, '-out', bundle]);
      const text = await printed('sid', 'pk12util', '-i', bundle, '-d', place, '-W', 'interop');
      if (!text.includes('SUCCESSFUL')) throw new Error(`pk12util: ${text}`);
    }
  }
  return place;
}

function clientLink(program: Program, wish: Wish): Link {
  return {
    program,
    service: wish.resume === true ? 'http' : 'pipe',
    said: async () => {
      await program.until(new RegExp(`(stateless resumes[\\s\\S]*?){${wish.resume === true ? 2 : 1}}`));
      if (wish.exporter !== undefined) await program.until(keyingMaterial);
      const { text } = program;
      const last = text.slice(text.lastIndexOf('SSL version 3.4'));
      return {
        ...described(last),
        resumed: /[1-9]\d* stateless resumes|[1-9]\d* cache hits/.test(last),
        // It goes on with a certificate that it trusts only.
        verified: true,
        exported: exported(text),
        stapled: /Received [1-9]\d* Cert Status items/.test(last),
      };
    },
    close: () => program.end(),
  };
}

async function serverSaid(program: Program, nth: number, wish: Wish): Promise<Said> {
  await program.until(new RegExp(`(issuer {2}DN[\\s\\S]*?){${nth}}`));
  if (wish.exporter !== undefined) await program.until(keyingMaterial);
  const { text } = program;
  return {
    ...described(text.slice(text.lastIndexOf('SSL version 3.4'))),
    // It counts over all connections.
    resumed: /[1-9]\d* stateless resumes/.test(text),
    exported: exported(text),
  };
}

/** Each group it names as we do, in small letters. */
function described(text: string): Said {
  return {
    scheme: /Signature Scheme: (\w+)/.exec(text)?.[1],
    group: saidGroups[/Key Exchange Group: ?(\w+)/.exec(text)?.[1] ?? ''],
  };
}

const saidGroups: Readonly<Record<string, NamedGroupName>> = {
  x25519: 'x25519',
  P256: 'secp256r1',
  P384: 'secp384r1',
  P521: 'secp521r1',
};

/** Of 32 bytes. */
const keyingMaterial = /Keying Material:\s+((?:[0-9a-f]{2}[:\s]+){32})/;

function exported(text: string): string | undefined {
  const [, value] = keyingMaterial.exec(text) ?? [];
  return value?.replaceAll(/[^0-9a-f]/g, '');
}
