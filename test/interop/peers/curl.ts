/** curl, which verifies the server for localhost. */
import { createHash } from 'node:crypto';
import { trusted } from '../identities.js';
import { Program } from './program.js';

export interface CurlAnswer {
  /** curl's exit status: 0 when all went well. */
  readonly status: number | null;
  /** What it printed of the connection, and of errors. */
  readonly text: string;
  readonly code: number;
  readonly httpVersion: string;
}

/** One request. `path` begins with a slash. */
export async function curl(port: number, path: string, more: readonly string[] = []): Promise<CurlAnswer> {
  const program = new Program('curl', [
    ...['--silent', '--show-error', '--verbose', '--noproxy', '*', '--max-time', '30'],
    ...['--cacert', trusted.files.cert, '--resolve', `localhost:${port}:127.0.0.1`],
    ...['--write-out', '\n[answer %{http_code} %{http_version}]\n'],
    ...more,
    `https://localhost:${port}${path}`,
  ]);
  const { status } = await program.ended();
  const [, code, httpVersion = ''] = /\[answer (\d+) (\S+)\]/.exec(program.text) ?? [];
  return { status, text: program.text, code: Number(code), httpVersion };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
