/** The certificates and keys that the runner gives, and the choice among them that it expects. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import {
  type Credential,
  firstUsableCredential,
  parseDelegatedCredential,
  type SignatureSchemeName,
  type Signer,
  signatureSchemes,
  TlsError,
} from 'tls13-core';
import { shownWith } from './features/ocsp.js';
import { base64, type CredentialFlags, type Flags, numbers, text, Unimplemented } from './flags.js';
import { answerer, readPem, type World } from './world.js';

export interface Candidate {
  /** Its place among `-new-…-credential`; -1 for the one that stands outside of them. */
  readonly index: number;
  readonly credential: Credential;
}

/** What a peer says of the certificate it wants. */
export type Wanted = Parameters<typeof firstUsableCredential>[1];

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
      ...delegation(source, pkcs8),
      ...(source.switches.has('must-match-issuer') ? { mustMatchIssuer: true } : {}),
      ...shownWith(source, flags),
      signer: signer(pkcs8, numbers(source, 'signing-prefs'), flags.switches.has('async'), world),
    };
    return [{ index, credential }];
  });
}

/**
 * The one that the library chooses; `undefined` when there is none at all. That none of several will do is refused here: a
 * client of the library's would go on without, and where it is for the type a server's alert would be unsupported_certificate.
 */
export function choose(all: readonly Candidate[], wanted: Wanted, world: World): Candidate | undefined {
  const credentials = all.map(({ credential }) => credential);
  const chosen = firstUsableCredential(credentials, wanted, world.now());
  if (chosen !== undefined || all.length === 0) return all.find(({ credential }) => credential === chosen);
  const typed = credentials.filter(({ rawPublicKey }) =>
    wanted.certificateTypes.includes(rawPublicKey === undefined ? 'x509' : 'rawPublicKey'),
  );
  if (typed.length === 0) throw new TlsError('handshake_failure', 'no credential is of a type that the peer asks for');
  const anyIssuer = typed.map((credential) => ({ ...credential, mustMatchIssuer: false }));
  const lacks =
    firstUsableCredential(anyIssuer, wanted, world.now()) === undefined
      ? 'signs with a scheme that the peer accepts'
      : 'has an issuer that the peer asks for';
  throw new TlsError('handshake_failure', `no credential ${lacks}`);
}

/** RFC 9345 */
function delegation(source: CredentialFlags, pkcs8: Uint8Array): Pick<Credential, 'delegatedCredential'> {
  const delegated = base64(source, 'delegated-credential');
  if (delegated === undefined) return {};
  if (Buffer.compare(parseDelegatedCredential(delegated).publicKey, publicKeyInfo(pkcs8)) !== 0) {
    throw new TypeError('delegatedCredential: key is not the private key that it delegates to');
  }
  return { delegatedCredential: delegated };
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
