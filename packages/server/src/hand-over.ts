/**
 * The hand-over of a connection's directions to the kernel: what may go, when it can, and what happens if it fails.
 * Nothing is written in clear: sending goes over when every byte sealed here is with TCP, and a kernel that takes the
 * record layer but not the keys ends the connection.
 */
import type { EnableOptions } from 'ktls-bind';
import { cipherSuite, type Direction, type TlsEngine, type TrafficKeys } from 'tls13-core';
import { asError, ConnectionError } from './errors.js';
import { wipe } from './keys.js';
import {
  type ConnectionOffload,
  describe,
  largestFragment,
  type OffloadOptions,
  type OffloadPolicy,
  offloadVerdict,
  refused,
  type Verdict,
} from './offload.js';
import { isKernelSide, type KernelSide, type Transport } from './transport/types.js';

export interface HandOverSettings {
  readonly policy: OffloadPolicy;
  readonly offloadOptions: OffloadOptions;
  /** Bytes of content in a record, at most 16,384. */
  readonly maxSendFragment: number;
  /** Whether records are padded, and small at first: both are done by the engine. */
  readonly padding?: boolean;
  readonly dynamicRecordSizing?: boolean;
}

export interface HandOverOwner {
  /** Where a direction's records are protected from here on. */
  placed(direction: Direction, verdict: Verdict): void;
  /** Sends what the peer waits for before sending may go over: the answer to its KeyUpdate. */
  answer(): void;
  /** Ends the connection, which cannot go on. */
  fail(error: ConnectionError): void;
}

export class HandOver {
  readonly #engine: TlsEngine;
  readonly #transport: Transport;
  readonly #settings: HandOverSettings;
  readonly #owner: HandOverOwner;
  #maxSendFragment: number;
  readonly #verdicts: Record<Direction, Verdict> = { send: undecided, receive: undecided };
  /** Receiving goes over at the next record boundary. */
  #receivePlanned = false;

  constructor(engine: TlsEngine, transport: Transport, settings: HandOverSettings, owner: HandOverOwner) {
    this.#engine = engine;
    this.#transport = transport;
    this.#settings = settings;
    this.#owner = owner;
    this.#maxSendFragment = settings.maxSendFragment;
  }

  get offload(): ConnectionOffload {
    const kernel = this.#kernelSide();
    const place = (direction: Direction) =>
      describe(this.#verdicts[direction], () => kernel?.placement(direction) ?? 'none');
    return { send: place('send'), receive: place('receive') };
  }

  /** The kernel, once it seals. */
  get sendingKernel(): KernelSide | undefined {
    return this.#verdicts.send.where === 'kernel' ? this.#kernelSide() : undefined;
  }

  get maxSendFragment(): number {
    // RFC 8449 §4: of the peer's limit one byte is the type's.
    const { recordSizeLimit } = this.#engine.info ?? {};
    return Math.min(this.#maxSendFragment, (recordSizeLimit?.send ?? largestFragment + 1) - 1);
  }

  /** @returns false when records have gone to the kernel, which keeps its size. */
  setMaxSendFragment(size: number): boolean {
    if (this.sendingKernel !== undefined) return false;
    this.#maxSendFragment = size;
    return true;
  }

  /** Decides about sending, and does it. @returns false when it must be called again once the transport has drained. */
  send(): boolean {
    const kernel = this.#kernelSide();
    const verdict = this.#verdict('send');
    if (verdict.where === 'user' || kernel === undefined) {
      this.#place('send', verdict);
      return true;
    }
    this.#owner.answer();
    if (!this.#transport.drained) return false;
    this.#give('send', kernel);
    return true;
  }

  /** Decides about receiving. */
  planReceiving(): void {
    const verdict = this.#verdict('receive');
    if (verdict.where === 'user') {
      this.#place('receive', verdict);
    } else {
      this.#receivePlanned = true;
      this.receive(false);
    }
  }

  /** Hands receiving over if it is to be and the stream is at a record boundary; to be called after every read. */
  receive(peerClosed: boolean): void {
    const kernel = this.#kernelSide();
    if (!this.#receivePlanned || kernel === undefined) return;
    if (this.#engine.canDetach('receive')) {
      this.#receivePlanned = false;
      this.#transport.readLimit = Number.POSITIVE_INFINITY;
      this.#give('receive', kernel);
    } else if (peerClosed) {
      this.#receivePlanned = false;
      this.#place('receive', refused('closed'));
    } else {
      this.#verdicts.receive = refused('partial-record');
      this.#transport.readLimit = this.#engine.wanted;
    }
  }

  /** The peer's next keys, at once: the next record needs them. */
  replaceReceiveKeys(keys: TrafficKeys): void {
    try {
      this.#kernelSide()?.enable('receive', keys);
    } catch (error) {
      this.#owner.fail(refusedKeys('receive', error));
    } finally {
      wipe(keys);
    }
  }

  #kernelSide(): KernelSide | undefined {
    const { kernel } = this.#transport;
    return isKernelSide(kernel) ? kernel : undefined;
  }

  #verdict(direction: Direction): Verdict {
    const { info } = this.#engine;
    if (info === undefined) return refused('handshake');
    const { kernel } = this.#transport;
    const support = isKernelSide(kernel) ? kernel.support : kernel;
    const { aead } = cipherSuite(info.cipherSuite);
    const { maxSendFragment } = this;
    const { policy, padding = false, dynamicRecordSizing = false } = this.#settings;
    const receiveLimited = (info.recordSizeLimit?.receive ?? largestFragment + 1) <= largestFragment;
    const records = { maxSendFragment, padding, dynamicRecordSizing, receiveLimited };
    return offloadVerdict(direction, policy, aead, support, records);
  }

  /** Attaching first: while it can still fail, the engine keeps the direction. */
  #give(direction: Direction, kernel: KernelSide): void {
    try {
      kernel.attach();
    } catch (error) {
      return this.#place(direction, refused('attach-failed', asError(error).message));
    }
    if (!this.#engine.canDetach(direction)) return this.#place(direction, refused('closed'));
    const keys = this.#engine.detach(direction, { rekey: kernel.support.rekey[direction] });
    try {
      kernel.enable(direction, keys, this.#enableOptions(direction, kernel));
    } catch (error) {
      this.#place(direction, refused('enable-failed', asError(error).message));
      return this.#owner.fail(refusedKeys(direction, error));
    } finally {
      wipe(keys);
    }
    this.#place(direction, { where: 'kernel' });
  }

  #enableOptions(direction: Direction, { support }: KernelSide): EnableOptions {
    const { zeroCopy = false, expectNoPad = false } = this.#settings.offloadOptions;
    if (direction === 'receive') return { expectNoPad: expectNoPad && support.expectNoPad };
    const size = this.maxSendFragment;
    return { zeroCopy: zeroCopy && support.zeroCopy, ...(size < largestFragment ? { maxPayload: size } : {}) };
  }

  #place(direction: Direction, verdict: Verdict): void {
    this.#verdicts[direction] = verdict;
    this.#owner.placed(direction, verdict);
  }
}

const undecided = refused('handshake');

function refusedKeys(direction: Direction, error: unknown): ConnectionError {
  return new ConnectionError(
    'ERR_TLS_OFFLOAD_FAILED',
    `the kernel refused keys to ${direction} with, so the connection was closed: ${asError(error).message}`,
    error,
  );
}
