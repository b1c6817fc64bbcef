/** The shim over the portable provider, which has no signatures with RSA: those are node:crypto's here. */
import { nobleProvider } from 'tls13-core/noble';
import { nodeCryptoProvider } from 'tls13-node-crypto';
import { main } from './main.js';

const backend = { provider: nobleProvider, signer: (pkcs8: Uint8Array) => nodeCryptoProvider().signer(pkcs8) };
main(process.argv.slice(2), backend).then((status) => {
  process.exitCode = status;
});
