/** The channel binding `tls-exporter` (RFC 9266), which ties an authentication above TLS to this very connection. */
import type { TlsEngine } from './engine/types.js';

/** 32 bytes, the same at both ends. Throws TypeError before the handshake is complete. */
export function channelBinding(engine: Pick<TlsEngine, 'exportKeyingMaterial'>): Uint8Array {
  return engine.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding');
}
