/** Certificates and keys made for the test run: one Ed25519 authority and a leaf under it for each kind of key. */
import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  type SigningOptions,
  sign,
  X509Certificate,
} from 'node:crypto';
import type { Credential } from '../../../src/config/index.js';
import type { CryptoProvider, Signer } from '../../../src/crypto/provider.js';
import type { SignatureSchemeName } from '../../../src/registry.js';

export type KeyKind = 'p256' | 'p384' | 'p521' | 'ed25519' | 'rsa' | 'rsaPss';

export const keyKinds: readonly KeyKind[] = ['p256', 'p384', 'p521', 'ed25519', 'rsa', 'rsaPss'];

export interface Identity {
  readonly kind: KeyKind;
  /** DER */
  readonly certificate: Uint8Array;
  readonly pkcs8: Uint8Array;
  readonly privateKey: KeyObject;
  readonly certificatePem: string;
  readonly keyPem: string;
}

export const serverName = 'example.test';

/** What a key of each kind signs with. */
export const schemesOf: Readonly<Record<KeyKind, readonly SignatureSchemeName[]>> = {
  p256: ['ecdsa_secp256r1_sha256'],
  p384: ['ecdsa_secp384r1_sha384'],
  p521: ['ecdsa_secp521r1_sha512'],
  ed25519: ['ed25519'],
  rsa: ['rsa_pss_rsae_sha256', 'rsa_pss_rsae_sha384', 'rsa_pss_rsae_sha512'],
  rsaPss: ['rsa_pss_pss_sha256', 'rsa_pss_pss_sha384', 'rsa_pss_pss_sha512'],
};

/** The leaf of that kind; made once a process. */
export function identity(kind: KeyKind): Identity {
  const known = identities.get(kind);
  if (known !== undefined) return known;
  const { privateKey, publicKey } = generators[kind]();
  const certificate = issue(serverName, publicKey, authority.privateKey, 'Test CA', leafExtensions());
  const made = identityOf(kind, certificate, privateKey);
  identities.set(kind, made);
  return made;
}

/** A chain and a signer. The provider signs where it can (an RSA key it may refuse), else node:crypto does. */
export function credential(provider: CryptoProvider, kind: KeyKind, scheme?: SignatureSchemeName): Credential {
  const { certificate, pkcs8, privateKey } = identity(kind);
  const certificateChain = [certificate];
  if (scheme !== undefined || kind.startsWith('rsa')) {
    return { certificateChain, signer: nodeSigner(privateKey, scheme === undefined ? schemesOf[kind] : [scheme]) };
  }
  return { certificateChain, signer: provider.signer(pkcs8) };
}

/** A signer that answers at once, or in a promise when `later` is true. */
export function nodeSigner(privateKey: KeyObject, schemes: readonly SignatureSchemeName[], later = false): Signer {
  return {
    schemes,
    sign(scheme, message) {
      const key = { key: privateKey, ...signing[scheme] };
      const signature = sign(digestOf(scheme), message, key);
      return later ? Promise.resolve(signature) : signature;
    },
  };
}

export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** A leaf for a key of any algorithm: what a peer may show that this library cannot use. */
export function certificateFor(publicKey: KeyObject, ...more: readonly Uint8Array[]): Uint8Array {
  return issue(serverName, publicKey, authority.privateKey, 'Test CA', [...leafExtensions(), ...more]);
}

/** A critical Key Usage extension (RFC 5280 §4.2.1.3): 0x80 is digitalSignature, 0x20 keyEncipherment. */
export function keyUsage(bits: number): Uint8Array {
  return der(0x30, oid('551d0f'), der(0x01, Uint8Array.of(0xff)), der(0x04, der(0x03, Uint8Array.of(0, bits))));
}

let serial = 0;
const identities = new Map<KeyKind, Identity>();

const generators: Readonly<Record<KeyKind, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: () => generateKeyPairSync('ed25519'),
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  rsaPss: () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
};

const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
const signing: Readonly<Partial<Record<SignatureSchemeName, SigningOptions>>> = {
  rsa_pss_rsae_sha256: pss,
  rsa_pss_rsae_sha384: pss,
  rsa_pss_rsae_sha512: pss,
  rsa_pss_pss_sha256: pss,
  rsa_pss_pss_sha384: pss,
  rsa_pss_pss_sha512: pss,
};

function digestOf(scheme: SignatureSchemeName): string | null {
  return scheme === 'ed25519' ? null : scheme.slice(-6);
}

const ed25519Algorithm = () => der(0x30, oid('2b6570'));
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
const name = (text: string) => der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(text)))));
const date = (text: string) => der(0x17, Buffer.from(text));
const extension = (id: string, value: Uint8Array) => der(0x30, oid(id), der(0x04, value));
const leafExtensions = () => [extension('551d11', der(0x30, der(0x82, Buffer.from(serverName))))];
const authorityExtensions = () => [extension('551d13', der(0x30, der(0x01, Uint8Array.of(0xff))))];

const authorityKeys = generateKeyPairSync('ed25519');

export const authority: Identity = identityOf(
  'ed25519',
  issue('Test CA', authorityKeys.publicKey, authorityKeys.privateKey, 'Test CA', authorityExtensions()),
  authorityKeys.privateKey,
);

function identityOf(kind: KeyKind, certificate: Uint8Array, privateKey: KeyObject): Identity {
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' });
  return {
    kind,
    certificate,
    pkcs8,
    privateKey: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }),
    certificatePem: new X509Certificate(certificate).toString(),
    keyPem: pem('PRIVATE KEY', pkcs8),
  };
}

function issue(
  subject: string,
  publicKey: KeyObject,
  issuerKey: KeyObject,
  issuer: string,
  extensions: readonly Uint8Array[],
): Uint8Array {
  serial += 1;
  const toBeSigned = der(
    0x30,
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, Uint8Array.of(serial)),
    ed25519Algorithm(),
    name(issuer),
    der(0x30, date('250101000000Z'), date('450101000000Z')),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = sign(null, toBeSigned, issuerKey);
  return der(0x30, toBeSigned, ed25519Algorithm(), der(0x03, Uint8Array.of(0), signature));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([tag, ...(length < 128 ? [length] : long), ...content]);
}
