/** `tls13 serve`: a folder over HTTPS, from the command line to the last connection. */
import { statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { type Direction, kernel, summarizeDirections } from 'ktls-bind';
import { createEchKeys, type EchKey, type EchKeys } from 'tls13-core';
import { createProvider } from 'tls13-node-crypto';
import { echKeysOf } from '../ech.js';
import { asError } from '../errors.js';
import { createHttpsServer, type HttpsServer, type HttpsServerOptions } from '../https.js';
import { keyLogFile } from '../key-log.js';
import type { OffloadPolicy } from '../offload.js';
import { type Arguments, type Command, UsageError } from './options.js';
import { expectedKeyOption, expectedKeysOf } from './raw-public-keys.js';
import { type Certificates, readCertificates } from './serve/certificates.js';
import { Zeros } from './serve/download.js';
import { untilStopped } from './serve/signals.js';
import { siteApplication } from './serve/site.js';
import type { ServerFacts } from './serve/status.js';
import { commonOptions, keyLogOption, pskOf, pskOptions, readOptionFile, sharedOptions } from './tls-options.js';

/** Exit status where the port cannot be had. */
const cannotListen = 2;
const defaultPort = 8443;
const defaultHost = '127.0.0.1';

export const serveCommand: Command = {
  name: 'serve',
  operands: '[DIR]',
  mostOperands: 1,
  summary: 'Serves the files of a folder (default: this one) over HTTPS with TLS 1.3, by sendfile.',
  options: {
    host: { value: 'ADDRESS', help: `where to listen (default: ${defaultHost}; 0.0.0.0 or :: for everybody)` },
    port: { value: 'NUMBER', help: `which port (default: ${defaultPort}; 0 lets the system choose)` },
    cert: { value: 'FILE', repeated: true, help: 'a certificate chain (PEM); several are chosen from by name' },
    key: { value: 'FILE', repeated: true, help: 'the private key of the certificate in the same place' },
    'ech-key': {
      value: 'FILE',
      repeated: true,
      help: 'open encrypted ClientHellos (tls13 ech); the first is the current key',
    },
    ocsp: { value: 'FILE', repeated: true, help: 'an OCSP response (DER) for the certificate in the same place' },
    'raw-public-key': {
      value: 'FILE',
      repeated: true,
      help: 'a private key whose public key alone is shown to clients that want that (RFC 7250)',
    },
    'client-ca': { value: 'FILE', repeated: true, help: 'let in only clients with a certificate of these authorities' },
    'early-data': {
      help: 'answer requests that come with a ticket before the handshake is over (0-RTT), GET and HEAD',
    },
    'max-early-data': { value: 'BYTES', help: 'how much of it a ticket permits, 1 to 4294967295 (default: 16384)' },
    'num-tickets': { value: 'NUMBER', help: 'tickets after a handshake, 0 to 16 (default: 2); 0 for no resumption' },
    'expect-raw-public-key': expectedKeyOption,
    ...pskOptions,
    ...commonOptions,
    alpn: { value: 'LIST', help: 'http/1.1 (default) and h2, best first; over h2 files do not go by sendfile' },
    'key-log': keyLogOption,
    json: { help: 'the first line is an object with url, port, pid, offload, certificates' },
  },
  notes: [
    'Early data can be sent again by whoever sees it on the way: each ticket serves once, in this process alone.',
    'Without --cert a certificate for this machine alone is made and kept in .tls13/.',
    'SIGHUP reads the certificates and OCSP responses again. SIGINT and SIGTERM finish what is being sent, then end\n' +
      'with 0; a second one, a second later or more, ends at once. Exit status 1: a mistake in the command; 2: cannot listen.',
  ],
};

export async function serve(given: Arguments): Promise<number> {
  const folder = existingFolder(given.operands[0] ?? '.');
  const options = await serverOptions(given);
  const certificates = await readCertificates(given);
  const facts = serverFacts(options);
  const zeros = new Zeros();
  // Also when a second signal ends it all at once.
  process.once('exit', () => zeros.remove());
  const ech = readEch(given, options);
  const server: HttpsServer = createHttpsServer(
    { ...options, credentials: certificates.credentials, ...(ech === undefined ? {} : { ech: { keys: ech } }) },
    siteApplication({ folder, facts, zeros, counters: () => server.counters }),
  );
  const keyLogPath = given.text('key-log');
  const keyLog = keyLogPath === undefined ? undefined : keyLogFile(keyLogPath);
  if (keyLog !== undefined) server.on('keylog', keyLog.listener);
  // Whoever reads our output may go before us.
  process.stdout.on('error', () => undefined);
  try {
    const host = given.text('host') ?? defaultHost;
    const address = await listening(server, host, given.port('port') ?? defaultPort);
    announce(given.has('json'), { address, host: given.text('host'), folder, facts, certificates });
    await untilStopped(server, () => reload(server, given, ech));
    return 0;
  } catch (error) {
    if (!isListenError(error)) throw error;
    process.stderr.write(`tls13: ${error.message}\n`);
    return cannotListen;
  } finally {
    keyLog?.close();
  }
}

async function serverOptions(given: Arguments): Promise<HttpsServerOptions> {
  const clientAuthorities = given.texts('client-ca').map((file) => readOptionFile('client-ca', file));
  const protocols = given.listOf('alpn', ['h2', 'http/1.1']);
  const psks = pskOf(given);
  const earlyData = earlyDataOf(given);
  const ticketCount = given.number('num-tickets', 0, 16);
  if (earlyData !== undefined && ticketCount === 0) throw new UsageError('--early-data needs tickets');
  const expected = expectedKeysOf(given, clientAuthorities.length > 0);
  return {
    ...(await sharedOptions(given)),
    ...(psks === undefined ? {} : { psks }),
    ...(earlyData === undefined ? {} : { earlyData }),
    ...(ticketCount === undefined ? {} : { ticketCount }),
    ...(clientAuthorities.length === 0 ? {} : { requestCert: true, ca: clientAuthorities }),
    ...(expected.expectedRawPublicKeys === undefined ? {} : { requestCert: true, ...expected }),
    ...(protocols === undefined ? {} : { ALPNProtocols: protocols, http2: protocols.includes('h2') }),
  };
}

function earlyDataOf(given: Arguments): HttpsServerOptions['earlyData'] {
  const maxSize = given.number('max-early-data', 1, 2 ** 32 - 1);
  if (given.has('early-data')) return maxSize === undefined ? true : { maxSize };
  if (maxSize !== undefined) throw new UsageError('--max-early-data goes with --early-data');
  return undefined;
}

function readEch(given: Arguments, { provider }: HttpsServerOptions): EchKeys | undefined {
  if (given.texts('ech-key').length === 0) return undefined;
  const keys = readEchFiles(given);
  return createEchKeys(
    typeof provider === 'object' ? provider : createProvider(provider && { prefer: provider }),
    keys,
  );
}

function readEchFiles(given: Arguments): readonly EchKey[] {
  const files = given.texts('ech-key').map((file) => readOptionFile('ech-key', file));
  try {
    return echKeysOf(files);
  } catch (error) {
    throw new UsageError(`--ech-key: ${asError(error).message}`);
  }
}

function existingFolder(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return resolve(path);
  throw new UsageError(`${path} is not a folder`);
}

function serverFacts({ offload: policy = 'auto', provider }: HttpsServerOptions): ServerFacts {
  const name =
    typeof provider === 'object' ? provider.name : createProvider(provider && { prefer: provider }).report.name;
  return { offload: { policy, summary: offloadSummary(policy) }, provider: name };
}

const directionsOf: Readonly<Record<Exclude<OffloadPolicy, 'off'>, readonly Direction[]>> = {
  auto: ['send'],
  send: ['send'],
  both: ['send', 'receive'],
};

function offloadSummary(policy: OffloadPolicy): string {
  if (policy === 'off') return 'user space: turned off by --offload off';
  return summarizeDirections(kernel.probe(), directionsOf[policy]);
}

function listening(server: HttpsServer, host: string, port: number): Promise<AddressInfo> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      const address = server.address();
      if (typeof address === 'object' && address !== null) done(address);
      else fail(new Error('the server has no address'));
    });
  });
}

/** What the system says to bind and listen. */
function isListenError(error: unknown): error is Error {
  if (!(error instanceof Error) || !('syscall' in error)) return false;
  return error.syscall === 'listen' || error.syscall === 'bind' || error.syscall === 'getaddrinfo';
}

interface Announcement {
  readonly address: AddressInfo;
  /** As given; without, the URL has the name that the development certificate holds. */
  readonly host: string | undefined;
  readonly folder: string;
  readonly facts: ServerFacts;
  readonly certificates: Certificates;
}

function announce(json: boolean, { address, host, folder, facts, certificates }: Announcement): void {
  const { port } = address;
  const url = `https://${urlHost(host)}:${port}/`;
  if (json) {
    const { pid } = process;
    const certificate = { certificates: certificates.shown };
    process.stdout.write(`${JSON.stringify({ url, port, pid, ...facts, ...certificate, address, folder })}\n`);
    return;
  }
  const fingerprints = certificates.shown.map(({ fingerprint256, names, file }) => {
    return `SHA-256 ${fingerprint256}  ${names}${file === null ? '' : `  ${file}`}`;
  });
  process.stdout.write([url, ...fingerprints, facts.offload.summary, ''].join('\n'));
}

function urlHost(host: string | undefined): string {
  if (host === undefined || host === '0.0.0.0' || host === '::') return 'localhost';
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** A mistake in the new files leaves the old certificates in use. */
async function reload(server: HttpsServer, given: Arguments, ech: EchKeys | undefined): Promise<void> {
  try {
    const { credentials, shown } = await readCertificates(given);
    ech?.replace(readEchFiles(given));
    server.setCredentials({ credentials });
    for (const { fingerprint256 } of shown) process.stderr.write(`tls13: now presenting SHA-256 ${fingerprint256}\n`);
  } catch (error) {
    process.stderr.write(`tls13: certificates not reloaded: ${asError(error).message}\n`);
  }
}
