/** A peer's Certificate and CertificateVerify (§4.5.1, §4.5.2), for both roles: how they are read and judged. */
import { TlsError } from '../alert.js';
import { type Awaitable, whenKnown } from '../awaitable.js';
import { equal } from '../bytes.js';
import type { PeerIdentity, VerifyPeer } from '../config/index.js';
import type { PeerEvidence } from '../connection-info.js';
import type { CryptoProvider, PublicKey } from '../crypto/provider.js';
import { type CertificateTypeName, extensionTypes, nameOf, type SignatureSchemeName } from '../registry.js';
import type { CommonSettings } from '../settings/index.js';
import {
  type Certificate,
  type CertificateEntry,
  type CertificateVerify,
  decodeCertificateStatus,
  ocspStatusType,
} from '../wire/index.js';
import { certificateFields, maySign } from '../x509/certificate.js';
import { checkPublicKeyInfo } from './certificate-types.js';
import { type SigningRole, verifySignature } from './certificate-verify.js';
import { delegatedKey } from './delegation.js';

/** What a peer says it is, before it has shown to hold the key. */
export interface ClaimedIdentity {
  /** Its chain is never empty. */
  readonly evidence: PeerEvidence;
  /** Of the leaf, or the one that it has delegated to. */
  readonly key: PublicKey;
  /** Whether `key` is a delegated one (RFC 9345): it verifies the one scheme of its credential. */
  readonly delegated: boolean;
  /** What it came compressed with (RFC 8879). */
  readonly compression: string | undefined;
}

/** What a Certificate is held against. */
export interface ExpectedCertificate {
  /** The peer's. */
  readonly role: SigningRole;
  /** certificate_request_context of the request that it answers: empty in the handshake (§4.5.1). */
  readonly context: Uint8Array;
  /** Types of the extensions that its entries may hold: those that this side has asked for (§4.3). */
  readonly asked: readonly number[];
  /** What has been settled on (RFC 7250). */
  readonly certificateType: CertificateTypeName;
  readonly settings: Pick<CommonSettings, 'provider' | 'delegatedCredentialSchemes' | 'signatureSchemes' | 'now'>;
}

/** The peer's claim, or `undefined` for an empty Certificate: whether that will do is for its role to say. */
export function readCertificate(body: Certificate, expected: ExpectedCertificate): ClaimedIdentity | undefined {
  const { role, context, asked } = expected;
  if (!equal(body.certificateRequestContext, context)) {
    throw new TlsError(
      'illegal_parameter',
      `the Certificate's certificate_request_context has ${body.certificateRequestContext.length} bytes; wanted is ${
        context.length === 0 ? 'the empty one of the handshake' : 'that of the CertificateRequest'
      } (§4.5.1)`,
    );
  }
  for (const { extensions } of body.certificateList) {
    const unasked = extensions.types.find((type) => !asked.includes(type));
    if (unasked !== undefined) {
      throw new TlsError(
        // RFC 9345 §4.1.1 wants another alert than §4.3 does.
        unasked === extensionTypes.delegated_credential ? 'unexpected_message' : 'unsupported_extension',
        `the ${role}'s Certificate holds ${nameOf(extensionTypes, unasked)}, which was not asked for (§4.3)`,
      );
    }
  }
  const [leaf] = body.certificateList;
  if (leaf === undefined) return undefined;
  const { settings } = expected;
  if (expected.certificateType === 'rawPublicKey') return claimedKey(body, expected, leaf);
  const certificateKey = leafKey(settings.provider, role, leaf.certData);
  const { delegatedCredential } = leaf.extensions;
  return {
    // Copies, as the application keeps them.
    evidence: {
      peerCertificates: body.certificateList.map(({ certData }) => certData.slice()),
      peerRawPublicKey: undefined,
      ocspResponse: ocspResponse(leaf),
      signedCertificateTimestamps: leaf.extensions.signedCertificateTimestamp?.map((sct) => sct.slice()) ?? [],
    },
    key:
      delegatedCredential === undefined
        ? certificateKey
        : delegatedKey(delegatedCredential, {
            role,
            certificate: leaf.certData,
            certificateKey,
            offered: settings.delegatedCredentialSchemes,
            signatureSchemes: settings.signatureSchemes,
            provider: settings.provider,
            now: settings.now(),
          }),
    delegated: delegatedCredential !== undefined,
    compression: body.compression,
  };
}

/** A key alone (RFC 7250). */
function claimedKey(
  body: Certificate,
  { role, settings }: ExpectedCertificate,
  entry: CertificateEntry,
): ClaimedIdentity {
  const { length } = body.certificateList;
  if (length > 1) {
    throw new TlsError('illegal_parameter', `the ${role}'s Certificate has ${length} raw public keys (RFC 7250 §3)`);
  }
  checkPublicKeyInfo(entry.certData);
  return {
    evidence: { ...noEvidence, peerRawPublicKey: entry.certData.slice() },
    key: settings.provider.publicKey(entry.certData),
    delegated: false,
    compression: body.compression,
  };
}

/** What it takes to believe a claim. */
export interface Trial {
  /** The peer's. */
  readonly role: SigningRole;
  readonly claimed: ClaimedIdentity;
  /** Through the peer's Certificate. */
  readonly transcriptHash: Uint8Array;
  /** What this side offered in signature_algorithms. */
  readonly offered: readonly SignatureSchemeName[];
  readonly serverName: string | undefined;
  readonly verifyPeer: VerifyPeer;
}

/**
 * The scheme of the peer's CertificateVerify, once its signature holds and the application believes the identity.
 * The signature comes first: nobody is asked about a certificate whose key the peer has not shown to hold.
 */
export function judge({ algorithm, signature }: CertificateVerify, trial: Trial): Awaitable<SignatureSchemeName> {
  const { role, claimed, offered, transcriptHash, serverName, verifyPeer } = trial;
  const { evidence, key, delegated } = claimed;
  // A delegated key signs with what was offered for such keys, and with nothing else.
  const allowed = delegated ? key.schemes : offered;
  const scheme = verifySignature({ role, key, offered: allowed, algorithm, signature, transcriptHash });
  const peer = peerOf(evidence, { role, serverName, resumed: false });
  return whenKnown(verifyPeer(peer), () => scheme);
}

/** As `verifyPeer` gets it. */
export function peerOf(
  evidence: PeerEvidence,
  about: Pick<PeerIdentity, 'role' | 'serverName' | 'resumed'>,
): PeerIdentity {
  const { peerCertificates: certificates, peerRawPublicKey, ocspResponse, signedCertificateTimestamps } = evidence;
  if (peerRawPublicKey !== undefined) return { ...about, certificateType: 'rawPublicKey', publicKey: peerRawPublicKey };
  return { ...about, certificateType: 'x509', certificates, ocspResponse, signedCertificateTimestamps };
}

/** What of a session, or of a connection, is about the peer. */
export function evidenceOf(about: PeerEvidence): PeerEvidence {
  const { peerCertificates, peerRawPublicKey, ocspResponse, signedCertificateTimestamps } = about;
  return { peerCertificates, peerRawPublicKey, ocspResponse, signedCertificateTimestamps };
}

/** Of a peer that has shown nothing. */
export const noEvidence: PeerEvidence = {
  peerCertificates: [],
  peerRawPublicKey: undefined,
  ocspResponse: undefined,
  signedCertificateTimestamps: [],
};

/**
 * The key of the leaf. Throws decode_error or bad_certificate for one that cannot be read, and unsupported_certificate for
 * a key that is not for signatures (§4.5.1.2). Whether it goes with what this side offered, its CertificateVerify shows.
 */
export function leafKey(
  provider: Pick<CryptoProvider, 'certificateKey'>,
  role: SigningRole,
  leaf: Uint8Array,
): PublicKey {
  const fields = certificateFields(leaf);
  if (fields.subjectPublicKeyInfo === undefined) {
    throw new TlsError('decode_error', `the ${role}'s certificate has no key: it is no certificate (§4.5.1)`);
  }
  if (!maySign(fields)) {
    throw new TlsError(
      'unsupported_certificate',
      `the Key Usage of the ${role}'s certificate is without digitalSignature (§4.5.1.2)`,
    );
  }
  return provider.certificateKey(leaf);
}

/** The stapled OCSP response of the leaf (§4.5.1.1). */
function ocspResponse({ extensions }: CertificateEntry): Uint8Array | undefined {
  if (extensions.statusRequest === undefined) return undefined;
  const { statusType, response } = decodeCertificateStatus(extensions.statusRequest);
  if (statusType !== ocspStatusType) {
    throw new TlsError(
      'bad_certificate_status_response',
      `the Certificate's status_request is of type ${statusType}; asked for was ocsp (1) (§4.5.1.1)`,
    );
  }
  return response.slice();
}
