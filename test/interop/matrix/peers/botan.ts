/** Botan's tls_client and tls_server, whose choices are in a file of policy. */
import { writeFileSync } from 'node:fs';
import type { CipherSuiteName, NamedGroupName } from 'tls13-core';
import { scratch, trusted } from '../../identities.js';
import { freePort } from '../../peers/program.js';
import { type Peer, start, versionIn, type Wish } from '../peer.js';

const ciphers: Readonly<Partial<Record<CipherSuiteName, string>>> = {
  TLS_AES_128_GCM_SHA256: 'AES-128/GCM',
  TLS_AES_256_GCM_SHA384: 'AES-256/GCM',
  TLS_CHACHA20_POLY1305_SHA256: 'ChaCha20Poly1305',
  TLS_AES_128_CCM_SHA256: 'AES-128/CCM',
  TLS_AES_128_CCM_8_SHA256: 'AES-128/CCM(8)',
};

const groupNames: Readonly<Partial<Record<NamedGroupName, string>>> = {
  X25519MLKEM768: 'x25519/ML-KEM-768',
  SecP256r1MLKEM768: 'secp256r1/ML-KEM-768',
  SecP384r1MLKEM1024: 'secp384r1/ML-KEM-1024',
};

const certificates = 'its programs trust and choose by the system’s store alone';

export const botan: Peer = {
  id: 'botan',
  name: 'Botan',
  version: () => versionIn('sid', /(\S+)/, 'botan', 'version'),
  lacks: {
    alpn: 'its programs settle for what they are offered first',
    sni: 'its programs name the host they connect to',
    'client-p256': certificates,
    'client-rsa': certificates,
    rsa_pss_rsae_sha384: { client: 'its policy cannot prefer a hash' },
    rsa_pss_rsae_sha512: { client: 'its policy cannot prefer a hash' },
    'ech-grease': { client: 'Botan has no ECH' },
    'peer-closes': { server: 'tls_server cannot be told to' },
    MLKEM768: 'Botan has ML-KEM in hybrids only',
    MLKEM1024: 'Botan has ML-KEM in hybrids only',
    ed25519: 'Botan has no Ed25519 in TLS',
    ed448: 'Botan has no Ed448 in TLS',
    'client-ed25519': 'Botan has no Ed25519 in TLS',
  },
  knows: {
    features: [
      ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'],
      ...[
        'TLS_AES_128_CCM_SHA256',
        'TLS_AES_128_CCM_8_SHA256',
        'x25519',
        'x448',
        'secp256r1',
        'secp384r1',
        'secp521r1',
      ],
      ...[
        'X25519MLKEM768',
        'SecP256r1MLKEM768',
        'SecP384r1MLKEM1024',
        'retry',
        'stateless-retry',
        'sni',
        'alpn',
        'large',
      ],
      ...['small-records', 'our-key-update', 'peer-closes', 'ecdsa_secp256r1_sha256', 'ecdsa_secp384r1_sha384'],
      ...['ecdsa_secp521r1_sha512', 'rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'],
      ...[
        'client-p256',
        'client-rsa',
        'no-client-certificate',
        'ech-grease',
        'grease',
        'psk',
        'psk-sha384',
        'our-padding',
        'dynamic-records',
      ],
    ],
    otherwise: 'its programs cannot be told to',
  },
  client: async (port, wish) => {
    const program = start(
      'sid',
      [
        // The address comes from the name, by the root's own file of hosts.
        ...['botan', 'tls_client', 'localhost', `--port=${port}`, '--tls-version=1.3', '--skip-system-cert-store'],
        ...[`--trusted-cas=${trusted.files.cert}`, `--policy=${policy(wish, 'client')}`],
        ...(wish.alpn === undefined ? [] : [`--next-protocols=${wish.alpn.join(',')}`]),
        ...(wish.identity === undefined
          ? []
          : [`--client-cert=${wish.identity.cert}`, `--client-cert-key=${wish.identity.key}`]),
        ...psk(wish),
      ],
      { unbuffered: true },
    );
    return {
      program,
      service: 'pipe',
      said: async () => {
        await program.until(/Handshake complete\n/);
        const { text } = program;
        return {
          suite: `TLS_${/Negotiated ciphersuite (\S+)/.exec(text)?.[1]}`,
          alpn: /Server choose protocol: (\S+)/.exec(text)?.[1],
          verified: /Certificate validation status: Verified/.test(text),
        };
      },
      close: () => program.end(),
    };
  },
  server: async (wish) => {
    const port = await freePort();
    const { cert, key } = wish.identity;
    const program = start(
      'sid',
      ['botan', 'tls_server', cert, key, `--port=${port}`, `--policy=${policy(wish, 'server')}`, ...psk(wish)],
      { unbuffered: true },
    );
    await program.until(/Listening for new connections/);
    return {
      port,
      program,
      service: 'echo',
      said: async () => {
        await program.until(/Handshake complete/);
        return {};
      },
    };
  },
};

function policy(wish: Wish, role: string): string {
  const { groups, suite, scheme } = wish;
  const file = scratch(`botan-${role}.policy`);
  const names = groups?.map((group) => groupNames[group] ?? group);
  const lines = [
    'allow_tls12 = false',
    'allow_tls13 = true',
    'minimum_rsa_bits = 2048',
    'minimum_signature_strength = 110',
    ...(suite === undefined ? [] : [`ciphers = ${ciphers[suite]}`]),
    ...(names === undefined
      ? []
      : [`key_exchange_groups = ${names.join(' ')}`, `key_exchange_groups_to_offer = ${names[0]}`]),
    ...(scheme === undefined ? [] : [`signature_methods = ${scheme.startsWith('ecdsa') ? 'ECDSA' : 'RSA'}`]),
    ...(wish.requestCert === true ? ['require_client_certificate_authentication = true'] : []),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function psk({ externalPsk }: Wish): string[] {
  if (externalPsk === undefined) return [];
  const { identity, key, hash } = externalPsk;
  return [`--psk=${key.toString('hex')}`, `--psk-identity=${identity}`, `--psk-prf=SHA-${hash.slice(3)}`];
}
