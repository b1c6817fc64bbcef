/** The certificates and keys that the runner gives, and the choice among them that it expects. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  type CertificateTypeName,
  type Credential,
  type SignatureSchemeName,
  type Signer,
  signatureSchemes,
  TlsError,
} from 'tls13-core';
import { contentOf, elements } from './der.js';
import { shownWith } from './features/ocsp.js';
import { type CredentialFlags, type Flags, numbers, text, Unimplemented } from './flags.js';
import { answerer, readPem, type World } from './world.js';

export interface Candidate {
  /** Its place among `-new-x509-credential`; -1 for the one that stands outside of them. */
  readonly index: number;
  readonly credential: Credential;
  readonly mustMatchIssuer: boolean;
}

/** What a peer says of the certificate it wants. */
export interface Wanted {
  /** RFC 7250 */
  readonly certificateTypes: readonly CertificateTypeName[];
  readonly signatureSchemes: readonly number[];
  readonly certificateAuthorities: readonly Uint8Array[];
}

/** Best first. */
export function candidates(flags: Flags, world: World): readonly Candidate[] {
  const given: readonly (readonly [CredentialFlags, number])[] = [
    ...flags.credentials.map((credential, index) => [credential, index] as const),
    [flags, -1],
  ];
  return given.flatMap(([source, index]): readonly Candidate[] => {
    const certificate = text(source, 'cert-file');
    const key = text(source, 'key-file');
    const raw = source.switches.has('new-rpk-credential');
    if ((certificate === undefined && !raw) || key === undefined) return [];
    const [pkcs8 = new Uint8Array(0)] = readPem(key);
    const credential = {
      certificateChain: certificate === undefined ? [] : readPem(certificate),
      ...(raw ? { rawPublicKey: publicKeyInfo(pkcs8) } : {}),
      ...shownWith(source, flags),
      signer: signer(pkcs8, numbers(source, 'signing-prefs'), flags.switches.has('async'), world),
    };
    return [{ index, credential, mustMatchIssuer: source.switches.has('must-match-issuer') }];
  });
}

/** The first that the peer can use; `undefined` when there is none at all. That none of several will do is refused. */
export function choose(all: readonly Candidate[], wanted: Wanted): Candidate | undefined {
  const typed = all.filter(({ credential }) =>
    wanted.certificateTypes.includes(credential.rawPublicKey === undefined ? 'x509' : 'rawPublicKey'),
  );
  if (typed.length === 0 && all.length > 0) {
    throw new TlsError('handshake_failure', 'no credential is of a type that the peer asks for');
  }
  const fitting = typed.filter(
    ({ credential, mustMatchIssuer }) =>
      !mustMatchIssuer || credential.certificateChain.some((der) => isIssuedByOne(der, wanted.certificateAuthorities)),
  );
  if (fitting.length === 0 && all.length > 0) {
    throw new TlsError('handshake_failure', 'no credential has an issuer that the peer asks for');
  }
  const usable = fitting.find(({ credential }) =>
    credential.signer.schemes.some((scheme) => wanted.signatureSchemes.includes(signatureSchemes[scheme])),
  );
  if (usable === undefined && all.length > 0) {
    throw new TlsError('handshake_failure', 'no credential signs with a scheme that the peer accepts');
  }
  return usable;
}

/** SubjectPublicKeyInfo of a private key's public half. */
function publicKeyInfo(pkcs8: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }));
}

function signer(
  pkcs8: Uint8Array,
  preferences: readonly number[] | undefined,
  asynchronous: boolean,
  world: World,
): Signer {
  const inner = signerOf(pkcs8, world);
  const possible = [...inner.schemes, ...(inner.schemes.includes('rsa_pss_rsae_sha256') ? [legacy] : [])];
  const schemes =
    preferences === undefined
      ? inner.schemes
      : preferences.flatMap((code) => possible.filter((scheme) => signatureSchemes[scheme] === code));
  const later = answerer(asynchronous);
  return { schemes, sign: (scheme, message) => later(() => inner.sign(scheme, message)) };
}

/** What an RSA key can do beside, and does only when told. */
const legacy: SignatureSchemeName = 'rsa_pkcs1_sha256_legacy';

function signerOf(pkcs8: Uint8Array, world: World): Signer {
  try {
    return world.signer(pkcs8);
  } catch (error) {
    if (error instanceof TypeError) throw new Unimplemented(error.message);
    throw error;
  }
}

function isIssuedByOne(certificate: Uint8Array, names: readonly Uint8Array[]): boolean {
  const issuer = issuerOf(certificate);
  return names.some((name) => Buffer.compare(name, issuer) === 0);
}

/** The issuer's name in DER (RFC 5280 §4.1): behind the version, which may be absent, the serial number and the algorithm. */
function issuerOf(certificate: Uint8Array): Uint8Array {
  const [toBeSigned = nothing] = elements(contentOf(certificate));
  const fields = elements(contentOf(toBeSigned));
  const hasVersion = fields[0]?.[0] === 0xa0;
  return fields[hasVersion ? 3 : 2] ?? nothing;
}

const nothing = new Uint8Array(0);
