/** Which certificate the server shows, and with which scheme it signs (§4.5.1.2, §4.5.2). */
import { TlsError } from '../../alert.js';
import { type Awaitable, whenKnown } from '../../awaitable.js';
import type { ClientHelloInfo, Credential } from '../../config/index.js';
import { nameOf, signatureSchemes } from '../../registry.js';
import { checkCredential, type ServerSettings } from '../../settings/index.js';
import { offeredTypes, typeOf } from '../certificate-types.js';
import { forServers } from '../certificate-verify.js';
import { type Acceptance, firstUsable, mayBeShown } from '../credential-choice.js';
import type { ChosenCredential } from '../own-certificate.js';
import type { Offer } from './client-hello.js';

export function chooseCredential(offer: Offer, settings: ServerSettings): Awaitable<ChosenCredential> {
  if (offer.hello.extensions.signatureAlgorithms === undefined) {
    throw new TlsError(
      'missing_extension',
      'none of the PSKs is accepted, and without signature_algorithms no certificate can be shown (§4.3.3)',
    );
  }
  const { credentials } = settings;
  const accepted = acceptance(offer, settings.now());
  if (typeof credentials !== 'function') return best(credentials, accepted);
  return whenKnown(credentials(clientHelloInfo(offer)), (given) => usable(given, offer, accepted));
}

/** The ClientHello as the application is shown it. */
export function clientHelloInfo(offer: Offer): ClientHelloInfo {
  const { legacyVersion, extensions } = offer.hello;
  return {
    legacyVersion,
    versions: extensions.supportedVersions ?? [],
    serverName: offer.serverName,
    certificateTypes: offeredTypes(extensions.serverCertificateTypes),
    alpnProtocols: offer.alpnProtocols,
    cipherSuites: offer.hello.cipherSuites,
    groups: offer.groups,
    signatureSchemes: offer.signatureSchemes,
    certificateSignatureSchemes: extensions.signatureAlgorithmsCert ?? offer.signatureSchemes,
    delegatedCredentialSchemes: extensions.delegatedCredential ?? [],
    certificateAuthorities: extensions.certificateAuthorities ?? [],
    extensionTypes: extensions.types,
    bytes: offer.bytes,
  };
}

function usable(credential: Credential | undefined, offer: Offer, accepted: Acceptance): ChosenCredential {
  if (credential === undefined) {
    const { serverName } = offer;
    throw serverName === undefined
      ? new TlsError('handshake_failure', 'there is no credential for a client that names no server')
      : new TlsError('unrecognized_name', `there is no credential for ${JSON.stringify(serverName)} (RFC 6066 §3)`);
  }
  checkCredential(credential, 'credentials');
  return best([credential], accepted);
}

function best(credentials: readonly Credential[], accepted: Acceptance): ChosenCredential {
  const chosen = firstUsable(credentials, accepted);
  if (chosen !== undefined) return chosen;
  if (!credentials.some((credential) => accepted.certificateTypes.includes(typeOf(credential)))) {
    throw new TlsError(
      'unsupported_certificate',
      `the client accepts certificates of type ${accepted.certificateTypes.join(', ') || 'unknown'}; the server has none (RFC 7250 §4.2)`,
    );
  }
  if (!credentials.some((credential) => mayBeShown(credential, accepted))) {
    throw new TlsError(
      'handshake_failure',
      `the client's certificate_authorities name ${accepted.certificateAuthorities.length} issuers, none of them one of the server's (§4.3.4)`,
    );
  }
  const ours = credentials.flatMap(({ signer }) => signer.schemes).join(', ');
  const seen = accepted.signatureSchemes.slice(0, 32).map((code) => nameOf(signatureSchemes, code));
  throw new TlsError(
    'handshake_failure',
    `the client accepts signatures by ${seen.join(', ')}; the server's keys sign with ${ours} (§4.3.3)`,
  );
}

function acceptance({ signatureSchemes: handshake, hello }: Offer, now: number): Acceptance {
  const { signatureAlgorithmsCert, certificateAuthorities, delegatedCredential } = hello.extensions;
  return {
    certificateTypes: offeredTypes(hello.extensions.serverCertificateTypes),
    signatureSchemes: forServers(handshake),
    certificateSignatureSchemes: signatureAlgorithmsCert ?? handshake,
    certificateAuthorities: certificateAuthorities ?? [],
    delegatedCredentialSchemes: delegatedCredential ?? [],
    now,
  };
}
