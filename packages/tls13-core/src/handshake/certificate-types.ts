/** Raw public keys (RFC 7250): which type of certificate each side shows, as both roles settle it. */
import { TlsError } from '../alert.js';
import type { Credential } from '../config/index.js';
import { type CertificateTypeName, certificateTypes, knownName, nameOf } from '../registry.js';
import { derSequence, derTags, derWhole } from '../x509/der.js';

/** What each side shows, if it shows anything. */
export interface CertificateTypes {
  readonly server: CertificateTypeName;
  readonly client: CertificateTypeName;
}

/** What an absent extension stands for (RFC 7250 §4.1). */
export const defaultCertificateTypes: CertificateTypes = { server: 'x509', client: 'x509' };

export function typeOf({ rawPublicKey }: Credential): CertificateTypeName {
  return rawPublicKey === undefined ? 'x509' : 'rawPublicKey';
}

/** The list of a ClientHello: left out where it would name the default alone, as it must be (RFC 7250 §4.1). */
export function typesToOffer(types: readonly CertificateTypeName[]): readonly number[] | undefined {
  return types.every((type) => type === 'x509') ? undefined : types.map((type) => certificateTypes[type]);
}

/** Types of a ClientHello's list that this library knows; unknown ones are passed over. */
export function offeredTypes(list: readonly number[] | undefined): readonly CertificateTypeName[] {
  if (list === undefined) return ['x509'];
  return list.map((code) => knownName(certificateTypes, code)).filter((name) => name !== undefined);
}

/** Client: what the server has selected. Throws unsupported_certificate for what was not offered (RFC 7250 §4.2). */
export function selectedType(
  whose: 'server' | 'client',
  code: number | undefined,
  offered: readonly CertificateTypeName[],
): CertificateTypeName {
  const type = knownName(certificateTypes, code ?? certificateTypes.x509);
  if (type !== undefined && offered.includes(type)) return type;
  const seen = code === undefined ? 'x509 by saying nothing' : nameOf(certificateTypes, code);
  throw new TlsError(
    'unsupported_certificate',
    `the server selects ${seen} for the ${whose}'s certificate; offered were ${offered.join(', ')} (RFC 7250 §4.2)`,
  );
}

/** Server: the best type of client certificates that both sides have. Throws unsupported_certificate when there is none. */
export function chooseClientType(
  accepted: readonly CertificateTypeName[],
  offered: readonly CertificateTypeName[],
): CertificateTypeName {
  const type = accepted.find((one) => offered.includes(one));
  if (type !== undefined) return type;
  throw new TlsError(
    'unsupported_certificate',
    `the client can show ${offered.join(', ') || 'no type that is known here'}; accepted are ${accepted.join(', ')} (RFC 7250 §4.2)`,
  );
}

/** Throws decode_error for what is no SubjectPublicKeyInfo (RFC 5280 §4.1): a certificate, for one. */
export function checkPublicKeyInfo(bytes: Uint8Array): void {
  const [algorithm, key, ...others] = derSequence(derWhole(bytes));
  if (algorithm?.tag !== derTags.sequence || key?.tag !== derTags.bitString || others.length > 0) {
    throw new TlsError('decode_error', 'the raw public key is no SubjectPublicKeyInfo (RFC 7250 §3)');
  }
}
