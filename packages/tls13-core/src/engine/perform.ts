/** Performs what a step of the machine asks for, in the order in which it asks. */
import { concat } from '../bytes.js';
import type { Effect } from '../handshake/effects.js';
import { contentTypes } from '../registry.js';
import { accept, endReading, endSending, offer } from './early-data.js';
import { logMessage } from './message-log.js';
import type { Parts } from './parts.js';
import { performAuthentication } from './post-handshake.js';

export function perform(effects: readonly Effect[], parts: Parts): void {
  let flight: Uint8Array[] = [];
  const sendFlight = () => {
    if (flight.length > 0) {
      for (const event of parts.sending.writeAll(contentTypes.handshake, concat(...flight))) parts.outbox.put(event);
    }
    flight = [];
  };
  for (const effect of effects) {
    if (effect.type === 'send') {
      // §6.1: such as the tickets of a server that has answered early data and said close_notify before the client finished.
      if (parts.progress.sendClosed) continue;
      logMessage('send', 'handshake', effect.message, parts);
      flight.push(effect.message);
    } else {
      sendFlight();
      performOne(effect, parts);
    }
  }
  sendFlight();
}

function performOne(effect: Exclude<Effect, { type: 'send' }>, parts: Parts): void {
  const { sending, receiving, outbox, progress } = parts;
  switch (effect.type) {
    case 'send_authentication':
    case 'verify_finished':
    case 'certificate_requested':
    case 'authenticated':
      return performAuthentication(effect, parts);
    case 'inner_client_hello':
      return logMessage(effect.direction, 'inner_client_hello', effect.message, parts);
    case 'change_cipher_spec':
      logMessage('send', 'change_cipher_spec', Uint8Array.of(1), parts);
      return effect.when === 'now' ? outbox.put(sending.changeCipherSpec()) : sending.changeCipherSpecFirst();
    case 'send_in_clear':
      endSending(progress.early);
      return sending.setNoSecret();
    case 'K_send':
      if (effect.epoch !== 'early') endSending(progress.early);
      return sending.setSecret(effect.suite, effect.secret);
    case 'K_recv':
      if (effect.epoch !== 'early') {
        endReading(progress.early);
        receiving.enforceLimit();
      }
      return receiving.setSecret(effect.suite, effect.secret);
    case 'early_data_offered':
      return offer(effect.early, progress.early);
    case 'early_data_accepted':
      return outbox.put({ type: 'early_data_accepted', info: effect.info });
    case 'early_data_read':
      accept(effect.early, progress.early);
      progress.exporterSecret = effect.exporterSecret;
      return outbox.put({ type: 'early_data_accepted', info: effect.info });
    case 'early_data_rejected':
      return outbox.put({ type: 'early_data_rejected', reason: effect.reason });
    case 'record_size_limit':
      sending.limit(effect.limit.send);
      return receiving.limit(effect.limit.receive);
    case 'skip_early_data':
      return receiving.skipEarlyData(effect.until);
    case 'key_log':
      if (parts.settings.keyLog) {
        const { label, clientRandom, secret } = effect;
        outbox.put({ type: 'secret', label, clientRandom, secret: secret.slice() });
      }
      return;
    case 'connected':
      progress.info = effect.info;
      progress.exporterSecret = effect.exporterSecret;
      progress.resumptionSecret = effect.resumptionSecret;
      return outbox.put({ type: 'connected', info: effect.info });
    case 'fail':
      throw effect.error;
    case 'ticket':
      return outbox.put({ type: 'ticket', session: effect.session });
    case 'key_update':
      parts.floodGuard.keyUpdate();
      return parts.keyUpdates.received(effect.updateRequested);
  }
}
