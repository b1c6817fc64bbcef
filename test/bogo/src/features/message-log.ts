/** The log of messages, as BoringSSL's message callback sees them. */
import type { TlsEvent } from 'tls13-core';
import { expectSame } from '../failure.js';
import type { Feature } from '../feature.js';
import { text } from '../flags.js';

export const messageLog: Feature = {
  flags: { values: ['expect-msg-callback'] },
  client: (flags) => ({ messageLog: flags.values.has('expect-msg-callback') }),
  server: (flags) => ({ messageLog: flags.values.has('expect-msg-callback') }),
  exchanged(flags, seen) {
    const expected = text(flags, 'expect-msg-callback');
    if (expected !== undefined) expectSame('messages', seen.messages.join(''), expected);
  },
};

export function messageLine({ direction, kind, message }: Extract<TlsEvent, { readonly type: 'message' }>): string {
  const verb = direction === 'send' ? 'write' : 'read';
  switch (kind) {
    case 'handshake':
      return `${verb} hs ${message[0]}\n`;
    case 'inner_client_hello':
      return `${verb} clienthelloinner\n`;
    case 'change_cipher_spec':
      return `${verb} ccs\n`;
    case 'alert':
      return `${verb} alert ${message[0]} ${message[1]}\n`;
  }
}
