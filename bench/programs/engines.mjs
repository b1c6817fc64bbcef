// Engines of tls13-core without sockets, for the programs that measure them.
import { createClientEngine, createServerEngine, createTicketKeys } from 'tls13-core';
import { nobleProvider } from 'tls13-core/noble';
import { createProvider, privateKey, readCertificates } from 'tls13-node-crypto';

/** Microseconds of processor time. */
export function timed(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function providerOf(name) {
  if (name === 'noble') return nobleProvider;
  const provider = createProvider({ prefer: name });
  if (provider.report.name !== name) throw new Error(provider.report.reason);
  return provider;
}

/** Of a server, with the provider of that name. */
export function configure(name, { cert, key }, more = {}) {
  const provider = providerOf(name);
  const certificateChain = readCertificates(cert).map(({ raw }) => new Uint8Array(raw));
  const pkcs8 = new Uint8Array(privateKey(key).export({ format: 'der', type: 'pkcs8' }));
  return {
    provider,
    ...parameters,
    ...more,
    credentials: [{ certificateChain, signer: provider.signer(pkcs8) }],
    tickets: { protector: createTicketKeys(provider) },
  };
}

const parameters = { cipherSuites: ['TLS_AES_128_GCM_SHA256'], groups: ['x25519'] };

export function clientConfig() {
  return { provider: createProvider(), ...parameters, serverName: 'localhost', verifyPeer: () => {} };
}

/** A connected pair of engines over the same provider: what the server seals the client opens. */
export function engineRecords(config) {
  const { provider, cipherSuites } = config;
  const server = createServerEngine(config);
  const client = createClientEngine({ ...clientConfig(), provider, cipherSuites });
  server.start();
  const flight = transmitted(server.receive(transmitted(client.start())));
  client.receive(transmitted(server.receive(transmitted(client.receive(flight)))));
  let sealed = 0;
  let opened = 0;
  return {
    seal: (content) => {
      sealed += content.length;
      return transmitted(server.send(content));
    },
    open: (bytes) => {
      for (const event of client.receive(bytes)) if (event.type === 'data') opened += event.data.length;
      if (opened > sealed || client.state !== 'connected') throw new Error('the records did not open');
    },
  };
}

export function transmitted(events) {
  const parts = [];
  for (const event of events) {
    if (event.type === 'failed') throw event.error;
    if (event.type === 'transmit') parts.push(event.data);
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts);
}
