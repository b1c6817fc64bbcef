/** Pre-shared keys that no ticket made (§4.3.11), as an application has them, and how they may be used. */
import type { Awaitable } from '../awaitable.js';
import type { HashName } from '../crypto/provider.js';
import type { CipherSuiteName } from '../registry.js';
import type { ClientHelloInfo } from './server.js';

/** A PSK for TLS 1.3 and for one hash, as other implementations name it by identity and key. */
export interface ExternalPsk {
  /** 1 to 65,535 bytes; everybody on the way reads it (§F.6). */
  readonly identity: Uint8Array;
  /** At least 16 bytes, as unpredictable as a key: a password can be guessed off line (RFC 9257 §4.2). Secret. */
  readonly key: Uint8Array;
  /** Default `sha256` (§4.3.11). */
  readonly hash?: HashName;
  /** Default: no early data with it. */
  readonly earlyData?: PskEarlyData;
}

/**
 * A PSK to import (RFC 9258): from it comes another key for each protocol, hash and context, so that it can serve more
 * than one of them. Both sides must have all of its fields alike.
 */
export interface PskToImport {
  /** 1 to 65,000 bytes; everybody on the way reads it, and the context. */
  readonly externalIdentity: Uint8Array;
  /** At least 16 bytes, as `ExternalPsk.key`. Secret. */
  readonly key: Uint8Array;
  /** Of the PSK itself, not of a cipher suite. Default `sha256`. */
  readonly hash?: HashName;
  /**
   * What both sides take for granted, such as who is the client and who the server, which keeps a message from being
   * reflected to its sender (RFC 9258 §3, RFC 9257 §4.1). Default empty.
   */
  readonly context?: Uint8Array;
  /** Under the imported key for the hash of its `cipherSuite`. Default: no early data with it. */
  readonly earlyData?: PskEarlyData;
}

/**
 * What was agreed on, together with a PSK, about early data (§4.3.10): both sides must have it alike. Nothing in a
 * ClientHello tells how old it is when the PSK is no ticket, so a server takes a copy of it as long as the PSK serves, unless its
 * `ReplayCache` remembers it for as long (§8.2). The cache of `createReplayCache` therefore refuses early data under
 * PSKs that were there before it: those need a cache that outlives the process.
 */
export interface PskEarlyData {
  /** Bytes that a client may send, 1 to 4,294,967,295; a server that is configured for less takes none. */
  readonly maxSize: number;
  /** The suite that protects it, of the PSK's hash. Server and client then prefer it for this PSK. */
  readonly cipherSuite: CipherSuiteName;
  /** The protocol (RFC 7301) that it speaks; default none, and then none may be negotiated. */
  readonly alpnProtocol?: string;
  /** Milliseconds since 1970, before which nobody had the PSK. Default 0: nobody knows. */
  readonly issuedAt?: number;
  /** Milliseconds since 1970, from which on early data is neither sent nor taken. Default: never; what was claimed is kept for ever. */
  readonly expiresAt?: number;
}

export type Psk = ExternalPsk | PskToImport;

/**
 * Finds the PSK of an identity as it came (of an imported one `parseImportedIdentity` tells the parts), `undefined` for
 * one that is unknown. Asked for each identity until one is known, and again after a HelloRetryRequest.
 */
export type PskLookup = (identity: Uint8Array, hello: ClientHelloInfo) => Awaitable<Psk | undefined>;

/** §4.3.9: `psk_ke` goes without (EC)DHE, so whoever learns the PSK reads all that was ever said under it. */
export type PskKeyExchangeMode = 'psk_dhe_ke' | 'psk_ke';

/**
 * Remembers the ClientHellos that this process sent, so that its own servers refuse them when they come back: a peer
 * that has a PSK in both roles could be made to talk to itself ("Selfie", §F.8, RFC 9257 §4.1). See `createReflectionGuard`.
 */
export interface ReflectionGuard {
  /** Of a ClientHello that offers an external PSK: its random. */
  sent(clientRandom: Uint8Array): void;
  wasSent(clientRandom: Uint8Array): boolean;
}
