/** The command `tls13` against the programs people have: curl and openssl. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createAuthority, keep } from '../../packages/server/test/cli/certificates.js';
import {
  run as runTls13,
  startServer,
  stopAfterEach,
  temporaryFolder,
} from '../../packages/server/test/cli/command.js';

stopAfterEach();
const folder = temporaryFolder();
const site = join(import.meta.dirname, '../../examples/site');

describe('tls13 serve', () => {
  it('serves curl: the page, a range, HTTP/2 when offered, with a certificate that verifies', async () => {
    const { served } = await startServer(folder(), site, '--alpn', 'h2,http/1.1');
    const ca = join(folder(), '.tls13/development-cert.pem');
    const page = await curl('--cacert', ca, '--http1.1', '-w', '%{http_version} %{ssl_verify_result}', served.url);
    expect(page).toMatchObject({ status: 0, output: expect.stringMatching(/Your TLS 1\.3 connection[\s\S]*1\.1 0$/) });
    const address = `https://127.0.0.1:${served.port}/.well-known/tls13/download?size=100000`;
    const range = await curl('--cacert', ca, '-r', '99990-', '-w', '%{http_version} %{http_code}', address);
    expect(range.output).toBe(`${'\0'.repeat(10)}2 206`);
  });

  it('sends curl a large file whole, several at once', async () => {
    const { served } = await startServer(folder(), site);
    const sizes = [1, 16_385, 70_000_000];
    const written = await Promise.all(
      sizes.map((size) => {
        const address = `${served.url}.well-known/tls13/download?size=${size}`;
        return curl('-k', '-o', '/dev/null', '-w', '%{size_download}', address);
      }),
    );
    expect(written.map(({ output }) => Number(output))).toEqual(sizes);
  });

  it('agrees with openssl s_client about what the connection is', async () => {
    const list = ['--groups', 'secp521r1', '--suites', 'TLS_CHACHA20_POLY1305_SHA256'];
    const { served } = await startServer(folder(), site, ...list);
    const request = 'GET /.well-known/tls13/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    const target = ['-connect', `127.0.0.1:${served.port}`, '-servername', 'localhost', '-ign_eof'];
    const { output } = await program('openssl', ['s_client', ...target], request);
    expect(output).toMatch(/New, TLSv1\.3, Cipher is TLS_CHACHA20_POLY1305_SHA256/);
    expect(output).toMatch(/Server Temp Key: ECDH, secp521r1/);
    const { connection } = JSON.parse(output.split('\r\n\r\n')[1]?.split('\n')[0] ?? '');
    expect(connection).toMatchObject({ cipherSuite: 'TLS_CHACHA20_POLY1305_SHA256', group: 'secp521r1' });
  });

  it('--early-data answers what openssl s_client sends with a ticket', async () => {
    const { served } = await startServer(folder(), site, '--early-data');
    const kept = join(folder(), 'openssl-session.pem');
    const target = ['s_client', '-connect', `127.0.0.1:${served.port}`, '-servername', 'localhost', '-ign_eof'];
    await program('openssl', [...target, '-sess_out', kept], request);
    const { output } = await program('openssl', [...target, '-sess_in', kept, '-early_data', requestFile()]);
    expect(output).toMatch(/HTTP\/1\.1 200 OK/);
    expect(output).toMatch(/Early data was accepted/);
  });
});

describe('tls13 connect', () => {
  it('speaks with openssl s_server', async () => {
    const authority = await createAuthority('Test CA');
    const ca = keep(folder(), 'ca', authority).cert;
    const { cert, key } = keep(folder(), 'leaf', await authority.issue('localhost'));
    // -rev answers each line reversed; -naccept ends it after the one connection.
    const list = ['s_server', '-accept', '127.0.0.1:0', '-cert', cert, '-key', key, '-tls1_3', '-rev', '-naccept', '1'];
    const server = spawn('openssl', list, { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const port = await acceptingPort(server.stdout);
      const target = `127.0.0.1:${port}`;
      const { status, stdout } = await runTls13(
        ['connect', target, '--servername', 'localhost', '--ca', ca],
        folder(),
        'abc\n',
      );
      expect({ status, stdout }).toEqual({ status: 0, stdout: 'cba\n' });
    } finally {
      server.kill();
    }
  });

  it('--early-data reaches openssl s_server with the session that --session kept', async () => {
    const { cert, key } = keep(folder(), 'early', await (await createAuthority('Test CA')).issue('localhost'));
    const early = ['-early_data', '-max_early_data', '1000', '-naccept', '2'];
    const list = ['s_server', '-accept', '127.0.0.1:0', '-cert', cert, '-key', key, '-tls1_3', ...early];
    const server = spawn('openssl', list, { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      const port = await acceptingPort(server.stdout);
      const printed = buffer(server.stdout);
      const session = join(folder(), 'our-session');
      const words = ['connect', `127.0.0.1:${port}`, '--servername', 'localhost', '--insecure', '--session', session];
      await runTls13(words, folder());
      const { status, stderr } = await runTls13([...words, '--early-data', requestFile()], folder());
      expect([status, stderr]).toEqual([0, expect.stringContaining('tls13: early data accepted\n')]);
      expect((await printed).toString()).toContain('GET / HTTP/1.1');
    } finally {
      server.kill();
    }
  });
});

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

function requestFile(): string {
  const file = join(folder(), 'request.txt');
  writeFileSync(file, request);
  return file;
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

function curl(...list: string[]): Promise<Ended> {
  return program('curl', ['--silent', '--show-error', '--tlsv1.3', ...list]);
}

async function program(name: string, list: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(name, list, { stdio: ['pipe', 'pipe', 'ignore'] });
  const status = new Promise<number | null>((done) => void child.once('close', done));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const output = await buffer(child.stdout);
  return { status: await status, output: output.toString('latin1') };
}

/** `ACCEPT 127.0.0.1:40123`. What it prints later is read too, so that it never waits for us. */
function acceptingPort(output: NodeJS.ReadableStream): Promise<number> {
  return new Promise((done, fail) => {
    let seen = '';
    output.on('data', (chunk) => {
      seen += String(chunk);
      const port = /ACCEPT [\d.]+:(\d+)/.exec(seen)?.[1];
      if (port !== undefined) done(Number(port));
    });
    output.on('end', () => fail(new Error(`openssl s_server did not listen: ${seen}`)));
  });
}
