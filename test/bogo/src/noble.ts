/** The shim over the portable provider, which does not sign with RSA: with such keys node:crypto does here. */
import { nobleProvider } from 'tls13-core/noble';
import { nodeCryptoProvider } from 'tls13-node-crypto';
import { main } from './main.js';

/** 1.2.840.113549.1.1, under which RSA's algorithms are: it stands near the front of their private keys. */
const pkcs1 = Buffer.from('2a864886f70d0101', 'hex');
const isRsa = (pkcs8: Uint8Array) => Buffer.from(pkcs8).subarray(0, 32).includes(pkcs1);
const signer = (pkcs8: Uint8Array) => (isRsa(pkcs8) ? nodeCryptoProvider() : nobleProvider).signer(pkcs8);

main(process.argv.slice(2), { provider: nobleProvider, signer }).then((status) => {
  process.exitCode = status;
});
