/** Extensions that this library knows, and that have no place in EncryptedExtensions (§4.3, §4.4.1). */
import { TlsError } from '../../alert.js';
import { extensionTypes, nameOf } from '../../registry.js';
import { misplacedInEncryptedExtensions } from '../../wire/index.js';

/** §4.3 wants illegal_parameter; see `Deviations`. */
export function refuseMisplaced(types: readonly number[], unsupported: boolean): void {
  const misplaced = types.find((type) => misplacedInEncryptedExtensions.has(type));
  if (misplaced === undefined) return;
  throw new TlsError(
    unsupported ? 'unsupported_extension' : 'illegal_parameter',
    `encrypted_extensions: ${nameOf(extensionTypes, misplaced)} does not belong in it (§4.3)`,
  );
}
