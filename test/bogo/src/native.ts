/** The shim over the native provider. */
import { nativeProvider } from 'tls13-node-crypto';
import { main } from './main.js';

const provider = nativeProvider();
const backend = { provider, signer: (pkcs8: Uint8Array) => provider.signer(pkcs8) };
main(process.argv.slice(2), backend).then((status) => {
  process.exitCode = status;
});
