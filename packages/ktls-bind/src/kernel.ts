/** A Kernel over a native part, the real one or the fake, or over the reason why there is none. */
import { openAcceptor } from './acceptor.js';
import { KtlsError } from './errors.js';
import type { Native } from './load.js';
import { probe } from './probe.js';
import { openSocket } from './socket.js';
import type { Kernel, KtlsSupport } from './types.js';

export function createKernel(native: Native | KtlsError, readTlsStat: Kernel['readTlsStat']): Kernel {
  let known: KtlsSupport | undefined;
  const NativeAcceptor = native instanceof KtlsError ? undefined : native.Acceptor;
  return {
    nativeAvailable: !(native instanceof KtlsError),
    probe: (options = {}) => {
      if (known === undefined || options.fresh === true) known = probe(native);
      return known;
    },
    open: (fd, options) => {
      if (native instanceof KtlsError) throw native;
      return openSocket(native, fd, options);
    },
    ...(NativeAcceptor === undefined ? {} : { accept: (fd, options) => openAcceptor(NativeAcceptor, fd, options) }),
    readTlsStat,
  };
}
