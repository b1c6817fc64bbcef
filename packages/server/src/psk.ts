/** External PSKs (§4.3.11) as options of servers and clients: this library's own form, and the callbacks of node:tls. */
import type { ClientConfig, Psk, PskKeyExchangeMode, PskLookup, ReflectionGuard, ServerConfig } from 'tls13-core';
import type { CertificateOptions } from './certificate-options.js';
import type { TlsConnection } from './connection.js';

/** What servers and clients have in common. */
export interface PskOptions {
  /** Default `psk_dhe_ke` alone; `psk_ke` has no forward secrecy. */
  readonly pskKeyExchangeModes?: readonly PskKeyExchangeMode[];
  /** Shared by the clients and servers that have the same PSK in both roles; see `createReflectionGuard`. */
  readonly reflectionGuard?: ReflectionGuard;
}

export interface PskClientOptions extends PskOptions {
  /** Keys that the server may have too. With any, only a server that has one is believed, unless `allowCertificate`. */
  readonly psks?: readonly Psk[];
  /** As node:tls: asked once, with `null` in place of the hint that TLS 1.3 does not have. The hash is SHA-256. */
  readonly pskCallback?: (hint: null) => PskOfCallback | null | undefined;
}

export interface PskServerOptions extends PskOptions {
  /** Best first, or how to find one by its identity. They go before certificates, which need not be there then. */
  readonly psks?: readonly Psk[] | PskLookup;
  /** As node:tls: the key for an identity in UTF-8, or nothing when it is unknown. The hash is SHA-256. */
  readonly pskCallback?: (
    socket: TlsConnection,
    identity: string,
  ) => PskKey | { readonly psk: PskKey } | null | undefined;
}

export interface PskOfCallback {
  readonly psk: PskKey;
  readonly identity: string;
}

/** At least 16 bytes. */
export type PskKey = NodeJS.ArrayBufferView;

/** Throws TypeError for options that contradict each other. */
export function clientPskConfig(
  options: PskClientOptions,
): Pick<ClientConfig, 'psks' | 'pskKeyExchangeModes' | 'reflectionGuard'> {
  const { psks, pskCallback } = options;
  if (pskCallback === undefined) return { ...commonPskConfig(options), ...(psks === undefined ? {} : { psks }) };
  if (psks !== undefined) throw new TypeError('pskCallback and psks exclude each other');
  const found = pskCallback(null);
  if (found === null || found === undefined) return commonPskConfig(options);
  return { ...commonPskConfig(options), psks: [{ identity: Buffer.from(found.identity), key: bytesOf(found.psk) }] };
}

/** Whether a server's certificate, or its raw public key, will do (also). */
export function acceptsCertificate(
  { allowCertificate, expectedRawPublicKeys }: CertificateOptions,
  psks: readonly Psk[] = [],
): boolean {
  return psks.length === 0 || allowCertificate === true || expectedRawPublicKeys !== undefined;
}

/** Of all connections of a server: `pskCallback` is asked by each with a lookup of its own. */
export function serverPskConfig(
  options: PskServerOptions,
): Pick<ServerConfig, 'psks' | 'pskKeyExchangeModes' | 'reflectionGuard'> {
  const { psks, pskCallback } = options;
  if (pskCallback === undefined) return { ...commonPskConfig(options), ...(psks === undefined ? {} : { psks }) };
  if (psks !== undefined) throw new TypeError('pskCallback and psks exclude each other');
  return { ...commonPskConfig(options), psks: unknownToAll };
}

/** Asks `pskCallback`, if there is one, for this connection. */
export function connectionPsks(
  { pskCallback }: PskServerOptions,
  connection: TlsConnection,
): Pick<ServerConfig, 'psks'> {
  if (pskCallback === undefined) return {};
  const find: PskLookup = (identity) => {
    const found = pskCallback(connection, Buffer.from(identity).toString());
    if (found === null || found === undefined) return undefined;
    return { identity, key: bytesOf('psk' in found ? found.psk : found) };
  };
  return { psks: find };
}

/** Stands where each connection has its own lookup. */
const unknownToAll: PskLookup = () => undefined;

function commonPskConfig({ pskKeyExchangeModes, reflectionGuard }: PskOptions) {
  return {
    ...(pskKeyExchangeModes === undefined ? {} : { pskKeyExchangeModes }),
    ...(reflectionGuard === undefined ? {} : { reflectionGuard }),
  };
}

function bytesOf(view: PskKey): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
