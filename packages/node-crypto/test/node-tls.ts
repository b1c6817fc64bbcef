/** node:tls as the oracle of chain verification: what it says of a chain in a handshake with itself. */
import { once } from 'node:events';
import * as tls from 'node:tls';
import type { Issued } from './pki.js';

/** `undefined` if the client accepts the server's chain, else its `authorizationError`. */
export async function verdictOnServer(
  chain: readonly Issued[],
  root: Issued,
  host: string,
  crl?: readonly string[],
): Promise<string | undefined> {
  const server = tls.createServer({ cert: pemOf(chain), key: chain[0]?.keyPem });
  return handshake(server, { ca: root.pem, host, ...(crl === undefined ? {} : { crl: [...crl] }) }, (client) => client);
}

/** The same of a client's chain, as the server sees it. */
export async function verdictOnClient(
  chain: readonly Issued[],
  root: Issued,
  server: Issued,
): Promise<string | undefined> {
  const settings = { ca: root.pem, requestCert: true, rejectUnauthorized: false };
  const listener = tls.createServer({ cert: server.pem, key: server.keyPem, ...settings });
  const options = { cert: pemOf(chain), key: chain[0]?.keyPem, host: 'localhost' };
  return handshake(listener, options, (_client, accepted) => accepted);
}

async function handshake(
  server: tls.Server,
  { host, ...options }: tls.ConnectionOptions & { readonly host: string },
  judge: (client: tls.TLSSocket, accepted: tls.TLSSocket) => tls.TLSSocket,
): Promise<string | undefined> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted: Promise<tls.TLSSocket[]> = once(server, 'secureConnection');
  const client = tls.connect({ ...options, ...target(server, host), rejectUnauthorized: false });
  const [peer] = await accepted;
  if (client.authorizationError === undefined && !client.authorized) await once(client, 'secureConnect');
  if (peer === undefined) throw new Error('no connection');
  const judged = judge(client, peer);
  const error: unknown = judged.authorized ? undefined : judged.authorizationError;
  client.destroy();
  peer.destroy();
  server.close();
  if (error === undefined || error === null) return undefined;
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function target(server: tls.Server, host: string): tls.ConnectionOptions {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const { port } = address;
  return {
    port,
    host: '127.0.0.1',
    servername: host.includes(':') || /^[\d.]+$/.test(host) ? '' : host,
    checkServerIdentity: (_name, certificate) => tls.checkServerIdentity(host, certificate),
  };
}

function pemOf(chain: readonly Issued[]): string {
  return chain.map(({ pem }) => pem).join('');
}
