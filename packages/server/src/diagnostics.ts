/** What can be watched from outside: counters, and channels of node:diagnostics_channel that cost nothing unwatched. */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { Direction } from 'ktls-bind';
import { type AlertName, TlsError } from 'tls13-core';
import type { OffloadReason, Verdict } from './offload.js';

/** Totals since the start, and two gauges. */
export interface Counters {
  readonly connections: {
    /** Now, handshakes included. */
    readonly open: number;
    /** Now. */
    readonly handshaking: number;
    readonly accepted: number;
    /** Refused because of `maxConnections`. */
    readonly dropped: number;
  };
  readonly handshakes: { readonly completed: number; readonly resumed: number; readonly failed: number };
  readonly alerts: {
    readonly sent: Readonly<Partial<Record<AlertName, number>>>;
    readonly received: Readonly<Partial<Record<AlertName, number>>>;
  };
  /** Directions of connections, by where they went: `kernel`, or the reason for user space. */
  readonly offload: Readonly<Record<Direction, Readonly<Partial<Record<'kernel' | OffloadReason, number>>>>>;
}

/** Messages of the channel `tls13:handshake` (successes and failures) and `tls13:resumption`. */
export interface HandshakeMessage {
  readonly connection: object;
  readonly error?: Error;
}

/** Messages of `tls13:alert:sent` and `tls13:alert:received`. */
export interface AlertMessage {
  readonly connection: object;
  readonly alert: AlertName;
  readonly error: Error;
}

/** Messages of `tls13:offload`. */
export interface OffloadMessage {
  readonly connection: object;
  readonly direction: Direction;
  readonly where: 'kernel' | 'user';
  readonly reason?: OffloadReason;
}

export class Telemetry implements Counters {
  readonly connections = { open: 0, handshaking: 0, accepted: 0, dropped: 0 };
  readonly handshakes = { completed: 0, resumed: 0, failed: 0 };
  readonly alerts = { sent: {}, received: {} };
  readonly offload = { send: {}, receive: {} };

  /** For people: a copy. */
  snapshot(): Counters {
    return structuredClone({
      connections: this.connections,
      handshakes: this.handshakes,
      alerts: this.alerts,
      offload: this.offload,
    });
  }

  handshakeDone(connection: object, resumed: boolean): void {
    this.handshakes.completed += 1;
    publish<HandshakeMessage>(handshakeChannel, { connection });
    if (!resumed) return;
    this.handshakes.resumed += 1;
    publish<HandshakeMessage>(resumptionChannel, { connection });
  }

  handshakeFailed(connection: object, error: Error): void {
    this.handshakes.failed += 1;
    publish<HandshakeMessage>(handshakeChannel, { connection, error });
  }

  /** The end of a connection, if an alert made or marked it. */
  failed(connection: object, error: Error): void {
    // The end of the stream without close_notify is answered by no alert.
    if (!(error instanceof TlsError) || error.code === 'ERR_TLS_TRUNCATED') return;
    const { alert } = error;
    count(error.received ? this.alerts.received : this.alerts.sent, alert);
    publish<AlertMessage>(error.received ? receivedChannel : sentChannel, { connection, alert, error });
  }

  placed(connection: object, direction: Direction, verdict: Verdict): void {
    count(this.offload[direction], verdict.where === 'kernel' ? 'kernel' : verdict.reason);
    const reason = verdict.where === 'kernel' ? {} : { reason: verdict.reason };
    publish<OffloadMessage>(offloadChannel, { connection, direction, where: verdict.where, ...reason });
  }
}

/** Of all client connections of this process. */
export const clientTelemetry = new Telemetry();

const handshakeChannel = channel('tls13:handshake');
const resumptionChannel = channel('tls13:resumption');
const sentChannel = channel('tls13:alert:sent');
const receivedChannel = channel('tls13:alert:received');
const offloadChannel = channel('tls13:offload');

function publish<Message>(target: Channel, message: Message): void {
  if (target.hasSubscribers) target.publish(message);
}

function count<Key extends string>(counts: Partial<Record<Key, number>>, key: Key): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
