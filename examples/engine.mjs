import { readFileSync } from 'node:fs';
import { createClientEngine, createServerEngine } from 'tls13-core';
import { nobleProvider as provider } from 'tls13-core/noble'; // runs anywhere JavaScript runs

const certificateChain = [new Uint8Array(readFileSync('cert.der'))];
const signer = provider.signer(new Uint8Array(readFileSync('key.der')));
const server = createServerEngine({ provider, credentials: [{ certificateChain, signer }] });
const client = createClientEngine({ provider, serverName: 'localhost', verifyPeer: () => {} }); // believes any server

// Bytes in, events out: here each engine's bytes go straight to the other.
function handle(from, to, events) {
  for (const event of events) {
    if (event.type === 'transmit') handle(to, from, to.receive(event.data));
    if (event.type === 'connected') console.log(from.role, event.info.cipherSuite, event.info.group);
    if (event.type === 'data') console.log(from.role, 'received', new TextDecoder().decode(event.data));
  }
}
handle(server, client, server.start());
handle(client, server, client.start());
handle(client, server, client.send(new TextEncoder().encode('hello')));
