/** `tls13 connect` as a process, against servers of node:tls and of this package. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConnectionListener, createServer, type TlsServerOptions } from '../../src/index.js';
import { type Authority, createAuthority, type Issued, keep } from './certificates.js';
import { Command, run, stopAfterEach, temporaryFolder } from './command.js';

stopAfterEach();
const temporary = temporaryFolder();
const servers: { close(): unknown }[] = [];
let folder: string;
let authority: Authority;
let leaf: Issued;
let ca: string;

beforeAll(async () => {
  folder = temporary();
  authority = await createAuthority('Test CA');
  leaf = await authority.issue('localhost');
  ca = keep(folder, 'ca', authority).cert;
});

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('stdin and stdout', () => {
  it('go there and back, whole, and the end of stdin half-closes', async () => {
    // Answers only once the client has said that it is done.
    const port = await listen((socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('end', () => socket.end(Buffer.concat(chunks)));
    });
    const sent = randomBytes(3_000_000).toString('base64');
    const { status, stdout, stderr } = await run(['connect', `localhost:${port}`, '--ca', ca], folder, sent);
    expect(stdout === sent).toBe(true);
    expect(status).toBe(0);
    expect(stderr.split('\n')).toEqual([
      'tls13: TLSv1.3, TLS_AES_256_GCM_SHA384, x25519, ecdsa_secp256r1_sha256',
      `tls13: certificate ${new X509Certificate(leaf.cert).fingerprint256}, verified`,
      expect.stringMatching(/^tls13: send: (kernel|user space: )/),
      expect.stringMatching(/^tls13: receive: user space: the option offload/),
      'tls13: closed by the server with close_notify',
      '',
    ]);
  });

  it('end when the server closes, though stdin is open', async () => {
    const port = await listenHere({}, (connection) => connection.end('bye'));
    const command = new Command(['connect', `localhost:${port}`, '--ca', ca], folder);
    expect(await command.finished).toMatchObject({ status: 0, stdout: 'bye' });
  });

  it('--json describes the connection and its end, a line each', async () => {
    const port = await listen((socket) => socket.end(), { ALPNProtocols: ['b', 'a'] });
    const list = ['connect', `localhost:${port}`, '--ca', ca, '--alpn', 'a,b', '--groups', 'secp256r1', '--json'];
    const { stderr } = await run([...list, '--suites', 'TLS_AES_256_GCM_SHA384', '--offload', 'off'], folder);
    const [connected, ended] = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(connected).toMatchObject({
      event: 'connected',
      protocol: 'TLSv1.3',
      cipherSuite: 'TLS_AES_256_GCM_SHA384',
      group: 'secp256r1',
      alpnProtocol: 'b',
      resumed: false,
      send: { where: 'user', reason: 'policy-off' },
      authorized: true,
      authorizationError: null,
      fingerprint256: new X509Certificate(leaf.cert).fingerprint256,
    });
    expect(ended).toEqual({ event: 'ended', status: 0, reason: 'closed by the server with close_notify' });
  });
});

describe('the exit status', () => {
  it.each([
    [[], /where to\?/],
    [['localhost:x'], /PORT is a number from 1 to 65535, not x/],
    [['localhost:0'], /PORT is a number from 1 to 65535, not 0/],
    [[':443'], /HOST:PORT is a name or an address and a port/],
    [['localhost', 'there'], /what is there\?/],
    [['localhost', '--ca', 'no.pem'], /--ca: ENOENT/],
    [['localhost', '--ca', 'no.pem', '--insecure'], /--ca/],
    [['localhost', '--cert', 'a.pem'], /--cert and --key go together/],
    [['localhost', '--alpn', 'x'.repeat(256)], /at most 255 bytes/],
  ])('is 1 for the mistake in %j', async (list, message) => {
    const { status, stderr } = await run(['connect', ...list], folder);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
  });

  it('is 2 when nobody listens', async () => {
    const unused = createTcpServer();
    await new Promise<void>((done) => void unused.listen(0, '127.0.0.1', done));
    const port = portOf(unused);
    await new Promise((done) => unused.close(done));
    const refused = await run(['connect', `127.0.0.1:${port}`], folder);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringMatching(/ECONNREFUSED/) });
  });

  it('is 2 when a server without TLS hangs up', async () => {
    const plain = createTcpServer((socket) => socket.destroy());
    servers.push(plain);
    await new Promise<void>((done) => void plain.listen(0, '127.0.0.1', done));
    const { status } = await run(['connect', `127.0.0.1:${portOf(plain)}`], folder);
    expect([2, 5]).toContain(status);
  });

  it('is 3 when the server sends an alert', async () => {
    const port = await listen((socket) => socket.end(), { requestCert: true, ca: authority.cert });
    const { status, stderr } = await run(['connect', `localhost:${port}`, '--ca', ca], folder);
    expect(stderr).toMatch(/alert certificate_required received/);
    expect(status).toBe(3);
  });

  it('is 4 when its certificate is refused, by authority or by name', async () => {
    const port = await listen((socket) => socket.end());
    const stranger = await run(['connect', `localhost:${port}`], folder);
    expect(stranger).toMatchObject({ status: 4, stdout: '', stderr: expect.stringMatching(/alert unknown_ca sent/) });
    const list = ['connect', `localhost:${port}`, '--ca', ca, '--servername', 'elsewhere.example'];
    const other = await run(list, folder);
    expect(other).toMatchObject({ status: 4, stderr: expect.stringMatching(/alert \w+ sent: .*elsewhere\.example/) });
  });

  it('is 0 with --insecure all the same, which says so', async () => {
    const port = await listen((socket) => socket.end());
    const { status, stderr } = await run(['connect', `localhost:${port}`, '--insecure'], folder);
    expect(stderr).toMatch(/NOT verified \(\w+\)/);
    expect(status).toBe(0);
  });

  it('is 5 when it is cut off', async () => {
    const port = await listen((socket) => socket.write('half of it'), {}, 'cut');
    const { status, stdout } = await run(['connect', `localhost:${port}`, '--ca', ca], folder);
    expect({ status, stdout }).toEqual({ status: 5, stdout: 'half of it' });
  });
});

describe('options', () => {
  it('--session resumes the next time, and keeps the session for its owner alone', async () => {
    const port = await listenHere({}, (connection) => connection.end('x'));
    const file = join(folder, 'session');
    const list = ['connect', `localhost:${port}`, '--ca', ca, '--session', file, '--json'];
    const resumed = async () => {
      const { status, stderr } = await run(list, folder);
      expect(status).toBe(0);
      return JSON.parse(stderr.split('\n', 1)[0] ?? '').resumed;
    };
    expect(await resumed()).toBe(false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const first = readFileSync(file);
    expect(await resumed()).toBe(true);
    expect(readFileSync(file).equals(first)).toBe(false);
    writeFileSync(file, 'nonsense');
    expect(await run(list, folder)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^tls13: --session .*session: /),
    });
  });

  it('--cert and --key answer a server that asks', async () => {
    const own = keep(folder, 'client', await authority.issue('client.example'));
    const asking = { requestCert: true, ca: authority.cert };
    const port = await listenHere(asking, (connection) => connection.end(String(connection.authorized)));
    const list = ['connect', `localhost:${port}`, '--ca', ca, '--cert', own.cert, '--key', own.key];
    expect(await run(list, folder)).toMatchObject({ status: 0, stdout: 'true' });
  });

  it('--key-log writes the secrets', async () => {
    const file = join(folder, 'connect-keys.log');
    const port = await listen((socket) => socket.end());
    await run(['connect', `localhost:${port}`, '--ca', ca, '--key-log', file], folder);
    expect(readFileSync(file, 'latin1')).toMatch(/^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$/m);
  });
});

describe('tls13 doctor', () => {
  it('prints one object with --json', async () => {
    const { status, stdout, stderr } = await run(['doctor', '--json'], folder);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { offload, provider, findings, kernelRelease, platform } = JSON.parse(stdout);
    expect(platform).toBe(process.platform);
    expect(kernelRelease).toMatch(/^\d/);
    expect(offload.summary).toMatch(/^(kernel|user space): /);
    expect(Object.keys(offload.ciphers)).toContain('aes-128-gcm');
    expect(provider.openssl).toBe(process.versions.openssl);
    for (const finding of findings) {
      expect(finding).toEqual({
        section: expect.any(String),
        check: expect.stringMatching(/^\w+(\.[\w.-]+)?$/),
        title: expect.any(String),
        status: expect.stringMatching(/^(ok|warn|bad)$/),
        found: expect.stringMatching(/^.+$/),
        advice: expect.stringMatching(/^.+$/),
      });
    }
  });

  it('prints lines for people without, the same findings', async () => {
    const { status, stdout } = await run(['doctor'], folder);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Records in the kernel\n/);
    expect(stdout).toMatch(/\n\d+ ok, \d+ to look at, \d+ bad\. Offload: (kernel|user space): .*\.\n$/);
  });
});

describe('tls13', () => {
  it('lists its commands, and tells its version', async () => {
    const help = await run(['--help'], folder);
    expect(help).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/serve.*\n.*connect.*\n.*ech.*\n.*delegate.*\n.*doctor/),
    });
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await run(['--version'], folder)).toMatchObject({ status: 0, stdout: `${version}\n` });
    expect(await run(['bake'], folder)).toMatchObject({ status: 1, stderr: expect.stringMatching(/no command bake/) });
  });

  it.each(['serve', 'connect', 'doctor'])('%s --help lists its options', async (name) => {
    const { status, stdout } = await run([name, '--help'], folder);
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: tls13 ${name}`));
    expect(stdout).toMatch(/ {2}--json /);
  });
});

/** A server of this package, which says close_notify even where node:tls, ended at once, does not. */
async function listenHere(options: TlsServerOptions, use: ConnectionListener): Promise<number> {
  const server = createServer({ cert: leaf.cert, key: leaf.key, ...options }, use);
  servers.push(server);
  await new Promise<void>((done) => void server.listen(0, done));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A server of node:tls; with `cut` a relay in front of it ends the TCP stream after the first answer. */
async function listen(use: (socket: TLSSocket) => void, options: TlsOptions = {}, how: 'whole' | 'cut' = 'whole') {
  const server = createTlsServer(
    { cert: leaf.cert, key: leaf.key, minVersion: 'TLSv1.3', allowHalfOpen: true, ...options },
    (socket) => {
      socket.on('error', () => undefined);
      use(socket);
    },
  );
  servers.push(server);
  await new Promise<void>((done) => void server.listen(0, done));
  return how === 'whole' ? portOf(server) : relay(portOf(server));
}

/** Passes everything on until the server has answered application data, then says FIN to the client. */
async function relay(target: number): Promise<number> {
  const server = createTcpServer({ allowHalfOpen: true }, (client) => {
    const upstream = connectTcp(target);
    client.pipe(upstream);
    let timer: NodeJS.Timeout | undefined;
    upstream.on('data', (chunk) => {
      client.write(chunk);
      clearTimeout(timer);
      timer = setTimeout(() => client.end(), 300);
    });
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('close', () => upstream.destroy());
  });
  servers.push(server);
  await new Promise<void>((done) => void server.listen(0, done));
  return portOf(server);
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
