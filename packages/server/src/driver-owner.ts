/** Whom a driver serves, and how it is set up. */
import type { ConnectionInfo, Direction, KeyLogLabel, Session, TlsEvent } from 'tls13-core';
import type { HandOverSettings } from './hand-over.js';
import type { Verdict } from './offload.js';

export type AuthenticationEvent = Extract<TlsEvent, { readonly type: 'certificate_requested' | 'authenticated' }>;

/** Whom a driver serves. Nothing is called after `failed`, nor after the driver was destroyed. */
export interface DriverOwner {
  /** Server: early data was accepted, `data` brings it, and `write` may be called; the handshake is not complete (§2.3). */
  early(info: ConnectionInfo): void;
  /** The handshake is complete, and sending is where it will stay: `write` may be called. */
  secured(info: ConnectionInfo): void;
  /** Application data, the owner's to keep. @returns whether more is welcome; else call `read` for more. */
  data(bytes: Buffer): boolean;
  /** No more data will come; sending goes on. */
  ended(): void;
  session(session: Session): void;
  secret(label: KeyLogLabel, clientRandom: Uint8Array, secret: Uint8Array): void;
  keyUpdated(direction: Direction, requested: boolean): void;
  /** Authentication after the handshake (§4.7.2) goes on. */
  authentication(event: AuthenticationEvent): void;
  /** Where a direction's records are protected from here on. */
  placed(direction: Direction, verdict: Verdict): void;
  failed(error: Error): void;
}

export interface DriverSettings extends HandOverSettings {
  /** Take the end of the stream for the end of the data, close_notify or not. */
  readonly tolerateTruncation: boolean;
}

export type Done = (error?: Error) => void;
