/** curl as a client; ended with the test. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { certFile, folder } from './files.js';

export interface Answer {
  readonly status: number;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: Buffer;
  /** How many connections curl opened for it: 0 when it used an earlier one. */
  readonly connects: number;
}

let count = 0;

/** Requests `path` of https://localhost:port, with more arguments for curl. Rejects when curl fails. */
export async function curl(port: number, path: string, ...more: readonly string[]): Promise<Answer> {
  const [answer] = await curlAll(port, [path], ...more);
  if (answer === undefined) throw new Error('curl gave no answer');
  return answer;
}

/** Several requests, one after the other, over one connection. */
export async function curlAll(port: number, paths: readonly string[], ...more: readonly string[]): Promise<Answer[]> {
  const targets = paths.map((path) => {
    count += 1;
    return { url: `https://localhost:${port}${path}`, body: join(folder, `body-${count}`) };
  });
  const format =
    '{"status":%{http_code},"httpVersion":"%{http_version}","connects":%{num_connects},"headers":%{header_json}}\\n@@';
  const { stdout } = await promisify(execFile)('curl', [
    ...['--silent', '--show-error', '--cacert', certFile, '--resolve', `localhost:${port}:127.0.0.1`],
    ...['--path-as-is', '--write-out', format, ...more],
    ...targets.flatMap(({ url, body }) => [url, '--output', body]),
  ]);
  const parts = stdout.split('@@').slice(0, targets.length);
  return parts.map((part, index) => ({ ...JSON.parse(part), body: contentOf(targets[index]?.body) }));
}

/** curl makes no file for an empty body. */
function contentOf(path = ''): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
