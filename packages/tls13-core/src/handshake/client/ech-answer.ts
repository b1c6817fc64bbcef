/** What the server's first message says of Encrypted Client Hello (RFC 9849 §6.1.4), and whom it must be then (§6.1.7). */
import { TlsError } from '../../alert.js';
import { constantTimeEqual } from '../../bytes.js';
import type { VerifyPeer } from '../../config/index.js';
import type { Transcript } from '../../keys/transcript.js';
import { extensionTypes } from '../../registry.js';
import { confirmationLength, retryConfirmation, serverHelloConfirmation } from '../ech/confirmation.js';
import type { Effect } from '../effects.js';
import type { MessageOf } from '../step.js';
import type { Offer } from './offer.js';
import { forgetPsks } from './psk.js';

/**
 * The offer that a ServerHello answers: the inner ClientHello when it confirms that one, otherwise the outer one.
 * `transcript` runs through the inner ClientHello.
 */
export function offerAnsweredBy(
  offer: Offer,
  transcript: Transcript,
  { body, bytes }: MessageOf<'server_hello'>,
): Offer {
  const { ech } = offer;
  if (ech.kind !== 'offered') return offer;
  const expected = serverHelloConfirmation({ innerRandom: offer.hello.random, transcript, message: bytes });
  if (constantTimeEqual(expected, body.random.subarray(-confirmationLength))) return accepted(offer);
  if (ech.confirmed) {
    throw new TlsError(
      'illegal_parameter',
      'the HelloRetryRequest confirms the encrypted ClientHello, the ServerHello does not (RFC 9849 §6.1.5)',
    );
  }
  return rejected(offer);
}

/** The same of a HelloRetryRequest. An offer that is confirmed goes on to be encrypted. */
export function offerRetriedBy(
  offer: Offer,
  transcript: Transcript,
  { body, bytes }: MessageOf<'hello_retry_request'>,
): Offer {
  const { ech } = offer;
  if (ech.kind !== 'offered') return offer;
  const given = body.extensions.encryptedClientHello;
  if (given === undefined) return rejected(offer);
  const expected = retryConfirmation({ innerRandom: offer.hello.random, transcript, message: bytes });
  if (!constantTimeEqual(expected, given)) return rejected(offer);
  return { ...offer, ech: { ...ech, confirmed: true } };
}

/** For a log of messages: what the ClientHello that is sent hides. */
export function innerSent({ ech, message }: Offer): readonly Effect[] {
  return ech.kind === 'offered' ? [{ type: 'inner_client_hello', direction: 'send', message }] : [];
}

/** Who judges the server: when ECH was rejected, it must be the public name and nobody else (§6.1.7). */
export function peerVerifier({ ech }: Offer, verifyPeer: VerifyPeer): VerifyPeer {
  if (ech.kind !== 'rejected') return verifyPeer;
  const { publicName } = ech;
  return (peer) => verifyPeer({ ...peer, serverName: publicName, echPublicName: publicName });
}

/** The retry_configs of EncryptedExtensions, where they may be believed (§6.1.6); for a dummy they mean nothing (§6.2.1). */
export function retryConfigs({ ech }: Offer, { body }: MessageOf<'encrypted_extensions'>): Uint8Array | undefined {
  const configs = body.extensions.echRetryConfigs;
  if (configs === undefined) return undefined;
  if (ech.kind === 'accepted') {
    throw new TlsError(
      'unsupported_extension',
      'the EncryptedExtensions hold encrypted_client_hello, which was not offered to a server that accepts ECH (RFC 9849 §5)',
    );
  }
  return ech.kind === 'rejected' ? configs.slice() : undefined;
}

function accepted(offer: Offer): Offer {
  if (offer.ech.kind === 'offered') offer.ech.sender.destroy();
  return { ...offer, ech: { kind: 'accepted' } };
}

/** The handshake goes on with what was sent in clear, and without any PSK: that in the outer ClientHello is a dummy. */
function rejected(offer: Offer): Offer {
  const { ech, sent } = offer;
  if (ech.kind !== 'offered') return offer;
  ech.sender.destroy();
  forgetPsks(offer.psks);
  const { raw } = sent.hello.extensions;
  return {
    ...offer,
    message: sent.message,
    hello: sent.hello,
    psks: [],
    ech: {
      kind: 'rejected',
      publicName: ech.config.contents.publicName,
      outerRandom: ech.outerRandom,
      extension: raw.get(extensionTypes.encrypted_client_hello) ?? new Uint8Array(0),
      greasePsks: raw.get(extensionTypes.pre_shared_key),
    },
  };
}
