/** ImportedIdentity (RFC 9258 §5.1): what stands as the identity of a PSK that was imported. */
import { opaque, struct, uint16 } from './codec.js';

export const importedIdentity = struct({
  externalIdentity: opaque(1, 2 ** 16 - 1),
  context: opaque(0, 2 ** 16 - 1),
  targetProtocol: uint16,
  targetKdf: uint16,
});
