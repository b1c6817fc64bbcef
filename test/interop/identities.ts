/** Certificates for the interop tests: one authority, made once for each test file, and leaves of every kind under it. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SignatureSchemeName } from 'tls13-core';
import { afterAll } from 'vitest';
import { authority, curveKey, type Issued, Pki, type Request } from '../../packages/node-crypto/test/pki.js';

export type KeyKind = 'p256' | 'p384' | 'p521' | 'ed25519' | 'ed448' | 'rsa' | 'rsa4096' | 'rsaPss';

/** Names of PEM files. */
export interface Files {
  readonly cert: string;
  readonly key: string;
}

export interface Identity extends Issued {
  readonly files: Files;
}

/** Each key with each scheme it can sign with. */
export const signatures: readonly { readonly kind: KeyKind; readonly scheme: SignatureSchemeName }[] = [
  { kind: 'p256', scheme: 'ecdsa_secp256r1_sha256' },
  { kind: 'p384', scheme: 'ecdsa_secp384r1_sha384' },
  { kind: 'p521', scheme: 'ecdsa_secp521r1_sha512' },
  { kind: 'ed25519', scheme: 'ed25519' },
  { kind: 'rsa', scheme: 'rsa_pss_rsae_sha256' },
  { kind: 'rsa', scheme: 'rsa_pss_rsae_sha384' },
  { kind: 'rsa', scheme: 'rsa_pss_rsae_sha512' },
  { kind: 'rsa4096', scheme: 'rsa_pss_rsae_sha256' },
  { kind: 'rsaPss', scheme: 'rsa_pss_pss_sha256' },
  { kind: 'rsaPss', scheme: 'rsa_pss_pss_sha384' },
  { kind: 'rsaPss', scheme: 'rsa_pss_pss_sha512' },
];

const makers: Readonly<Record<KeyKind, () => KeyObject>> = {
  p256: () => curveKey('P-256'),
  p384: () => curveKey('P-384'),
  p521: () => curveKey('P-521'),
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
  ed448: () => generateKeyPairSync('ed448').privateKey,
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  rsa4096: () => generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey,
  rsaPss: () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey,
};

const folder = mkdtempSync(join(tmpdir(), 'tls13-interop-'));
const pki = new Pki();
afterAll(() => {
  pki.remove();
  rmSync(folder, { recursive: true, force: true });
});

export const trusted = save('ca', pki.issue({ name: 'Interop CA', extensions: authority }));
/** Nobody trusts it. */
export const stranger = save('stranger', pki.issue({ name: 'Other CA', extensions: authority }));

const made = new Map<string, Identity>();
const keys = new Map<KeyKind, KeyObject>();

/** For localhost, 127.0.0.1 and ::1. */
export const serverIdentity = (kind: KeyKind): Identity => leaf(`server-${kind}`, kind, server('localhost'));
export const clientIdentity = (kind: KeyKind): Identity =>
  leaf(`client-${kind}`, kind, { name: `client ${kind}`, extensions: purposes('clientAuth') });
/** For localhost, with DelegationUsage (RFC 9345 §4.2). */
export const delegatingIdentity = (): Identity => {
  const { extensions = [], ...request } = server('localhost');
  return leaf('delegating', 'p256', { ...request, extensions: [...extensions, '1.3.6.1.4.1.44363.44=ASN1:NULL'] });
};
export const namedIdentity = (name: string): Identity => leaf(`named-${name}`, 'p256', server(name));
export const expiredIdentity = (): Identity => leaf('expired', 'p256', { ...server('localhost'), days: -1 });
export const strangersIdentity = (): Identity =>
  leaf('strangers', 'p256', { ...server('localhost'), issuer: stranger });
export const strangersClient = (): Identity =>
  leaf('strangers-client', 'p256', { name: 'somebody', extensions: purposes('clientAuth'), issuer: stranger });

/** A name in the folder of this test file, which is removed afterwards. */
export function scratch(name: string): string {
  return join(folder, name);
}

function leaf(label: string, kind: KeyKind, request: Request): Identity {
  const known = made.get(label);
  if (known !== undefined) return known;
  const fresh = save(label, pki.issue({ issuer: trusted, key: keyOf(kind), ...request }));
  made.set(label, fresh);
  return fresh;
}

/** One of each kind, whoever has it: large ones take long to make. */
function keyOf(kind: KeyKind): KeyObject {
  const key = keys.get(kind) ?? makers[kind]();
  keys.set(kind, key);
  return key;
}

function server(name: string): Request {
  const addresses = name === 'localhost' ? ',IP:127.0.0.1,IP:::1' : '';
  return { name, extensions: [...purposes('serverAuth'), `subjectAltName=DNS:${name}${addresses}`] };
}

function purposes(extended: string): string[] {
  return ['basicConstraints=CA:FALSE', 'keyUsage=digitalSignature', `extendedKeyUsage=${extended}`];
}

function save(label: string, issued: Issued): Identity {
  const files = { cert: scratch(`${label}.cert.pem`), key: scratch(`${label}.key.pem`) };
  writeFileSync(files.cert, issued.pem);
  writeFileSync(files.key, issued.keyPem, { mode: 0o600 });
  return { ...issued, files };
}
