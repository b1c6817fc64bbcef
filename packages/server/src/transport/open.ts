/** Finds the transport for a raw connection: its descriptor if it can be taken over, else the stream itself. */
import { type Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Kernel } from 'ktls-bind';
import { asError } from '../errors.js';
import { type Refusal, refused } from '../offload.js';
import { NativeTransport } from './native.js';
import { isStream, type Raw } from './raw.js';
import { StreamTransport } from './stream.js';
import type { Transport } from './types.js';

export type TransportChoice = 'auto' | 'native' | 'stream';

/**
 * Takes a raw connection over. A net.Socket must not have been read from (`pauseOnConnect`): what libuv has read is lost
 * to the descriptor. With the native transport it is destroyed, and only the duplicate of its descriptor lives on.
 */
export function openTransport(raw: Raw, kernel: Kernel, choice: TransportChoice): Transport {
  if (!isStream(raw)) return new NativeTransport(raw, kernel.probe());
  if (choice === 'stream') return new StreamTransport(raw, refused('not-a-socket', "the option transport is 'stream'"));
  const fd = descriptorOf(raw);
  if (typeof fd !== 'number') return new StreamTransport(raw, fd);
  const support = kernel.probe();
  if (!kernel.nativeAvailable) return new StreamTransport(raw, refused('no-addon', support.error?.message));
  try {
    const socket = kernel.open(fd);
    raw.destroy();
    return new NativeTransport(socket, support);
  } catch (error) {
    return new StreamTransport(raw, refused('open-failed', asError(error).message));
  }
}

/** Throws Error when the native part is demanded and not there. */
export function requireNative(kernel: Kernel, choice: TransportChoice): void {
  if (choice !== 'native' || kernel.nativeAvailable) return;
  throw new Error(`transport: 'native' is not possible here: ${kernel.probe().error?.message ?? 'no native part'}`);
}

export function descriptorOf(raw: Duplex): number | Refusal {
  if (!(raw instanceof Socket)) return refused('not-a-socket', 'it is a stream');
  if (raw.bytesRead > 0 || raw.readableLength > 0)
    return refused('not-a-socket', 'bytes have been read from it already');
  return descriptorOfHandle(raw);
}

/** Node has no public way to ask for a socket's descriptor; `_handle.fd` is there in all of its current versions. */
export function descriptorOfHandle(owner: Socket | Server): number | Refusal {
  const handle: unknown = Reflect.get(owner, '_handle');
  if (typeof handle !== 'object' || handle === null) return refused('not-a-socket', 'it is closed');
  // The tls ULP is TCP's; a pipe has a handle of another class.
  if (handle.constructor.name !== 'TCP') return refused('not-a-socket', 'it is not a TCP socket');
  const fd: unknown = Reflect.get(handle, 'fd');
  return typeof fd === 'number' && fd >= 0 ? fd : refused('not-a-socket', 'its descriptor is not known');
}
