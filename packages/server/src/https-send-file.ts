/**
 * Files as HTTP responses. The library `send` knows about paths, ranges, conditions and content types; here only the way
 * of the body is ours: by the connection's `sendFile` behind the response's own headers.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { basename, dirname, isAbsolute } from 'node:path';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import send from 'send';
import { TlsConnection } from './connection.js';
import { asError, ConnectionError } from './errors.js';
import { openFlags, type SendFileOptions } from './send-file.js';

export interface ServeFileOptions extends send.SendOptions {
  /**
   * The directory that paths are relative to, and which none leaves; symbolic links in it are followed. Without it the
   * path is the application's own choice of a file, absolute, and not one from a URL.
   */
  readonly root?: string;
  /** Stops; the response is broken off. */
  readonly signal?: AbortSignal;
  /** Bytes of the body that were sent, of how many; only where `sendFile` of the connection sends it. */
  readonly onProgress?: (sent: number, total: number) => void;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/**
 * Answers with a file: GET and HEAD, ranges, conditions, redirection of directories to their slash. What an application
 * may want to word itself is not answered: then it rejects with an error whose `status` is 400, 403, 404 or 500.
 * @param path as it stands in the URL, percent-encoded, below `root`; without `root` an absolute path of the file system.
 */
export async function sendFile(
  request: Request,
  response: Response,
  path: string,
  options: ServeFileOptions = {},
): Promise<void> {
  const { signal, onProgress, ...sendOptions } = options;
  const place = options.root === undefined ? chosenFile(path) : { path, root: options.root };
  await new Promise<void>((resolve, reject) => {
    const answer = send(request, place.path, { ...sendOptions, root: place.root });
    answer.on('error', (error: Error) => {
      if (answerCondition(response, error)) resolve();
      else reject(error);
    });
    const gone = () => reject(clientGone());
    answer.stream = (file, range) => {
      response.off('close', gone);
      sendBody(response, { file, ...rangeOf(response, range), signal, onProgress }).then(resolve, reject);
    };
    // An answer without a body ends the response by itself.
    response.once('finish', resolve);
    response.once('close', gone);
    answer.pipe(response);
  });
}

/** A path without a root would be relative to who knows what, and one from a URL would reach every file there is. */
function chosenFile(path: string): { readonly path: string; readonly root: string } {
  if (!isAbsolute(path)) throw new TypeError(`root is missing, and ${JSON.stringify(path)} is not an absolute path`);
  return { path: `/${encodeURIComponent(basename(path))}`, root: dirname(path) };
}

interface Body {
  readonly file: string;
  readonly start: number;
  readonly length: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((sent: number, total: number) => void) | undefined;
}

async function sendBody(response: Response, body: Body): Promise<void> {
  // A client may ask for thousands of files and read none of them: each is opened in its turn.
  if (response instanceof ServerResponse) await turnOf(response);
  const handle = await open(body.file, openFlags);
  try {
    const connection = response instanceof ServerResponse ? headersSent(response, body.length) : undefined;
    if (connection === undefined) {
      await pipeBody(handle, response, body);
    } else {
      await connection.sendFile(handle, fileOptions(body));
      response.end();
      await finished(response);
    }
  } catch (error) {
    // The headers have promised a length that cannot be kept any more.
    if (response.headersSent) response.destroy(asError(error));
    throw error;
  } finally {
    await handle.close();
  }
}

/** Pipelined responses wait for those before them. */
async function turnOf(response: ServerResponse): Promise<void> {
  if (response.socket === null && !response.destroyed) {
    // Node stops reading requests when enough of their answers wait, and knows of them only by what was written.
    response.flushHeaders();
    await new Promise((resolve) => {
      response.once('socket', resolve);
      // Of the connection: a response that waits hears nothing of its end, its request does.
      response.req.once('close', resolve);
    });
  }
  if (response.socket === null) throw clientGone();
}

/** Sends the headers. @returns the connection, if the body goes onto it as it is in the file. */
function headersSent(response: ServerResponse, length: number): TlsConnection | undefined {
  const { socket } = response;
  if (!(socket instanceof TlsConnection) || response.strictContentLength) return undefined;
  // Whatever listens for headers (compression, say) speaks now, and may want the body for itself.
  response.flushHeaders();
  const plain = !response.chunkedEncoding && Number(response.getHeader('content-length')) === length;
  return plain ? socket : undefined;
}

function clientGone(): ConnectionError {
  return new ConnectionError('ERR_TLS_CONNECTION_CLOSED', 'the client went before it was answered');
}

function pipeBody(handle: FileHandle, response: Response, { start, length, signal }: Body): Promise<void> {
  // The range of nothing cannot be told to a read stream: its end would lie before its start.
  const file =
    length === 0 ? Readable.from([]) : handle.createReadStream({ start, end: start + length - 1, autoClose: false });
  return pipeline(file, response, signal === undefined ? {} : { signal });
}

function fileOptions({ start, length, signal, onProgress }: Body): SendFileOptions {
  return {
    start,
    end: start + length - 1,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

/** `send` gives the range as for fs.createReadStream; of an empty file only the header tells that there is nothing. */
function rangeOf(response: Response, range: object | undefined): { readonly start: number; readonly length: number } {
  const start: unknown = range === undefined ? 0 : Reflect.get(range, 'start');
  return { start: typeof start === 'number' ? start : 0, length: Number(response.getHeader('content-length')) };
}

/** What HTTP itself answers: a precondition that failed, a range that is not there. */
function answerCondition(response: Response, error: Error): boolean {
  const status: unknown = Reflect.get(error, 'status');
  if ((status !== 412 && status !== 416) || response.headersSent) return false;
  for (const name of response.getHeaderNames()) {
    if (name !== 'content-range' && name.startsWith('content-')) response.removeHeader(name);
  }
  response.statusCode = status;
  response.end();
  return true;
}
