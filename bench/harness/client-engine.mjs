// A client without the transport of a library around it, for those that load a server: TLS as cheap as it can be had.
import { createClientEngine } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';

/** It believes the server to be who it is: what is measured is the server. */
export function createBareClient() {
  return createClientEngine({
    provider: createProvider(),
    cipherSuites: ['TLS_AES_128_GCM_SHA256'],
    groups: ['x25519'],
    serverName: 'localhost',
    verifyPeer: () => {},
  });
}
