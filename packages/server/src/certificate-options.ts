/** Options about the peer's certificate: of which type it may be, what is asked for beside it, whose it should be. */
import { type CertificateTypeName, type ClientConfig, certificateSubject, type ServerConfig } from 'tls13-core';
import { type CertificateSource, readCertificates } from 'tls13-node-crypto';
import type { CommonOptions, TlsServerOptions } from './options.js';
import type { ExpectedRawPublicKeys } from './raw-public-keys.js';

/** What servers and clients have in common. */
export interface CertificateOptions {
  /**
   * Raw public keys (RFC 7250) that the peer may show: keys in PEM or DER, or a function that knows them. With it no
   * certificate is accepted, unless `allowCertificate`. Default: no raw public key is accepted.
   */
  readonly expectedRawPublicKeys?: ExpectedRawPublicKeys;
  /** Accept certificates beside PSKs or raw public keys. Default false. */
  readonly allowCertificate?: boolean;
  /**
   * Ask the peer for a stapled OCSP response (§4.5.1.1); what comes is in `info.ocspResponse`, and judged by nobody here.
   * Default true for clients, false for servers.
   */
  readonly requestOCSP?: boolean;
  /** Ask the peer for SCTs (RFC 6962); what comes is in `info.signedCertificateTimestamps`, and not judged. Default false. */
  readonly requestSCT?: boolean;
  /**
   * Name authorities whose certificates the peer should show (§4.3.4): true for those of `ca`, or certificates of others.
   * Default true for a server that is given `ca`, false for clients, as it tells everybody on the way whom they trust.
   */
  readonly certificateAuthorities?: boolean | CertificateSource | readonly CertificateSource[];
}

/** Of a client's configuration. Throws TypeError with a sentence. */
export function clientCertificateConfig(options: CommonOptions): Partial<ClientConfig> {
  const { expectedRawPublicKeys } = options;
  return {
    ...commonCertificateConfig(options, false),
    ...(expectedRawPublicKeys === undefined ? {} : { serverCertificateTypes: acceptedTypes(options) }),
  };
}

/** Of a server's. */
export function serverCertificateConfig(options: TlsServerOptions): Partial<ServerConfig> {
  const { expectedRawPublicKeys, requestCert, postHandshakeAuthentication } = options;
  const asks = requestCert === true || postHandshakeAuthentication === true;
  if (expectedRawPublicKeys !== undefined && !asks) {
    throw new TypeError('expectedRawPublicKeys needs requestCert: true: otherwise no client is asked for its key');
  }
  return {
    ...commonCertificateConfig(options, asks),
    ...(expectedRawPublicKeys === undefined ? {} : { clientCertificateTypes: acceptedTypes(options) }),
  };
}

function commonCertificateConfig(options: CommonOptions, names: boolean) {
  const { requestOCSP, requestSCT } = options;
  const authorities = authorityNames(options, names);
  return {
    ...(requestOCSP === undefined ? {} : { ocspStapling: requestOCSP }),
    ...(requestSCT === undefined ? {} : { signedCertificateTimestamps: requestSCT }),
    ...(authorities.length === 0 ? {} : { certificateAuthorities: authorities }),
  };
}

function acceptedTypes({ allowCertificate }: CommonOptions): readonly CertificateTypeName[] {
  return allowCertificate === true ? ['rawPublicKey', 'x509'] : ['rawPublicKey'];
}

/** The subjects of the certificates that are named, each once. */
function authorityNames({ certificateAuthorities, ca }: CommonOptions, byDefault: boolean): readonly Uint8Array[] {
  const wanted = certificateAuthorities ?? byDefault;
  if (wanted === true && ca === undefined && certificateAuthorities === true) {
    throw new TypeError('certificateAuthorities: true names the authorities of ca, which is missing');
  }
  const sources = wanted === true ? ca : wanted === false ? undefined : wanted;
  if (sources === undefined || (isList(sources) && sources.length === 0)) return [];
  const names = readCertificates(sources, 'authority').map(({ raw }) => certificateSubject(new Uint8Array(raw)));
  return [...new Map(names.map((name) => [Buffer.from(name).toString('latin1'), name])).values()];
}

function isList<T>(source: T | readonly T[]): source is readonly T[] {
  return Array.isArray(source);
}
