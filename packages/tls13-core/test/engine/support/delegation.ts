/** A certificate that may delegate (RFC 9345), and keys to delegate to. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Credential } from '../../../src/config/index.js';
import {
  createDelegatedCredential,
  type DelegationOptions,
} from '../../../src/handshake/create-delegated-credential.js';
import type { SignatureSchemeName } from '../../../src/registry.js';
import { derElement, derTags, objectIdentifierBytes } from '../../../src/x509/der.js';
import { certificateFor, keyUsage, nodeSigner } from './certificates.js';

/** A moment within the certificates' validity: milliseconds since 1970. */
export const now = Date.UTC(2026, 5, 1);

/** Not critical, and NULL (RFC 9345 §4.2). */
export const delegationUsage = derElement(
  derTags.sequence,
  derElement(derTags.objectIdentifier, objectIdentifierBytes('1.3.6.1.4.1.44363.44')),
  derElement(derTags.octetString, derElement(0x05)),
);

const keys = generateKeyPairSync('ed25519');
export const delegatingKey: KeyObject = keys.privateKey;

/** Holds the key of the certificate. */
export function delegator(...extensions: readonly Uint8Array[]): Credential {
  const usual = [keyUsage(0x80), delegationUsage];
  return {
    certificateChain: [certificateFor(keys.publicKey, ...(extensions.length === 0 ? usual : extensions))],
    signer: nodeSigner(keys.privateKey, ['ed25519']),
  };
}

/** A P-256 key and what it takes to delegate to it. */
export const delegated = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const delegatedScheme: SignatureSchemeName & 'ecdsa_secp256r1_sha256' = 'ecdsa_secp256r1_sha256';
export const spki = (key: KeyObject) => new Uint8Array(key.export({ type: 'spki', format: 'der' }));

/** A credential whose key another certificate's key has delegated to. */
export function delegatedCredential(
  changes: Partial<DelegationOptions> = {},
  change: (bytes: Uint8Array) => Uint8Array = (right) => right,
): Credential {
  const credential = changes.credential ?? delegator();
  const made = createDelegatedCredential({
    credential,
    publicKey: spki(delegated.publicKey),
    scheme: delegatedScheme,
    now,
    ...changes,
  });
  if (made instanceof Promise) throw new Error('the signer must answer at once');
  return {
    certificateChain: credential.certificateChain,
    signer: nodeSigner(delegated.privateKey, [delegatedScheme]),
    delegatedCredential: change(made),
  };
}
