/**
 * Certificate chains (§4.5.1.3), judged by OpenSSL's X509_verify_cert through the addon. Without the addon nothing here
 * can judge one, and everything is refused: bring another verifier then.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { type AlertName, TlsError, type VerifyPeer } from 'tls13-core';
import type { BoundRootStore, BoundVerdict } from './binding.js';
import { loadBinding } from './load.js';
import { type CertificateSource, derOf, type PemOrDer, readCertificates, readRevocationLists } from './pem.js';
import { rootCertificates } from './roots.js';
import { alertOfVerdict } from './verdicts.js';

export interface RootStoreOptions {
  /** Trust anchors. An empty list trusts nobody. */
  readonly roots: CertificateSource | readonly CertificateSource[];
  /** Revocation lists. With any, each certificate but the root needs a current list of its issuer. */
  readonly crls?: PemOrDer | readonly PemOrDer[];
}

/** Trust anchors and revocation lists, decoded once for many verifications. */
export class RootStore {
  /** Of the roots. */
  readonly size: number;
  readonly #native: BoundRootStore | undefined;

  /** Throws TypeError saying which root or list is not readable. */
  constructor(options: RootStoreOptions) {
    const { roots } = options;
    const none = Array.isArray(roots) && roots.length === 0;
    const ders = none ? [] : readCertificates(roots, 'root').map(derOf);
    const crls = options.crls === undefined ? [] : readRevocationLists(options.crls);
    const { binding } = loadBinding();
    this.size = ders.length;
    this.#native = binding === undefined ? undefined : new binding.RootStore(ders, crls);
  }

  /** The store of Node's bundled roots; the same at each call. */
  static bundled(): RootStore {
    bundled ??= new RootStore({ roots: rootCertificates('bundled') });
    return bundled;
  }

  /** As `verifyChain`. */
  verify(options: Omit<ChainOptions, 'roots' | 'crls'>): ChainVerdict {
    const { chain, purpose } = options;
    if (purpose !== 'server' && purpose !== 'client') {
      throw new TypeError(`the purpose of a chain is 'server' or 'client', not ${String(purpose)}`);
    }
    if (chain.length === 0) throw new TypeError('a chain has at least one certificate');
    const identity = identityOf(options);
    if (this.#native === undefined)
      return refusal(
        { code: unavailable, lastCode: unavailable, reason: loadBinding().reason ?? '', depth: 0 },
        undefined,
      );
    const { depth = defaultDepth, securityLevel = defaultSecurityLevel } = options;
    const time = options.time === undefined ? -1 : secondsOf(options.time);
    const verdict = this.#native.verify(chain, purpose, identity.host, identity.ip, time, depth, securityLevel);
    if (verdict.code === 'OK') return { ok: true, chain: verdict.chain };
    const sought = identity.host === '' ? identity.ip : identity.host;
    return refusal(verdict, sought === '' ? undefined : sought);
  }
}

export interface ChainOptions {
  /** DER, leaf first, as the peer sent it. */
  readonly chain: readonly Uint8Array[];
  /** Whose chain it is. */
  readonly purpose: 'server' | 'client';
  /** The DNS name (or IP address) that the leaf's subjectAltName must hold; wildcards stand for one whole label only. */
  readonly host?: string | undefined;
  /** The IP address that the leaf's subjectAltName must hold. */
  readonly ip?: string | undefined;
  /** A server's chain is refused as misuse without `host` or `ip`, unless this is true: the caller checks the name. */
  readonly anyName?: boolean;
  /** When the chain must be valid: a Date, or milliseconds since 1970. Default: now. */
  readonly time?: Date | number | undefined;
  /** Trust anchors. Default: Node's bundled ones. A store is decoded once, a list at each call. */
  readonly roots?: RootStore | CertificateSource | readonly CertificateSource[];
  /** Revocation lists; with a `RootStore` give them to it. */
  readonly crls?: PemOrDer | readonly PemOrDer[];
  /** Most intermediate certificates. Default 10. */
  readonly depth?: number;
  /** OpenSSL's: 1 is 80 bits of security, 2 (default) is 112: RSA of 2048 bits, no SHA-1. */
  readonly securityLevel?: number;
}

export type ChainVerdict =
  /** The chain that was built, leaf first, root last, as DER. */
  | { readonly ok: true; readonly chain: readonly Uint8Array[] }
  | {
      readonly ok: false;
      /** OpenSSL's name of the first fault it met, e.g. `CERT_HAS_EXPIRED`; or `MALFORMED`, `VERIFIER_UNAVAILABLE`. */
      readonly code: string;
      /** Of the last it meets when it goes on behind each: what node:tls shows in `authorizationError`. */
      readonly lastCode: string;
      /** A sentence for people. */
      readonly message: string;
      /** What answers the peer (§6.2). */
      readonly alert: AlertName;
      /** Of the certificate that it is about; 0 is the leaf. */
      readonly depth: number;
    };

/** Judges a chain. Throws TypeError for misuse only; a bad chain is a verdict. */
export function verifyChain(options: ChainOptions): ChainVerdict {
  return storeOf(options.roots, options.crls).verify(options);
}

export interface ChainVerifierOptions {
  /** Trust anchors. Default: Node's bundled ones. */
  readonly roots?: RootStore | CertificateSource | readonly CertificateSource[];
  readonly crls?: PemOrDer | readonly PemOrDer[];
  /** Checked in a server's certificate instead of the name it was asked for: a DNS name or an IP address. */
  readonly host?: string;
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  readonly depth?: number;
  readonly securityLevel?: number;
}

/** `verifyPeer` for the core's configurations: refuses with a TlsError of the verdict's alert. */
export function chainVerifier(options: ChainVerifierOptions = {}): VerifyPeer {
  const { roots, crls, host, now = Date.now, ...limits } = options;
  const store = storeOf(roots, crls);
  return (peer) => {
    if (peer.certificateType === 'rawPublicKey') {
      throw new TlsError('unsupported_certificate', 'a raw public key has no chain to be verified; judge it by itself');
    }
    // The chain was verified when it was shown, and the session that has kept its hash has ended with the leaf at the latest.
    if (peer.certificateType === 'x509Sha256') return;
    const { role, certificates, serverName } = peer;
    const name = role === 'server' ? { host: host ?? serverName } : {};
    const verdict = store.verify({ ...limits, chain: certificates, purpose: role, time: now(), ...name });
    if (!verdict.ok) throw new TlsError(verdict.alert, verdict.message);
  };
}

const unavailable = 'VERIFIER_UNAVAILABLE';
const defaultDepth = 10;
const defaultSecurityLevel = 2;
let bundled: RootStore | undefined;

function storeOf(roots: ChainVerifierOptions['roots'], crls: ChainVerifierOptions['crls']): RootStore {
  if (roots instanceof RootStore) {
    if (crls !== undefined) throw new TypeError('revocation lists belong into the RootStore when one is given');
    return roots;
  }
  if (roots === undefined && crls === undefined) return RootStore.bundled();
  const anchors = roots ?? rootCertificates('bundled');
  return new RootStore({ roots: anchors, ...(crls === undefined ? {} : { crls }) });
}

function refusal(
  { code, lastCode, reason, depth }: Omit<BoundVerdict, 'chain'>,
  sought: string | undefined,
): ChainVerdict {
  const mismatch = sought !== undefined && (code === 'HOSTNAME_MISMATCH' || code === 'IP_ADDRESS_MISMATCH');
  const message = mismatch
    ? `the certificate is not for ${sought}: no name in it matches (${code})`
    : `${nameOfDepth(depth)} is refused: ${reason} (${code})`;
  return { ok: false, code, lastCode, message, alert: alertOfVerdict(code), depth };
}

function nameOfDepth(depth: number): string {
  return depth === 0 ? 'the certificate' : `the certificate ${depth} above the leaf's`;
}

function secondsOf(time: Date | number): number {
  const seconds = Math.floor(Number(time) / 1000);
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new TypeError('the time of a verification is a Date or milliseconds since 1970');
  }
  return seconds;
}

interface Identity {
  readonly host: string;
  readonly ip: string;
}

function identityOf({ host, ip, purpose, anyName }: Omit<ChainOptions, 'roots' | 'crls'>): Identity {
  if (ip !== undefined) {
    if (host !== undefined) throw new TypeError('give either the host name or the IP address that is to be checked');
    if (isIP(ip) === 0) throw new TypeError(`${JSON.stringify(ip)} is not an IP address`);
    return { host: '', ip };
  }
  if (host !== undefined) return isIP(host) === 0 ? { host: dnsName(host), ip: '' } : { host: '', ip: host };
  if (purpose === 'server' && anyName !== true) {
    throw new TypeError('name the server: host or ip is needed, or anyName: true if its name is checked elsewhere');
  }
  return { host: '', ip: '' };
}

/** OpenSSL reads a leading dot as "any subdomain" and would take other strings literally: only names pass. */
function dnsName(host: string): string {
  const name = domainToASCII(host.replace(/\.$/, ''));
  const labels = name.split('.');
  if (name.length > 253 || !labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) {
    throw new TypeError(`${JSON.stringify(host)} is not a DNS name`);
  }
  return name;
}
