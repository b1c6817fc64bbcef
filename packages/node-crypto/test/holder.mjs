// Holds one key in native memory and says so; wipes it when told. What it reads the key into it wipes at once.
import { openSync, readSync } from 'node:fs';
import { nativeProvider } from 'tls13-node-crypto';

const [, , what, path] = process.argv;
const provider = nativeProvider();
const key = new Uint8Array(32);
readSync(openSync(path, 'r'), key, 0, key.length, 0);

const keys = () => ({ aead: 'chacha20-poly1305', key, iv: new Uint8Array(12), sequenceNumber: 0n });
const held = {
  aead: () => provider.aead('chacha20-poly1305', key),
  sealer: () => provider.recordProtection.sealer(keys()),
  opener: () => provider.recordProtection.opener(keys()),
  share: () => provider.importKeyShare('x25519', key),
}[what]();
key.fill(0);

process.stdout.write('held\n');
process.stdin.once('data', () => {
  held.destroy();
  process.stdout.write('wiped\n');
});
