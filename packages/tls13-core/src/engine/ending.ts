/** How a connection ends (§6): by an alert of either side, by close_notify, or by a fault on this one. */
import { type AlertName, alertLevels, TlsError } from '../alert.js';
import { contentTypes } from '../registry.js';
import { type Alert, decodeAlert, encodeAlert } from '../wire/index.js';
import { wipe } from './early-data.js';
import { logMessage } from './message-log.js';
import type { Parts } from './parts.js';

export function sendAlert(name: AlertName, parts: Parts): void {
  const content = encodeAlert(name);
  logMessage('send', 'alert', content, parts);
  parts.outbox.put(parts.sending.write(contentTypes.alert, content));
}

export function takeAlert(content: Uint8Array, parts: Parts): void {
  logMessage('receive', 'alert', content, parts);
  const alert = decodeAlert(content);
  const { name, description } = alert;
  if (parts.settings.deviations.alertLevels) refuseLevel(alert);
  if (name === 'user_canceled') return parts.floodGuard.warningAlert();
  if (name !== 'close_notify' || parts.progress.info === undefined) {
    const text = `the peer sent the alert ${name ?? description}`;
    return end(new TlsError(name ?? 'general_error', text, { received: true }), parts);
  }
  parts.progress.receiveClosed = true;
  parts.outbox.put({ type: 'closed' });
}

/** Tells the peer, then ends. */
export function fail(error: TlsError, parts: Parts): void {
  try {
    // Before anything was said there is nobody to tell.
    if (!parts.progress.sendClosed && parts.progress.state !== undefined) sendAlert(error.alert, parts);
  } catch {
    // What failed is the sealing itself: the connection ends without an alert.
  }
  end(error, parts);
}

export function end(error: TlsError, { progress, outbox, sending, receiving }: Parts): void {
  progress.error = error;
  progress.sendClosed = true;
  outbox.put({ type: 'failed', error });
  sending.destroy();
  receiving.destroy();
  progress.exporterSecret?.fill(0);
  progress.resumptionSecret?.fill(0);
  // What is derived from zeros everybody knows.
  progress.exporterSecret = undefined;
  wipe(progress.early);
}

function refuseLevel({ level, description, name }: Alert): void {
  if (level !== alertLevels.warning && level !== alertLevels.fatal) {
    throw new TlsError('illegal_parameter', `Alert ${name ?? description} has level ${level}; there are 1 and 2 (§6)`);
  }
  if (level === alertLevels.warning && name !== 'close_notify' && name !== 'user_canceled') {
    throw new TlsError('decode_error', `Alert ${name ?? description} is an error, and comes as a warning (§6)`);
  }
}
