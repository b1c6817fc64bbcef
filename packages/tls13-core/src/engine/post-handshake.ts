/** Performs what authentication after the handshake asks for (§4.7.2): it needs the traffic secrets in force. */
import { TlsError } from '../alert.js';
import { concat, constantTimeEqual } from '../bytes.js';
import type { Effect } from '../handshake/effects.js';
import { contentTypes } from '../registry.js';
import { encodeMessage } from '../wire/index.js';
import type { Parts } from './parts.js';

type AuthenticationEffect = Extract<
  Effect,
  { readonly type: 'send_authentication' | 'verify_finished' | 'certificate_requested' | 'authenticated' }
>;

export function performAuthentication(effect: AuthenticationEffect, parts: Parts): void {
  const { sending, receiving, outbox, progress } = parts;
  switch (effect.type) {
    case 'send_authentication': {
      if (progress.sendClosed) return;
      // A KeyUpdate that is owed goes first: nothing may come between these messages (§4.7.2).
      parts.keyUpdates.answer();
      const finished = encodeMessage('finished', { verifyData: sending.finished(effect.transcript.digest()) });
      for (const event of sending.writeAll(contentTypes.handshake, concat(...effect.messages, finished))) {
        outbox.put(event);
      }
      return;
    }
    case 'verify_finished':
      if (!constantTimeEqual(receiving.finished(effect.transcript.digest()), effect.verifyData)) {
        throw new TlsError('decrypt_error', "the client's Finished after the handshake does not verify (§4.5.3)");
      }
      return;
    case 'certificate_requested':
      return outbox.put({ type: 'certificate_requested', context: effect.context });
    case 'authenticated': {
      if (progress.info === undefined) throw new TypeError('authentication after a handshake that is not complete');
      const { identity, context } = effect;
      if (identity !== undefined) progress.info = { ...progress.info, ...identity.info };
      const certificates = identity?.certificates ?? [];
      return outbox.put({ type: 'authenticated', context, certificates, info: progress.info });
    }
  }
}
