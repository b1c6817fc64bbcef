// The programs that the README shows are the ones in examples/, and they run.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const run = promisify(execFile);
const children: ChildProcess[] = [];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tls13-examples-'));
  const inFolder = { cwd: folder, stdio: 'ignore' } as const;
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...ec, '-keyout', 'key.pem', '-out', 'cert.pem', ...subject], inFolder);
  execFileSync('openssl', ['x509', '-in', 'cert.pem', '-outform', 'DER', '-out', 'cert.der'], inFolder);
  const pkcs8 = ['pkcs8', '-topk8', '-nocrypt', '-in', 'key.pem', '-outform', 'DER', '-out', 'key.der'];
  execFileSync('openssl', pkcs8, inFolder);
  mkdirSync(join(folder, 'site'));
  writeFileSync(join(folder, 'site/page.txt'), 'a page');
});

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const program = (name: string) => join(root, 'examples', `${name}.mjs`);

/** Starts a server example; the port it says it listens on. */
async function serve(name: string): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [program(name)], { cwd: folder, env: { ...process.env, PORT: '0' } });
  children.push(child);
  const [line] = await once(child.stdout, 'data');
  const port = Number(/listening on (\d+)/.exec(String(line))?.[1]);
  return { port, child };
}

describe('README', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');

  it.each(['server', 'https', 'client', 'engine'])('shows examples/%s.mjs as it is', (name) => {
    expect(readme).toContain(`\`\`\`js\n${readFileSync(program(name), 'utf8')}\`\`\``);
  });
});

describe('examples', () => {
  it('server and client talk', async () => {
    const { port } = await serve('server');
    const env = { ...process.env, PORT: String(port) };
    const { stdout } = await run(process.execPath, [program('client')], { cwd: folder, env });
    expect(stdout).toMatch(/^TLS_AES_128_GCM_SHA256 \S+ full\n/);
    expect(stdout).toMatch(/sending: (user|kernel).*receiving: user policy-send-only\n/);
    expect(stdout).toMatch(/hello\n$/);
  });

  it('https serves an express application and files, and ends cleanly', async () => {
    const { port, child } = await serve('https');
    const curl = (...parameters: string[]) =>
      run('curl', ['-sS', '--cacert', 'cert.pem', ...parameters], { cwd: folder });
    expect((await curl(`https://localhost:${port}/hello`)).stdout).toBe('{"protocol":"TLSv1.3"}');
    expect((await curl('-r', '2-5', `https://localhost:${port}/page.txt`)).stdout).toBe('page');
    expect((await curl('-o', '/dev/null', '-w', '%{http_code}', `https://localhost:${port}/none`)).stdout).toBe('404');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('engine shakes hands with itself', async () => {
    const { stdout } = await run(process.execPath, [program('engine')], { cwd: folder });
    expect(stdout).toContain('client TLS_AES_128_GCM_SHA256 X25519MLKEM768\n');
    expect(stdout).toContain('server received hello\n');
  });
});
