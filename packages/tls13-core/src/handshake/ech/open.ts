/** A client-facing server and encrypted_client_hello (RFC 9849 §7.1): which of the two ClientHellos it goes on with. */
import { TlsError } from '../../alert.js';
import { type Awaitable, whenKnown } from '../../awaitable.js';
import type { HpkeRecipient } from '../../crypto/hpke.js';
import type { EchServerSettings } from '../../settings/ech.js';
import type { EchClientHelloOuter, EchSymmetricSuite } from '../../wire/ech.js';
import { handshakeHeaderLength } from '../../wire/index.js';
import { decodeRawClientHello } from '../../wire/raw-client-hello.js';
import type { Effect } from '../effects.js';
import type { MessageOf } from '../step.js';
import { decodeInner } from './inner.js';

type ClientHelloMessage = MessageOf<'client_hello'>;

/** The ClientHello that is negotiated with, and what became of ECH. */
export interface OpenedHello {
  readonly message: ClientHelloMessage;
  readonly ech: EchOutcome;
}

/**
 * - `absent`: not offered, or no concern of this server's;
 * - `rejected`: offered, and not opened: the client is told of the configs in force;
 * - `backend`: opened by a client-facing server in front of this one (§7.2);
 * - `accepted`: opened here.
 */
export type EchOutcome =
  | { readonly kind: 'absent' }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'backend' }
  /** `opening` is what opens a second ClientHello, and must be the same in it (§7.1.1). */
  | { readonly kind: 'accepted'; readonly opening: Opening | undefined };

export const echAbsent: EchOutcome = { kind: 'absent' };

/** Whether the server's answer says that the inner ClientHello was taken (§7.2). */
export function isConfirmed({ kind }: EchOutcome): boolean {
  return kind === 'accepted' || kind === 'backend';
}

interface Opening {
  readonly recipient: HpkeRecipient;
  readonly configId: number;
  readonly suite: EchSymmetricSuite;
}

/** Asked whether an inner ClientHello is to be answered; otherwise the outer one is. */
export type AcceptInner = (inner: ClientHelloMessage) => Awaitable<boolean>;

/** For a first ClientHello. Throws TlsError with the alert that the section in its message demands. */
export function openFirst(
  message: ClientHelloMessage,
  settings: EchServerSettings | undefined,
  accept: AcceptInner,
): Awaitable<OpenedHello> {
  const extension = message.body.extensions.encryptedClientHello;
  if (extension?.type === 'inner') return { message, ech: backend(settings) };
  if (extension === undefined || settings === undefined) return { message, ech: echAbsent };
  const opened = settings.keys.open(extension, outerAssociatedData(message, extension));
  if (opened === undefined) return { message, ech: { kind: 'rejected' } };
  const { recipient, encoded } = opened;
  const inner = decodeInner(encoded, decodeRawClientHello(message.bytes));
  return whenKnown(accept(inner), (accepted): OpenedHello => {
    if (!accepted) {
      recipient.destroy();
      // Not `rejected`: to try again with a config of this server's would end here again.
      return { message, ech: echAbsent };
    }
    const { configId, suite } = extension;
    return { message: inner, ech: { kind: 'accepted', opening: { recipient, configId, suite } } };
  });
}

/** For a second ClientHello, which goes the way of the first (§7.1.1). */
export function openSecond(message: ClientHelloMessage, first: EchOutcome): OpenedHello {
  const extension = message.body.extensions.encryptedClientHello;
  if (first.kind === 'absent' || first.kind === 'rejected') {
    if (extension?.type === 'inner') throw wrong('is of type inner, unlike the first', '7');
    return { message, ech: extension === undefined ? echAbsent : first };
  }
  if (extension === undefined) {
    throw new TlsError(
      'missing_extension',
      'the second ClientHello is without encrypted_client_hello (RFC 9849 §7.1.1)',
    );
  }
  const type = first.kind === 'backend' ? 'inner' : 'outer';
  if (extension.type !== type) throw wrong(`is of type ${extension.type}, unlike the first`, '7');
  if (first.kind === 'backend' || extension.type === 'inner') return { message, ech: first };
  if (first.opening === undefined) throw new TypeError('a third ClientHello');
  const { recipient, configId, suite } = first.opening;
  const same =
    extension.configId === configId && extension.suite.kdf === suite.kdf && extension.suite.aead === suite.aead;
  if (!same) throw wrong('has another config_id or cipher_suite than the first', '7.1.1');
  if (extension.enc.length > 0) throw wrong('has an enc; only the first ClientHello has one', '7.1.1');
  const encoded = recipient.open(outerAssociatedData(message, extension), extension.payload);
  recipient.destroy();
  if (encoded === undefined) {
    throw new TlsError('decrypt_error', "the second ClientHello's payload does not open (RFC 9849 §7.1.1)");
  }
  return {
    message: decodeInner(encoded, decodeRawClientHello(message.bytes)),
    ech: { kind: 'accepted', opening: undefined },
  };
}

/** Wipes what a second ClientHello would have been opened with: none is asked for any more. */
export function forgetOpening(ech: EchOutcome): void {
  if (ech.kind === 'accepted') ech.opening?.recipient.destroy();
}

/** For a log of messages: what was opened. */
export function innerRead({ message, ech }: OpenedHello): readonly Effect[] {
  if (ech.kind !== 'accepted') return [];
  return [{ type: 'inner_client_hello', direction: 'receive', message: message.bytes }];
}

/** ClientHelloOuterAAD (§5.2): the ClientHello with zeros for the payload. */
export function outerAssociatedData(
  { bytes }: Pick<ClientHelloMessage, 'bytes'>,
  { payload }: EchClientHelloOuter,
): Uint8Array {
  const blank = bytes.slice(handshakeHeaderLength);
  const place = payload.byteOffset - bytes.byteOffset - handshakeHeaderLength;
  blank.fill(0, place, place + payload.length);
  return blank;
}

/** §7: who opens ECH itself is sent no inner ClientHello; any other server takes it from the one in front of it. */
function backend(settings: EchServerSettings | undefined): EchOutcome {
  if (settings !== undefined) throw wrong('is of type inner, and this server is the one to open it', '7');
  return { kind: 'backend' };
}

function wrong(what: string, section: string): TlsError {
  return new TlsError('illegal_parameter', `encrypted_client_hello ${what} (RFC 9849 §${section})`);
}
