/** What both roles choose. */
import type { CryptoProvider } from '../crypto/provider.js';
import type { CipherSuiteName, NamedGroupName, SignatureSchemeName } from '../registry.js';
import type { CertificateCompressor } from './authentication.js';
import type { Deviations } from './deviations.js';
import type { Limits } from './limits.js';
import type { PskKeyExchangeMode, ReflectionGuard } from './psk.js';
import type { RecordConfig } from './records.js';

export interface CommonConfig extends RecordConfig {
  readonly provider: CryptoProvider;
  /** Best first. Default: all but TLS_AES_128_CCM_8_SHA256. */
  readonly cipherSuites?: readonly CipherSuiteName[];
  /** Best first. Default: the provider's but MLKEM768 and MLKEM1024. A server takes its own order, but avoids a HelloRetryRequest where it can. */
  readonly groups?: readonly NamedGroupName[];
  /** Schemes accepted from the peer, best first. Default: the provider's. */
  readonly signatureSchemes?: readonly SignatureSchemeName[];
  /**
   * Schemes accepted in the signatures of certificates, which `verifyPeer` judges (signature_algorithms_cert). Default:
   * `signatureSchemes`, and RSA with PKCS#1, which is in use there still.
   */
  readonly certificateSignatureSchemes?: readonly SignatureSchemeName[];
  /** Ways to use a PSK (§4.3.9). Default: `psk_dhe_ke` alone. `psk_ke` is for devices that cannot do (EC)DHE. */
  readonly pskKeyExchangeModes?: readonly PskKeyExchangeMode[];
  /** Shared by the clients and servers of a process that has an external PSK in both roles. Default: none. */
  readonly reflectionGuard?: ReflectionGuard;
  /**
   * Accept delegated credentials of the peer whose key signs with one of these (RFC 9345), best first. Not possible with
   * `rsa_pss_rsae_*`. Default: none.
   */
  readonly delegatedCredentialSchemes?: readonly SignatureSchemeName[];
  /** Ask the peer for a stapled OCSP response (status_request, §4.5.1.1). Default true for a client, false for a server. */
  readonly ocspStapling?: boolean;
  /**
   * Certificate compression (RFC 8879), best first: offered for what the peer shows where they decompress, used for what
   * this side shows where they compress. Default: none.
   */
  readonly certificateCompression?: readonly CertificateCompressor[];
  /** Ask the peer for SCTs (signed_certificate_timestamp, RFC 6962 §3.3), for `verifyPeer` to judge. Default false. */
  readonly signedCertificateTimestamps?: boolean;
  /** RFC 7301, best first. */
  readonly alpnProtocols?: readonly string[];
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /** Ask for `secret` events, for an NSS key log. Default false: the secrets of a connection open all of it. */
  readonly keyLog?: boolean;
  /** Ask for `message` events: the handshake in clear, for debugging. Default false. */
  readonly messageLog?: boolean;
  /**
   * Send GREASE values (RFC 8701) wherever a peer must pass over what it does not know: a client in its ClientHello, a
   * server in its CertificateRequest and its tickets. Default false: a program that talks to servers of its own gains
   * nothing by being different each time.
   */
  readonly grease?: boolean;
  readonly limits?: Partial<Limits>;
  /** All false by default. */
  readonly deviations?: Partial<Deviations>;
}
