/** The flags of `tls13` for what records and hellos look like, seen from the other side, and keying material. */
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect, createServer, type TlsConnection, type TlsServer } from '../../src/index.js';
import { createAuthority, keep } from './certificates.js';
import { run, startServer, stopAfterEach, temporaryFolder } from './command.js';

stopAfterEach();
const temporary = temporaryFolder();
const servers: TlsServer[] = [];
let folder: string;
let files: { readonly cert: string; readonly key: string };
let pem: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  folder = temporary();
  const authority = await createAuthority('Test CA');
  pem = await authority.issue('localhost');
  files = keep(folder, 'leaf', pem);
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('connect', () => {
  it('asks for what its flags say, and prints keying material that the server has too', async () => {
    const flags = ['--record-size-limit', '1024', '--max-send-frag', '512', '--record-padding', '64', '--grease'];
    const more = [
      '--permute-extensions',
      '--cert-compression',
      'brotli,zlib',
      '--ticket-request',
      '5,1',
      '--enable-pha',
    ];
    const ours = ['--cert', files.cert, '--key', files.key, '--keymatexport', 'EXPORTER-mine', '--insecure'];
    const { finished, connection, material } = await served([...flags, ...more, ...ours]);
    const { status, stderr } = await finished;
    expect(status).toBe(0);
    expect(connection.info).toMatchObject({
      recordSizeLimit: { send: 1024, receive: 16_385 },
      localCertificateCompression: 'brotli',
      postHandshakeAuthentication: true,
    });
    expect(stderr).toContain(`tls13: keying material EXPORTER-mine: ${material}\n`);
  });

  it.each([
    [['--record-size-limit', '63'], /--record-size-limit is a number from 64 to 16385, not 63/],
    [['--max-send-frag', 'many'], /--max-send-frag is a number from 64 to 16384, not many/],
    [['--record-padding', '0'], /--record-padding is a number from 1 to 16384, or random:/],
    [['--record-padding', 'random:16385'], /--record-padding is/],
    [['--cert-compression', 'lzma'], /--cert-compression is zlib, brotli or zstd, not lzma/],
    [['--enable-pha'], /--enable-pha needs --cert and --key/],
  ])('%j is a mistake', async (words, message) => {
    const { status, stderr } = await run(['connect', 'localhost:1', ...words], folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});

it('serve has the same flags', async () => {
  const flags = ['--record-size-limit', '2048', '--dynamic-records', '--cert-compression', 'zlib', '--grease'];
  const words = ['--cert', files.cert, '--key', files.key, '--record-padding', 'random:100'];
  const { served: found } = await startServer(folder, folder, ...words, ...flags);
  const connection = connect({
    host: '127.0.0.1',
    port: found.port,
    rejectUnauthorized: false,
    recordSizeLimit: 16_385,
    certificateCompression: ['zlib'],
  });
  await once(connection, 'secureConnect');
  expect(connection.info).toMatchObject({
    recordSizeLimit: { send: 2048, receive: 16_385 },
    peerCertificateCompression: 'zlib',
  });
  connection.destroy();
});

/** Runs `tls13 connect` with these words against a server of ours. */
async function served(words: readonly string[]) {
  const options = {
    ...pem,
    certificateCompression: ['brotli'],
    postHandshakeAuthentication: true,
    ca: pem.cert,
  } as const;
  const server = createServer(options, (connection) => connection.resume());
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const finished = run(['connect', `localhost:${port}`, ...words], folder, 'data');
  const [connection]: TlsConnection[] = await once(server, 'secureConnection');
  if (connection === undefined) throw new Error('no connection');
  connection.once('end', () => connection.end());
  const material = connection.exportKeyingMaterial(32, 'EXPORTER-mine').toString('hex');
  return { finished, connection, material };
}
