/** What a server and a client by hand have in common: a transcript, a step that is right unless it is changed, a verdict. */
import { expect } from 'vitest';
import type { AlertName } from '../../../src/alert.js';
import { concat } from '../../../src/bytes.js';
import type { CryptoProvider } from '../../../src/crypto/provider.js';
import { type SigningRole, signedContent } from '../../../src/handshake/certificate-verify.js';
import type { Transcript } from '../../../src/keys/transcript.js';
import { handshakeTypes, type keyUpdateRequests, signatureSchemes } from '../../../src/registry.js';
import {
  decodeHandshake,
  encodeHandshake,
  encodeMessage,
  type HandshakeMessage,
  type HandshakeMessageType,
  type MessageBodiesToSend,
  type RawExtension,
} from '../../../src/wire/index.js';
import { credential, type KeyKind } from './certificates.js';
import type { End } from './pair.js';
import { Wire } from './wire.js';

/** The right body in, what to send instead out: a body, or the bytes of one that no encoder would make. */
export type Change<Type extends HandshakeMessageType> = (
  right: MessageBodiesToSend[Type],
) => MessageBodiesToSend[Type] | Uint8Array;

export const asItIs = <T>(right: T): T => right;

export abstract class HandPeer {
  readonly provider: CryptoProvider;
  readonly #role: SigningRole;
  readonly #kind: KeyKind;
  /** The engine under test. */
  readonly end: End;
  readonly wire: Wire;

  /** @param kind of the key that it signs with. */
  constructor(role: SigningRole, provider: CryptoProvider, end: End, kind: KeyKind = 'ed25519') {
    this.#role = role;
    this.#kind = kind;
    this.provider = provider;
    this.end = end;
    this.wire = new Wire(provider, end, (message) => this.onMessage(message));
  }

  abstract readonly transcript: Transcript | undefined;

  protected abstract onMessage(message: HandshakeMessage): void;

  /** Only the transcript knows of it, not the wire. */
  abstract note(message: Uint8Array): void;

  /** Sends a message after it went into the transcript. */
  protected say<Type extends HandshakeMessageType>(
    type: Type,
    right: MessageBodiesToSend[Type],
    change: Change<Type>,
  ): Uint8Array {
    const message = encoded(type, change(right));
    this.note(message);
    this.wire.sendMessages(message);
    return message;
  }

  certificate(change: Change<'certificate'> = asItIs): this {
    const { certificateChain } = credential(this.provider, this.#kind);
    const certificateList = certificateChain.map((certData) => ({ certData, extensions: {} }));
    this.say('certificate', { certificateRequestContext: new Uint8Array(0), certificateList }, change);
    return this;
  }

  compressedCertificate(body: MessageBodiesToSend['compressed_certificate']): this {
    this.say('compressed_certificate', body, asItIs);
    return this;
  }

  certificateVerify(change: Change<'certificate_verify'> = asItIs): this {
    const { signer } = credential(this.provider, this.#kind);
    const [scheme = 'ed25519'] = signer.schemes;
    if (this.transcript === undefined) throw new Error('the peer has said nothing yet');
    const signature = signer.sign(scheme, signedContent(this.#role, this.transcript.digest()));
    if (signature instanceof Promise) throw new Error('the signer must answer at once');
    this.say('certificate_verify', { algorithm: signatureSchemes[scheme], signature }, change);
    return this;
  }

  /** A message of the connected state, in no transcript. */
  sayAfterwards<Type extends HandshakeMessageType>(type: Type, body: MessageBodiesToSend[Type] | Uint8Array): void {
    this.wire.sendMessages(encoded(type, body));
  }

  keyUpdate(requestUpdate: keyof typeof keyUpdateRequests): void {
    this.sayAfterwards('key_update', { requestUpdate });
    this.wire.updateSealing();
  }

  /** The engine sent this one fatal alert, protected as far as it could, and failed with it; it never connected. */
  expectRefusal(alert: AlertName): void {
    this.expectEnd(alert);
    expect(this.end.of('connected')).toEqual([]);
  }

  /** The same for an engine that may be connected. */
  expectEnd(alert: AlertName): void {
    const { engine } = this.end;
    expect({ state: engine.state, alert: engine.error?.alert, message: engine.error?.message }).toEqual({
      state: 'failed',
      alert,
      message: expect.any(String),
    });
    expect(engine.error?.received).toBe(false);
    expect(this.wire.alerts).toEqual([{ level: 2, name: alert }]);
    expect(this.end.of('failed')).toHaveLength(1);
    expect(this.end.types.at(-1)).toBe('failed');
  }
}

export function encoded<Type extends HandshakeMessageType>(
  type: Type,
  body: MessageBodiesToSend[Type] | Uint8Array,
): Uint8Array {
  if (!(body instanceof Uint8Array)) return encodeMessage(type, body);
  return encodeHandshake(codes[type] ?? handshakeTypes.server_hello, body);
}

/** `right` with its block of extensions edited as raw bytes: what an encoder would refuse to write. */
export function withExtensions<Type extends HandshakeMessageType>(
  type: Type,
  right: MessageBodiesToSend[Type],
  edit: (extensions: readonly RawExtension[]) => readonly RawExtension[],
): Uint8Array {
  const body = encodeMessage(type, right).subarray(4);
  const extensions = rawExtensions(decodeHandshake(encodeMessage(type, right)));
  const before = body.subarray(0, body.length - 2 - lengthOf(extensions));
  const edited = edit(extensions);
  const block = edited.map(({ type: code, data }) => concat(uint16(code), uint16(data.length), data));
  const result = concat(before, uint16(lengthOf(edited)), ...block);
  // In every message the block comes last; in a Certificate a list that holds it has a length of its own.
  if (type === 'certificate') result.set(uint16(result.length - 4), 2);
  return result;
}

/** One byte more behind the content of that extension. */
export function withTrailingByte(code: number): (extensions: readonly RawExtension[]) => readonly RawExtension[] {
  return withBody(code, (data) => concat(data, Uint8Array.of(0)));
}

export function withBody(code: number, change: (data: Uint8Array) => Uint8Array | readonly number[]) {
  return (extensions: readonly RawExtension[]): readonly RawExtension[] =>
    extensions.map(({ type, data }) => ({ type, data: type === code ? Uint8Array.from(change(data)) : data }));
}

export function without(code: number) {
  return (extensions: readonly RawExtension[]) => extensions.filter(({ type }) => type !== code);
}

/** An extension whose bytes are given, for `extensions` of any message. */
export function extra(type: number, ...data: readonly number[]) {
  return { extra: [{ type, data: Uint8Array.from(data) }] };
}

const codes: Readonly<Record<string, number>> = handshakeTypes;

function rawExtensions({ body }: HandshakeMessage): readonly RawExtension[] {
  const block = 'certificateList' in body ? body.certificateList.at(-1)?.extensions : undefined;
  const raw = 'extensions' in body ? body.extensions.raw : block?.raw;
  return Array.from(raw ?? [], ([type, data]) => ({ type, data }));
}

function lengthOf(extensions: readonly RawExtension[]): number {
  return extensions.reduce((length, { data }) => length + 4 + data.length, 0);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}
