/** What a connection is told, and who is told of it. */
import type { TlsConnection } from './connection.js';
import type { Telemetry } from './diagnostics.js';
import type { DriverSettings } from './driver-owner.js';
import type { PeerCheck } from './peer.js';

/** What a connection is told by whoever makes it. */
export interface ConnectionSettings {
  readonly driver: DriverSettings;
  readonly allowHalfOpen: boolean;
  readonly telemetry: Telemetry;
  readonly check: PeerCheck | undefined;
  readonly host: ConnectionHost;
  /** Client: the name asked for. */
  readonly servername?: string | undefined;
  /** Client: to be sent as early data. */
  readonly earlyData?: Uint8Array | undefined;
}

/** Whoever makes connections, and is told how they fare. */
export interface ConnectionHost {
  /** Server: before `secured`, the connection has early data to be read and may be written to (§2.3). */
  early?(connection: TlsConnection): void;
  secured(connection: TlsConnection): void;
  /** Before `secured`. @returns whether the host reports it; else the connection emits `error`. */
  handshakeFailed(connection: TlsConnection, error: Error): boolean;
  closed(connection: TlsConnection): void;
  keyLogged(connection: TlsConnection, line: Buffer): void;
}
