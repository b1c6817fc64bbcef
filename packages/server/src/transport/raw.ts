/** A connection before anything of TLS: a stream of the application's or of node:net's, or a socket that was accepted. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { KtlsSocket } from 'ktls-bind';

export type Raw = Duplex | KtlsSocket;

export function isStream(raw: Raw): raw is Duplex {
  return 'destroy' in raw;
}

export function isGone(raw: Raw): boolean {
  return isStream(raw) ? raw.destroyed : raw.closed;
}

export function drop(raw: Raw): void {
  if (isStream(raw)) raw.destroy();
  else raw.close();
}

/** As net.Server tells them with `drop`. */
export function addressesOf(raw: Raw) {
  if (raw instanceof Socket) {
    const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = raw;
    return { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily };
  }
  if (isStream(raw)) return {};
  const local = raw.localAddress();
  const remote = raw.remoteAddress();
  return {
    localAddress: local?.address,
    localPort: local?.port,
    localFamily: local?.family,
    remoteAddress: remote?.address,
    remotePort: remote?.port,
    remoteFamily: remote?.family,
  };
}
