/** OpenSSL's s_client and s_server as peers; ended with the test. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { portOf } from './connections.js';
import { certFile, keyFile } from './files.js';
import { until, within } from './kernel.js';

export interface OpensslPeer {
  readonly stdin: ChildProcessWithoutNullStreams['stdin'];
  /** What came so far. */
  output(): Buffer;
  diagnostics(): string;
  /** Resolves with the exit status. */
  readonly exited: Promise<number | null>;
}

/** With `-quiet` in the arguments, bytes go in and out as they are; without, `k` and `K` on a line are commands. */
export function sClient(port: number, ...more: readonly string[]): OpensslPeer {
  const fixed = ['-connect', `127.0.0.1:${port}`, '-servername', 'localhost', '-CAfile', certFile];
  return run(['s_client', ...fixed, '-verify_return_error', ...more]);
}

/** For one connection. */
export async function sServer(...more: readonly string[]): Promise<OpensslPeer & { readonly port: number }> {
  const port = await freePort();
  const fixed = ['-accept', `127.0.0.1:${port}`, '-naccept', '1', '-cert', certFile, '-key', keyFile];
  const peer = run(['s_server', ...fixed, ...more]);
  await until(() => listens(port), `s_server listening on port ${port}: ${peer.diagnostics()}`);
  return { ...peer, port };
}

function run(args: readonly string[]): OpensslPeer {
  const child = spawn('openssl', args, { stdio: 'pipe' });
  const output: Buffer[] = [];
  const diagnostics: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => diagnostics.push(chunk));
  // A peer that went away shows in its output.
  child.stdin.on('error', () => undefined);
  const closed = once(child, 'close').then(([status]) => status);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const said = () => Buffer.concat(diagnostics).toString();
  return {
    stdin: child.stdin,
    output: () => Buffer.concat(output),
    diagnostics: said,
    exited: within(closed, `the end of openssl ${args[0]}`, 45_000),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** A trial connection would be the one that is served. */
function listens(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return new RegExp(`: \\w{8}:${hex} \\w+:0000 0A `).test(readFileSync('/proc/net/tcp', 'latin1'));
}
