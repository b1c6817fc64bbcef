/** What comes in a record, by its content type (§5.1): where it goes, and when it may come. */
import { TlsError } from '../alert.js';
import type { Fragment } from '../crypto/provider.js';
import { contentTypes, nameOf } from '../registry.js';
import { takeEarlyData } from './early-data.js';
import { takeAlert } from './ending.js';
import { connectedState, type Parts } from './parts.js';

export function takeContent({ contentType, content }: Fragment, parts: Parts): void {
  if (contentType !== contentTypes.handshake) refuseWithinMessage(contentType, parts);
  switch (contentType) {
    case contentTypes.handshake:
      return parts.joiner.push(content);
    case contentTypes.application_data:
      return takeData(content, parts);
    case contentTypes.alert:
      return takeAlert(content, parts);
    case contentTypes.change_cipher_spec:
      return takeChangeCipherSpec(content, parts);
    default:
      throw new TlsError('unexpected_message', `record of content type ${contentType}`);
  }
}

/** §5.1: nothing comes between the parts of a handshake message. */
export function refuseWithinMessage(contentType: number, { joiner }: Parts): void {
  if (!joiner.midMessage) return;
  const name = nameOf(contentTypes, contentType);
  throw new TlsError('unexpected_message', `${name} record between the parts of a handshake message (§5.1)`);
}

function takeData(data: Uint8Array, parts: Parts): void {
  const { progress, floodGuard, outbox } = parts;
  if (progress.early.readable !== undefined) return takeEarlyData(data, progress.early.readable, parts);
  if (progress.state !== connectedState) {
    const when =
      progress.info === undefined ? 'before the handshake is complete' : "within the client's authentication";
    throw new TlsError('unexpected_message', `application data ${when}`);
  }
  if (data.length === 0) return floodGuard.emptyRecord();
  floodGuard.data();
  outbox.put({ type: 'data', data });
}

/** §5: a single byte 0x01 between the first ClientHello and the peer's Finished is dropped, all else is refused. */
function takeChangeCipherSpec(content: Uint8Array, parts: Parts): void {
  const { role, progress, settings, receiving } = parts;
  const begun = progress.peerHasSpoken || role === 'client' || settings.stateless;
  const allowed = begun && progress.info === undefined;
  if (!allowed || receiving.detached || content.length !== 1 || content[0] !== 1) {
    throw new TlsError('unexpected_message', 'a change_cipher_spec record that §5 does not allow');
  }
  parts.floodGuard.emptyRecord();
}
