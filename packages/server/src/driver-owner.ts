/** Whom a driver serves, and how it is set up. */
import type { ConnectionInfo, Direction, KeyLogLabel, Session, TlsEvent } from 'tls13-core';
import type { HandOverSettings } from './hand-over.js';
import type { Verdict } from './offload.js';

export type AuthenticationEvent = Extract<TlsEvent, { readonly type: 'certificate_requested' | 'authenticated' }>;

/**
 * Whom a driver serves, a connection each: the same owner for many. Nothing is called after `failed`, nor after the driver
 * was destroyed.
 */
export interface DriverOwner<Connection> {
  /** Server: early data was accepted, `data` brings it, and `write` may be called; the handshake is not complete (§2.3). */
  early(connection: Connection, info: ConnectionInfo): void;
  /** The handshake is complete, and sending is where it will stay: `write` may be called. */
  secured(connection: Connection, info: ConnectionInfo): void;
  /** Application data, the owner's to keep. @returns whether more is welcome; else call `read` for more. */
  data(connection: Connection, bytes: Buffer): boolean;
  /** No more data will come; sending goes on. */
  ended(connection: Connection): void;
  session(connection: Connection, session: Session): void;
  secret(connection: Connection, label: KeyLogLabel, clientRandom: Uint8Array, secret: Uint8Array): void;
  keyUpdated(connection: Connection, direction: Direction, requested: boolean): void;
  /** Authentication after the handshake (§4.7.2) goes on. */
  authentication(connection: Connection, event: AuthenticationEvent): void;
  /** Where a direction's records are protected from here on. */
  placed(connection: Connection, direction: Direction, verdict: Verdict): void;
  failed(connection: Connection, error: Error): void;
}

export interface DriverSettings extends HandOverSettings {
  /** Take the end of the stream for the end of the data, close_notify or not. */
  readonly tolerateTruncation: boolean;
}

export type Done = (error?: Error) => void;
