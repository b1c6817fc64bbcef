/** Who the peer is: its certificate judged (§4.5.1.3), and shown in the shapes that node:tls users know. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import {
  type Awaitable,
  type ConnectionInfo,
  type PeerRawPublicKey,
  type Session,
  TlsError,
  type VerifyPeer,
  whenKnown,
} from 'tls13-core';
import { RootStore } from 'tls13-node-crypto';
import type { CommonOptions } from './options.js';
import { type KnowsKey, keyObjectOf, readExpectedKeys } from './raw-public-keys.js';

/** As node:tls has it: an Error refuses the server, undefined accepts it. */
export type CheckServerIdentity = (hostname: string, certificate: PeerCertificate) => Error | undefined;

export interface PeerPolicy {
  readonly store: RootStore;
  /** Client: the DNS name or IP address that the server's certificate must hold. */
  readonly host: string | undefined;
  readonly checkServerIdentity: CheckServerIdentity | undefined;
  readonly rejectUnauthorized: boolean;
  /** Raw public keys that are believed. */
  readonly knowsKey?: KnowsKey;
}

/** The trust anchors that the options name, decoded once. */
export function rootStore({ ca, crl }: Pick<CommonOptions, 'ca' | 'crl'>): RootStore {
  if (ca === undefined) {
    if (crl === undefined) return RootStore.bundled();
    throw new TypeError('crl needs ca: give the authorities whose revocation lists these are');
  }
  return new RootStore({ roots: asSources(ca), ...(crl === undefined ? {} : { crls: crl }) });
}

/** What the options say of raw public keys. Throws TypeError when a key is not readable. */
export function expectedKeys({ expectedRawPublicKeys }: CommonOptions): Pick<PeerPolicy, 'knowsKey'> {
  return expectedRawPublicKeys === undefined ? {} : { knowsKey: readExpectedKeys(expectedRawPublicKeys) };
}

/** One connection's judgement of its peer. */
export class PeerCheck {
  /** A code as node:tls has it, when the peer's certificate did not verify. */
  authorizationError: string | undefined;
  readonly #policy: PeerPolicy;

  constructor(policy: PeerPolicy) {
    this.#policy = policy;
  }

  readonly verify: VerifyPeer = (peer) => {
    if (peer.certificateType === 'rawPublicKey') return this.#judgeKey(peer);
    if (peer.certificateType !== 'x509') {
      throw new TlsError('unsupported_certificate', `${peer.certificateType} came where certificates were demanded`);
    }
    const { role, certificates, echPublicName } = peer;
    if (echPublicName !== undefined) return this.#judgePublicName(certificates, echPublicName);
    const error = this.#judge(role, certificates);
    this.authorizationError = error?.code;
    if (error !== undefined && this.#policy.rejectUnauthorized) throw error;
  };

  /**
   * Whether a server's certificates, kept with a session, would be taken now. Where they would not (another policy took
   * them, or a date is past since) a full handshake is better: the server may have others by now.
   */
  takes({ peerCertificates: certificates, peerRawPublicKey }: Session): boolean {
    if (!this.#policy.rejectUnauthorized) return true;
    // A function is asked when the server has taken the session: it may want its time.
    if (peerRawPublicKey !== undefined) return this.#policy.knowsKey?.(peerRawPublicKey) !== false;
    return certificates.length > 0 && this.#judge('server', certificates) === undefined;
  }

  /** Nothing in a key says whose it is: whoever configured it does, and means the server itself, no public name (RFC 9849). */
  #judgeKey({ publicKey, echPublicName }: PeerRawPublicKey): Awaitable<void> {
    if (echPublicName !== undefined) {
      throw unknownKey(`a raw public key cannot authenticate ${echPublicName}, which rejected ECH (RFC 9849 §6.1.7)`);
    }
    return whenKnown(this.#policy.knowsKey?.(publicKey) ?? false, (known) => {
      const error =
        known === true ? undefined : unknownKey("the peer's raw public key is none of expectedRawPublicKeys");
      this.authorizationError = error?.code;
      if (error !== undefined && this.#policy.rejectUnauthorized) throw error;
    });
  }

  /** Another name than the one asked for, and no policy that could excuse it: see `echPublicName`. */
  #judgePublicName(chain: readonly Uint8Array[], host: string): void {
    const error = asError(this.#policy.store.verify({ chain, purpose: 'server', host }));
    this.authorizationError = error?.code;
    if (error !== undefined) throw error;
  }

  #judge(role: 'client' | 'server', chain: readonly Uint8Array[]): TlsError | undefined {
    const { store, host, checkServerIdentity } = this.#policy;
    if (role === 'client') return asError(store.verify({ chain, purpose: 'client' }));
    if (checkServerIdentity === undefined && host !== undefined) {
      return asError(store.verify({ chain, purpose: 'server', host }));
    }
    const verdict = asError(store.verify({ chain, purpose: 'server', anyName: true }));
    if (verdict !== undefined) return verdict;
    if (checkServerIdentity === undefined || host === undefined) {
      return new TlsError('certificate_unknown', 'no servername or host was given to check the certificate against', {
        code: mismatch,
      });
    }
    const [leaf] = chain;
    const error = leaf === undefined ? undefined : checkServerIdentity(host, legacyCertificate(leaf));
    if (error === undefined) return undefined;
    const code = 'code' in error && typeof error.code === 'string' ? error.code : mismatch;
    return new TlsError('certificate_unknown', error.message, { code, cause: error });
  }
}

/** The peer's certificate in node:tls's older shape; an empty object when it showed none. */
export function peerCertificateOf(
  chain: readonly Uint8Array[],
  detailed: boolean,
): PeerCertificate | Record<string, never> {
  const [leaf] = chain;
  if (leaf === undefined) return {};
  return (detailed ? legacyChain(chain) : legacyCertificate(leaf)) ?? {};
}

/** The key that the peer has shown, in a certificate or alone (RFC 7250). */
export function peerKeyOf(info: ConnectionInfo | undefined): KeyObject | undefined {
  if (info?.peerRawPublicKey !== undefined) return keyObjectOf(info.peerRawPublicKey);
  return leafOf(info?.peerCertificates)?.publicKey;
}

export function leafOf([leaf]: readonly Uint8Array[] = []): X509Certificate | undefined {
  return leaf === undefined ? undefined : new X509Certificate(leaf);
}

/** A certificate in node:tls's older shape. */
function legacyCertificate(der: Uint8Array): PeerCertificate {
  return new X509Certificate(der).toLegacyObject();
}

/** As `getPeerCertificate(true)`: each with its issuer's as far as the chain goes. */
function legacyChain(chain: readonly Uint8Array[]): PeerCertificate | undefined {
  let issuer: PeerCertificate | undefined;
  for (const der of chain.toReversed()) {
    const certificate = legacyCertificate(der);
    // The last is its own issuer's when it is self-signed, as node:tls shows it.
    Reflect.set(certificate, 'issuerCertificate', issuer ?? selfSigned(der, certificate));
    issuer = certificate;
  }
  return issuer;
}

/** With OpenSSL's name for it. */
function unknownKey(message: string): TlsError {
  return new TlsError('certificate_unknown', message, { code: 'RPK_UNTRUSTED' });
}

const mismatch = 'ERR_TLS_CERT_ALTNAME_INVALID';

function selfSigned(der: Uint8Array, legacy: PeerCertificate): PeerCertificate | undefined {
  const certificate = new X509Certificate(der);
  return certificate.checkIssued(certificate) ? legacy : undefined;
}

function asError(verdict: ReturnType<RootStore['verify']>): TlsError | undefined {
  if (verdict.ok) return undefined;
  // As node:tls shows it: where OpenSSL goes on behind each fault, the last remains, and the name is looked at behind all.
  const named = verdict.lastCode === 'HOSTNAME_MISMATCH' || verdict.lastCode === 'IP_ADDRESS_MISMATCH';
  return new TlsError(verdict.alert, verdict.message, { code: named ? mismatch : verdict.lastCode });
}

function asSources<T>(sources: T | readonly T[]): readonly T[] {
  return isList(sources) ? sources : [sources];
}

function isList<T>(sources: T | readonly T[]): sources is readonly T[] {
  return Array.isArray(sources);
}
