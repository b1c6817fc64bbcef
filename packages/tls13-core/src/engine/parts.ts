/** What one connection consists of: built once, and shared by those who do the engine's work. */
import type { TlsError } from '../alert.js';
import type { ConnectionInfo } from '../connection-info.js';
import type { EarlyKeys } from '../handshake/effects.js';
import type { Secret } from '../keys/schedule.js';
import { FloodGuard } from './flood-guard.js';
import { HandshakeJoiner } from './joiner.js';
import { KeyUpdates } from './key-updates.js';
import type { EngineSettings } from './machine.js';
import { Outbox } from './outbox.js';
import { ReceivingHalf } from './receiving.js';
import { SendingHalf } from './sending.js';

export interface Parts {
  readonly role: 'client' | 'server';
  readonly settings: EngineSettings;
  readonly sending: SendingHalf;
  readonly receiving: ReceivingHalf;
  readonly joiner: HandshakeJoiner;
  readonly floodGuard: FloodGuard;
  readonly keyUpdates: KeyUpdates;
  readonly outbox: Outbox;
  readonly progress: Progress;
}

/** How far a connection has come. */
export interface Progress {
  /** Of the machine's state; `undefined` before `start()`. */
  state: string | undefined;
  /** Whether a handshake message of the peer has come. */
  peerHasSpoken: boolean;
  /** Set once the handshake is complete on this side. */
  info: ConnectionInfo | undefined;
  exporterSecret: Secret | undefined;
  /** The machine's, while tickets may come or go. */
  resumptionSecret: Secret | undefined;
  readonly early: EarlyProgress;
  sendClosed: boolean;
  receiveClosed: boolean;
  /** Why the connection is over. */
  error: TlsError | undefined;
}

/** How far early data has come (§2.3). */
export interface EarlyProgress {
  keys: EarlyKeys | undefined;
  /** Client: bytes that may be sent still. */
  sendable: number;
  /** Server: bytes that may come still; `undefined` while none may come at all. */
  readable: number | undefined;
  /** Server: early data was accepted, so that application data may be sent before the client's Finished. */
  answerable: boolean;
}

/** The name of the state in which both Finished have been verified (§A.1, §A.2). */
export const connectedState = 'CONNECTED';

export function connectionParts(role: 'client' | 'server', settings: EngineSettings): Parts {
  const { provider, limits, deviations } = settings;
  const sending = new SendingHalf(role, settings);
  const receiving = new ReceivingHalf(provider, limits.skippedEarlyData, deviations);
  const outbox = new Outbox();
  return {
    role,
    settings,
    sending,
    receiving,
    joiner: new HandshakeJoiner(limits.handshakeMessage),
    floodGuard: new FloodGuard(limits),
    keyUpdates: new KeyUpdates(sending, receiving, outbox, limits.recordsPerKey),
    outbox,
    progress: {
      state: undefined,
      peerHasSpoken: false,
      info: undefined,
      exporterSecret: undefined,
      resumptionSecret: undefined,
      early: { keys: undefined, sendable: 0, readable: undefined, answerable: false },
      sendClosed: false,
      receiveClosed: false,
      error: undefined,
    },
  };
}
