/** Application data with a peer, each in the way that its program has. */
import type { TlsConnection } from 'tls13-server';
import { expect } from 'vitest';
import { receive } from '../ours.js';
import { payload } from '../peers/program.js';
import type { Link, Role } from './peer.js';

/** `length` bytes each way, or a request and its answer; nothing may be lost or changed. */
export async function exchange(connection: TlsConnection, link: Link, role: Role, length = 1000): Promise<void> {
  if (link.service === 'browser') return browse(connection, length);
  if (link.service === 'http') return role === 'client' ? answer(connection, link, length) : ask(connection);
  if (link.service === 'echo') {
    for (let begin = 0; begin < length; begin += lineLength) {
      // Echoing servers work by lines.
      connection.write(payload(length, 3).subarray(begin, begin + lineLength));
      connection.write('\n');
    }
    expect((await receiveData(connection, length)).equals(payload(length, 3))).toBe(true);
    return;
  }
  link.program.write(payload(length, 3));
  expect((await receive(connection, length)).equals(payload(length, 3))).toBe(true);
  connection.write(payload(length, 4));
  expect((await link.program.take(length)).equals(payload(length, 4))).toBe(true);
}

/** Of a page that every server of HTTP has. */
export const request = 'GET / HTTP/1.0\r\nHost: localhost\r\n\r\n';

const lineLength = 1000;

/** `length` bytes that are payload; what a program adds of its own (line ends) is passed over. */
async function receiveData(connection: TlsConnection, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let missing = length;
  while (missing > 0) {
    const data = (await receive(connection, 1)).filter((byte) => byte >= 0x80);
    const more = connection.read(Math.min(missing - data.length, connection.readableLength) || undefined);
    const both = more instanceof Buffer ? [data, more.filter((byte) => byte >= 0x80)] : [data];
    parts.push(...both);
    missing -= both.reduce((sum, part) => sum + part.length, 0);
  }
  return Buffer.concat(parts);
}

/** Sends who asks there again, on another connection. */
export async function redirect(connection: TlsConnection): Promise<void> {
  await until(connection, /\r\n\r\n/);
  connection.write('HTTP/1.1 307 Again\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
}

async function answer(connection: TlsConnection, link: Link, length: number): Promise<void> {
  const head = await until(connection, /\r\n\r\n/);
  expect(head).toMatch(/^GET \S+ HTTP\/1\.[01]\r\n/);
  const body = `pong ${'x'.repeat(length)}`;
  connection.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await link.program.until(/pong x+/);
}

/** The page tells what it has got of its own text. */
async function browse(connection: TlsConnection, length: number): Promise<void> {
  expect(await until(connection, /\r\n\r\n/)).toMatch(/^GET \/ HTTP\/1\.1\r\n/);
  const script = "<script>fetch('/loaded/' + document.querySelector('p').textContent.length)</script>";
  const body = `<!doctype html><title>pong</title><p>${'x'.repeat(length)}</p>${script}`;
  connection.write(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  expect(await until(connection, /GET \/loaded\/\d+ [\s\S]*\r\n\r\n/)).toContain(`/loaded/${length} `);
  connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
}

async function ask(connection: TlsConnection): Promise<void> {
  connection.write(request);
  await answered(connection);
}

/** Its answer to the request, sent by whatever means. */
export async function answered(connection: TlsConnection): Promise<void> {
  expect(await until(connection, /^HTTP\/1\.[01] \d{3}/)).toMatch(/^HTTP\/1\.[01] 200/);
}

async function until(connection: TlsConnection, pattern: RegExp): Promise<string> {
  let text = '';
  while (!pattern.test(text)) text += (await receive(connection, 1)).toString('latin1');
  return text;
}
