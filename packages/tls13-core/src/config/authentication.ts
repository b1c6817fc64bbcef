/** Who one is and whom one believes: credentials of one's own, and the judgement on a peer's. */
import type { Awaitable } from '../awaitable.js';
import type { Signer } from '../crypto/provider.js';
import type { OidFilter } from '../x509/oid-filters.js';

/** A certificate chain and the means to sign with its key. */
export interface Credential {
  /** DER, leaf first (§4.5.1). */
  readonly certificateChain: readonly Uint8Array[];
  readonly signer: Signer;
  /**
   * A delegated credential (RFC 9345 §4), by the leaf's key, for the key that `signer` signs with: see
   * `createDelegatedCredential`. Such a credential is presented only to peers that accept it; others need another.
   */
  readonly delegatedCredential?: Uint8Array;
}

/** Judges a peer's certificate chain. To refuse, throws (or rejects with) a TlsError naming the alert of §6.2. */
export type VerifyPeer = (peer: PeerCertificates) => Awaitable<void>;

export interface PeerCertificates {
  readonly role: 'client' | 'server';
  /** DER, leaf first; never empty. */
  readonly certificates: readonly Uint8Array[];
  /** The name asked for, which a server's certificate must hold. */
  readonly serverName: string | undefined;
  /**
   * Set when the server did not open an encrypted ClientHello: the certificate must be for this name, which `serverName` is
   * too, and nothing may excuse it, as whom to believe about other configs hangs on it (RFC 9849 §6.1.7).
   */
  readonly echPublicName?: string;
  /** `status_request` response of the leaf, if stapled (§4.5.1.1). */
  readonly ocspResponse: Uint8Array | undefined;
  /**
   * Whether they come from the session that is resumed: presented in an earlier handshake, under whatever was trusted
   * then. A client's that are refused cost a full handshake; a server's the connection.
   */
  readonly resumed: boolean;
}

export interface CertificateRequestInfo {
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
