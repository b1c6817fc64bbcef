/** Whether a delegated credential (RFC 9345) of one's own can ever be of use, said when it is configured. */
import { TlsError } from '../alert.js';
import type { Signer } from '../crypto/provider.js';
import { delegableSchemes } from '../handshake/delegation.js';
import { knownName, nameOf, signatureSchemes } from '../registry.js';
import { type DelegatedCredential, decodeDelegatedCredential } from '../wire/index.js';

/** Throws TypeError with a sentence. */
export function checkDelegatedCredential(bytes: Uint8Array, signer: Signer): void {
  const { dcCertVerifyAlgorithm: code } = readable(bytes).cred;
  const scheme = knownName(signatureSchemes, code);
  if (scheme === undefined || !delegableSchemes([scheme]).includes(scheme)) {
    const seen = nameOf(signatureSchemes, code);
    throw new TypeError(`delegatedCredential: no delegated key may sign with ${seen} (RFC 9345 §4.2)`);
  }
  if (!signer.schemes.includes(scheme)) {
    const ours = signer.schemes.join(', ');
    throw new TypeError(`delegatedCredential: its key signs with ${scheme}, and the signer given with it with ${ours}`);
  }
}

function readable(bytes: Uint8Array): DelegatedCredential {
  try {
    return decodeDelegatedCredential(bytes);
  } catch (cause) {
    if (!(cause instanceof TlsError)) throw cause;
    throw new TypeError(`delegatedCredential: ${cause.message}`, { cause });
  }
}
