/** Whether a credential can be shown at all: the caller's mistakes are found before a peer meets them. */
import type { Credential } from '../config/index.js';
import { type CertificateTypeName, certificateTypes } from '../registry.js';
import { checkDelegatedCredential } from './delegated-credential.js';

/** Throws TypeError naming what is wrong; `where` it was given is how the sentence begins. */
export function checkCredential({ certificateChain, rawPublicKey, signer, ...shown }: Credential, where: string): void {
  if (certificateChain.length === 0 && rawPublicKey === undefined) {
    throw new TypeError(`${where}: a certificateChain is empty`);
  }
  if (certificateChain.length > 0 && rawPublicKey !== undefined) {
    throw new TypeError(`${where}: a rawPublicKey has no certificateChain; give the two as two credentials`);
  }
  if (signer.schemes.length === 0) throw new TypeError(`${where}: a signer offers no signature scheme`);
  const { ocspResponse, signedCertificateTimestamps, delegatedCredential, mustMatchIssuer } = shown;
  if (mustMatchIssuer === true && rawPublicKey !== undefined) {
    throw new TypeError(`${where}: mustMatchIssuer is for certificates; a rawPublicKey has no issuer`);
  }
  if (delegatedCredential !== undefined) checkDelegatedCredential(delegatedCredential, signer);
  if (ocspResponse instanceof Uint8Array && ocspResponse.length === 0) {
    throw new TypeError(`${where}: an ocspResponse is empty; leave it out where there is none`);
  }
  if (signedCertificateTimestamps === undefined) return;
  const { length } = signedCertificateTimestamps;
  if (length === 0 || signedCertificateTimestamps.some((sct) => sct.length === 0)) {
    throw new TypeError(`${where}: signedCertificateTimestamps is empty, or holds one that is; leave them out instead`);
  }
  const bytes = signedCertificateTimestamps.reduce((sum, sct) => sum + 2 + sct.length, 0);
  if (bytes > longestList) {
    throw new TypeError(
      `${where}: signedCertificateTimestamps take ${bytes} bytes; at most ${longestList} go (RFC 6962)`,
    );
  }
}

const longestList = 2 ** 16 - 1;

/** Types of RFC 7250, each once. Throws TypeError naming the option. */
export function checkedTypes(option: string, types: readonly CertificateTypeName[]): readonly CertificateTypeName[] {
  const unknown = types.find((type) => !Object.hasOwn(certificateTypes, type));
  if (unknown !== undefined || types.length === 0) {
    const known = Object.keys(certificateTypes).join(', ');
    throw new TypeError(`${option} must name at least one of ${known}; '${String(unknown)}' is none of them`);
  }
  return [...new Set(types)];
}
