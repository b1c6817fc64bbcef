/** The shim over the portable provider, which does not sign with RSA: with such keys node:crypto does here. */
import { createPrivateKey } from 'node:crypto';
import { nobleProvider } from 'tls13-core/noble';
import { nodeCryptoProvider } from 'tls13-node-crypto';
import { main } from './main.js';

const signer = (pkcs8: Uint8Array) => {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  const provider = key.asymmetricKeyType === 'rsa' ? nodeCryptoProvider() : nobleProvider;
  return provider.signer(pkcs8);
};
main(process.argv.slice(2), { provider: nobleProvider, signer }).then((status) => {
  process.exitCode = status;
});
