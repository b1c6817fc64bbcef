/** Who one is and whom one believes: credentials of one's own, and the judgement on a peer's. */
import type { Awaitable } from '../awaitable.js';
import type { Signer } from '../crypto/provider.js';
import type { CertificateTypeName } from '../registry.js';
import type { OidFilter } from '../x509/oid-filters.js';

/** A certificate chain and the means to sign with its key. */
export interface Credential {
  /** DER, leaf first (§4.5.1); empty beside a `rawPublicKey`. */
  readonly certificateChain: readonly Uint8Array[];
  /** DER SubjectPublicKeyInfo of the signer's key, shown instead of certificates to peers that accept it (RFC 7250). */
  readonly rawPublicKey?: Uint8Array;
  readonly signer: Signer;
  /**
   * A delegated credential (RFC 9345 §4), by the leaf's key, for the key that `signer` signs with: see
   * `createDelegatedCredential`. Such a credential is presented only to peers that accept it; others need another.
   */
  readonly delegatedCredential?: Uint8Array;
  /**
   * Present it only to peers whose certificate_authorities (§4.3.4) name the issuer of a certificate in the chain: for one
   * that few know, beside others. Without it such a peer is given another credential if that has an issuer it names, and
   * this one if none has (§4.5.1.2). Default false.
   */
  readonly mustMatchIssuer?: boolean;
  /**
   * A DER OCSPResponse for the leaf, shown to peers that ask for one (status_request, §4.5.1.1); or how to get it, at
   * each handshake. `undefined` shows none; what the function throws ends the handshake.
   */
  readonly ocspResponse?: Uint8Array | (() => Awaitable<Uint8Array | undefined>);
  /** For the leaf, each as its log made it (RFC 6962 §3.3), shown to peers that ask for them. */
  readonly signedCertificateTimestamps?: readonly Uint8Array[];
}

/**
 * Judges who a peer says it is. To refuse, throws (or rejects with) a TlsError naming the alert of §6.2. Raw public keys
 * come only where the configuration asks for them (`serverCertificateTypes`, `clientCertificateTypes`).
 */
export type VerifyPeer = (peer: PeerIdentity) => Awaitable<void>;

export type PeerIdentity = PeerCertificates | PeerRawPublicKey | PeerCertificateHash;

interface Peer {
  readonly role: 'client' | 'server';
  /** The name asked for, which a server's certificate must hold. */
  readonly serverName: string | undefined;
  /**
   * Set when the server did not open an encrypted ClientHello: the certificate must be for this name, which `serverName` is
   * too, and nothing may excuse it, as whom to believe about other configs hangs on it (RFC 9849 §6.1.7).
   */
  readonly echPublicName?: string;
  /**
   * Whether this comes from the session that is resumed: presented in an earlier handshake, under whatever was trusted
   * then. A client's that is refused costs a full handshake; a server's the connection.
   */
  readonly resumed: boolean;
}

export interface PeerCertificates extends Peer {
  readonly certificateType: 'x509';
  /** DER, leaf first; never empty. */
  readonly certificates: readonly Uint8Array[];
  /** `status_request` response of the leaf, if stapled (§4.5.1.1). */
  readonly ocspResponse: Uint8Array | undefined;
  /** The leaf's, each as its log made it (RFC 6962 §3.3); not verified. Empty when none came. */
  readonly signedCertificateTimestamps: readonly Uint8Array[];
}

/** A key without a certificate (RFC 7250): known to the application, or nobody's. */
export interface PeerRawPublicKey extends Peer {
  readonly certificateType: 'rawPublicKey';
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
}

/**
 * What is left of a client's certificates in a session, under `tickets.retainOnlySha256OfClientCerts` and nowhere else: they
 * were judged when they were shown, and have not expired since.
 */
export interface PeerCertificateHash extends Peer {
  readonly certificateType: 'x509Sha256';
  /** Of the leaf's DER. */
  readonly sha256: Uint8Array;
}

/** An algorithm of certificate compression (RFC 8879), both ways or one. */
export interface CertificateCompressor {
  /** Of `certificateCompressionAlgorithms`, or one that both sides have agreed on privately (0x4000 and above). */
  readonly algorithm: number;
  /** Called once for each certificate and what is stapled to it: the result is kept. */
  compress?(certificate: Uint8Array): Uint8Array;
  /**
   * At most `length` bytes: one that would make more must stop, as a bomb may hide in few. `undefined`, or what is thrown,
   * refuses the peer with bad_certificate.
   */
  decompress?(compressed: Uint8Array, length: number): Uint8Array | undefined;
}

export interface CertificateRequestInfo {
  /** What the client may show (RFC 7250): of its `clientCertificateTypes` the one that the server has selected. */
  readonly certificateType: CertificateTypeName;
  readonly signatureSchemes: readonly number[];
  /** For the signatures of certificates; those of `signatureSchemes` when the server makes no difference (§4.3.3). */
  readonly certificateSignatureSchemes: readonly number[];
  /** DER distinguished names; empty when the server names none. */
  readonly certificateAuthorities: readonly Uint8Array[];
  /** What the certificate must hold (§4.3.5); one that does not is not shown. See `matchesOidFilters`. */
  readonly oidFilters: readonly OidFilter[];
  /** Schemes that a delegated key may sign with (RFC 9345); empty when none is accepted. */
  readonly delegatedCredentialSchemes: readonly number[];
}
