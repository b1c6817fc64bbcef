/** The application of `tls13 serve`: files of a folder by sendfile, the status, and the large download. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Counters } from '../../diagnostics.js';
import type { HttpApplication } from '../../https.js';
import { sendFile } from '../../https-send-file.js';
import { downloadSize, largestDownload, type Zeros } from './download.js';
import { type ServerFacts, statusOf } from './status.js';

export interface Site {
  /** The folder that is served, absolute. */
  readonly folder: string;
  readonly facts: ServerFacts;
  readonly zeros: Zeros;
  counters(): Counters;
}

export const statusPath = '/.well-known/tls13/status';
const downloadPath = '/.well-known/tls13/download';

export function siteApplication(site: Site): HttpApplication {
  return (request, response) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    answer(site, request, response).catch((error: unknown) => refuse(response, statusOfError(error)));
  };
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return refuse(response, 405);
  }
  const target = targetOf(request.url ?? '');
  if (target === undefined) return refuse(response, 400);
  const { path, query } = target;
  if (path === statusPath) return answerStatus(site, request, response);
  if (path === downloadPath) return answerDownload(site, query, request, response);
  await sendFile(request, response, path, { root: site.folder, dotfiles: 'ignore', index: ['index.html'] });
}

function answerStatus({ facts, counters }: Site, request: IncomingMessage, response: ServerResponse): void {
  const body = Buffer.from(`${JSON.stringify(statusOf(request.socket, facts, counters()))}\n`);
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerDownload(
  { zeros }: Site,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const size = downloadSize(query);
  if (size === undefined) return refuse(response, 400, `size is a number of bytes up to ${largestDownload}`);
  const { folder, name } = await zeros.file(size);
  response.setHeader('Content-Type', 'application/octet-stream');
  response.setHeader('Content-Disposition', 'attachment; filename="zeros.bin"');
  response.setHeader('Cache-Control', 'no-store');
  await sendFile(request, response, name, { root: folder, etag: false, lastModified: false });
}

/** Path and query of `/path?query`, or of a whole URL, which HTTP allows too; the path stays as it was encoded. */
function targetOf(url: string): { readonly path: string; readonly query: URLSearchParams } | undefined {
  const local = url.replace(/^https?:\/\/[^/?#]*/i, '');
  if (!local.startsWith('/')) return undefined;
  const [path = '/', ...rest] = local.split('?');
  return { path, query: new URLSearchParams(rest.join('?')) };
}

/** Of the library that looks at paths: 400, 403, 404. What is not about the request is ours. */
function statusOfError(error: unknown): number {
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  return typeof status === 'number' && STATUS_CODES[status] !== undefined && status >= 400 ? status : 500;
}

function refuse(response: ServerResponse, status: number, sentence?: string): void {
  // Once headers are out the answer was broken off where the error came.
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(`${status} ${sentence ?? STATUS_CODES[status] ?? ''}\n`);
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length });
  response.end(body);
}
