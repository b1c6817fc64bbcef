/** The delegated credential (RFC 9345 §4), which travels as an extension of an end-entity certificate's entry. */
import { type Decoded, decode, encode, opaque, struct, uint16, uint32 } from './codec.js';

const credential = struct({
  /** Seconds behind the certificate's notBefore. */
  validTime: uint32,
  dcCertVerifyAlgorithm: uint16,
  /** DER */
  subjectPublicKeyInfo: opaque(1, 2 ** 24 - 1),
});
export type DelegatedCredentialFields = Decoded<typeof credential>;

const delegatedCredential = struct({ cred: credential, algorithm: uint16, signature: opaque(0, 2 ** 16 - 1) });
export type DelegatedCredential = Decoded<typeof delegatedCredential>;

const signedPart = struct({ cred: credential, algorithm: uint16 });

/** Throws decode_error. */
export function decodeDelegatedCredential(bytes: Uint8Array): DelegatedCredential {
  return decode(delegatedCredential, bytes, 'delegated_credential');
}

export function encodeDelegatedCredential(value: DelegatedCredential): Uint8Array {
  return encode(delegatedCredential, value);
}

/** The part of it that its signature covers, behind the certificate. */
export function delegatedCredentialSignedPart(cred: DelegatedCredentialFields, algorithm: number): Uint8Array {
  return encode(signedPart, { cred, algorithm });
}
