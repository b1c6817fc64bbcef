/** A connection for people and for programs: one shape for `connect`, the status page, and the log. */
import { X509Certificate } from 'node:crypto';
import type { EarlyDataReason } from 'tls13-core';
import type { TlsConnection } from '../connection.js';
import type { DirectionOffload } from '../offload.js';

export interface ConnectionSummary {
  readonly protocol: string;
  readonly cipherSuite: string;
  readonly group: string;
  /** Null when a session's key authenticated the server. */
  readonly signatureScheme: string | null;
  readonly alpnProtocol: string | null;
  readonly serverName: string | null;
  readonly resumed: boolean;
  readonly helloRetryRequest: boolean;
  readonly echAccepted: boolean;
  readonly earlyData: 'none' | 'accepted' | 'rejected';
  readonly earlyDataReason: EarlyDataReason;
  readonly send: DirectionOffload;
  readonly receive: DirectionOffload;
  /** Bytes of application data. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** Undefined before the handshake is complete. */
export function summaryOf(connection: TlsConnection): ConnectionSummary | undefined {
  const { info } = connection;
  if (info === undefined) return undefined;
  return {
    protocol: info.protocol,
    cipherSuite: info.cipherSuite,
    group: info.group ?? 'none (psk_ke)',
    signatureScheme: info.signatureScheme ?? null,
    alpnProtocol: info.alpnProtocol ?? null,
    serverName: info.serverName ?? null,
    resumed: info.resumed,
    helloRetryRequest: info.helloRetryRequest,
    echAccepted: info.echAccepted,
    earlyData: info.earlyData,
    earlyDataReason: info.earlyDataReason,
    ...connection.offload,
    bytesSent: connection.bytesWritten,
    bytesReceived: connection.bytesRead,
  };
}

/** `kernel (software)`, or `user space: why`. */
export function placeText({ where, device, detail }: DirectionOffload): string {
  if (where === 'kernel') return device === undefined || device === 'unknown' ? 'kernel' : `kernel (${device})`;
  return detail === undefined ? 'user space' : `user space: ${detail}`;
}

/** SHA-256 of a certificate in DER, as people compare it: `AB:CD:…`. */
export function fingerprint(der: Uint8Array): string {
  return new X509Certificate(der).fingerprint256;
}
