/** A session to resume (§2.2, §4.7.1), as a client keeps it, and its form for storing. */
import { TlsError } from './alert.js';
import { cipherSuite } from './crypto/suites.js';
import { type CipherSuiteName, cipherSuites } from './registry.js';
import {
  type Codec,
  decode,
  encode,
  enumerated,
  octetString,
  opaque,
  struct,
  uint8,
  uint16,
  uint32,
  vector,
} from './wire/codec.js';

export interface Session {
  readonly cipherSuite: CipherSuiteName;
  readonly ticket: Uint8Array;
  /** The PSK that goes with the ticket: secret. */
  readonly psk: Uint8Array;
  /** Seconds after `receivedAt` (§4.7.1). */
  readonly lifetime: number;
  /** ticket_age_add (§4.3.11.1). */
  readonly ageAdd: number;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly serverName: string | undefined;
  readonly alpnProtocol: string | undefined;
  /** Of the full handshake; `verifyPeer` is asked about them again when the session is resumed. */
  readonly peerCertificates: readonly Uint8Array[];
  /** Identity on the wire of the external PSK that authenticated the full handshake; the session serves while it is configured. */
  readonly pskIdentity: Uint8Array | undefined;
  /**
   * Who this client was: the certificate it showed (DER, the leaf), empty for none though one was asked for, `undefined`
   * when none was asked for. With another `credential` the session is not offered.
   */
  readonly localCertificate: Uint8Array | undefined;
  /** As in `ConnectionInfo`. */
  readonly peerRawPublicKey: Uint8Array | undefined;
  /** As in `ConnectionInfo`. */
  readonly ocspResponse: Uint8Array | undefined;
  /** As in `ConnectionInfo`. */
  readonly signedCertificateTimestamps: readonly Uint8Array[];
  /** 0 when the ticket does not permit early data. */
  readonly maxEarlyData: number;
  /** Whether the server takes it under its other names too (resumption_across_names); absent for no. */
  readonly resumableAcrossNames?: boolean;
}

/**
 * A session as bytes, to keep between runs: with them anybody can resume it, so keep them like a key. The first byte
 * is the format's version. Throws RangeError for a session that no server can have issued.
 */
export function serializeSession(session: Session): Uint8Array {
  return encode(stored, {
    version,
    ...session,
    resumableAcrossNames: session.resumableAcrossNames === true ? 1 : 0,
    serverName: session.serverName ?? absent,
    alpnProtocol: session.alpnProtocol ?? absent,
    pskIdentity: session.pskIdentity ?? noBytes,
    localCertificate: session.localCertificate === undefined ? [] : [session.localCertificate],
    peerRawPublicKey: session.peerRawPublicKey ?? noBytes,
    ocspResponse: session.ocspResponse ?? noBytes,
  });
}

/** The session that `serializeSession` was given. Throws TypeError for anything else, and for another version of the format. */
export function parseSession(bytes: Uint8Array): Session {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('a serialized session must be a Uint8Array');
  if (bytes[0] !== version) throw notASession(`its version is ${bytes[0] ?? 'missing'}, not ${version}`);
  const session = decoded(bytes.slice());
  const { hash } = cipherSuite(session.cipherSuite);
  if (session.psk.length !== pskLengths[hash]) {
    throw notASession(`its PSK has ${session.psk.length} bytes, which does not go with ${hash}`);
  }
  return session;
}

const version = 3;
/** Neither a server name nor a protocol name can be empty. */
const absent = '';
const noBytes = new Uint8Array(0);
const pskLengths = { sha256: 32, sha384: 48 } as const;

/** Milliseconds, which need more than four bytes. */
const time: Codec<number> = {
  read: (reader) => reader.uint(2) * 2 ** 32 + reader.uint(4),
  write(writer, milliseconds) {
    writer.uint(2, Math.floor(milliseconds / 2 ** 32));
    writer.uint(4, Math.floor(milliseconds) % 2 ** 32);
  },
};

const stored = struct({
  version: uint8,
  cipherSuite: enumerated(uint16, cipherSuites),
  ticket: opaque(1, 2 ** 16 - 1),
  psk: opaque(32, 48),
  lifetime: uint32,
  ageAdd: uint32,
  receivedAt: time,
  serverName: octetString(0, 255),
  alpnProtocol: octetString(0, 255),
  peerCertificates: vector(opaque(1, 2 ** 24 - 1), 0, 2 ** 24 - 1),
  maxEarlyData: uint32,
  pskIdentity: opaque(0, 2 ** 16 - 1),
  /** None, or one that may be empty. */
  localCertificate: vector(opaque(0, 2 ** 24 - 1), 0, 2 ** 24 - 1),
  peerRawPublicKey: opaque(0, 2 ** 24 - 1),
  ocspResponse: opaque(0, 2 ** 24 - 1),
  signedCertificateTimestamps: vector(opaque(1, 2 ** 16 - 1), 0, 2 ** 16 - 1),
  resumableAcrossNames: uint8,
});

function decoded(bytes: Uint8Array): Session {
  try {
    const { version: _version, resumableAcrossNames, ...session } = decode(stored, bytes, 'session');
    const { serverName, alpnProtocol, pskIdentity, localCertificate, peerRawPublicKey, ocspResponse } = session;
    return {
      ...session,
      serverName: serverName === absent ? undefined : serverName,
      alpnProtocol: alpnProtocol === absent ? undefined : alpnProtocol,
      pskIdentity: pskIdentity.length === 0 ? undefined : pskIdentity,
      localCertificate: localCertificate[0],
      peerRawPublicKey: peerRawPublicKey.length === 0 ? undefined : peerRawPublicKey,
      ocspResponse: ocspResponse.length === 0 ? undefined : ocspResponse,
      ...(resumableAcrossNames === 1 ? { resumableAcrossNames: true } : {}),
    };
  } catch (error) {
    if (error instanceof TlsError) throw notASession(error.message);
    throw error;
  }
}

function notASession(why: string): TypeError {
  return new TypeError(`these bytes are not a session from serializeSession: ${why}`);
}
