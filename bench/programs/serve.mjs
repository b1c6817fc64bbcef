// The serving process: one server of a stack, with one of a few simple applications.
import { createReadStream } from 'node:fs';
import { basename, dirname } from 'node:path';
import { kernel } from 'ktls-bind';
import { sendFile } from 'tls13-server';
import { answer } from '../harness/program.mjs';
import { createHttp2Server, createHttpServer, createStreamServer } from '../harness/stacks.mjs';
import { stallsSeen, watchStalls } from './stalls.mjs';

const chunk = Buffer.alloc(65_536, 'a line of text that is neither all zeros nor random\n');
const smallBody = Buffer.alloc(100, 'small ');

// A probe counts in /proc/net/tls_stat as well: it must be over before connections are counted.
kernel.probe();

answer({
  /** @returns the port. */
  listen: async ({ stack, application, options, certificate }) => {
    const server = await applications[application](stack, certificate, options);
    // Who loads for a time, and not a number, leaves in the middle of a handshake.
    for (const event of options?.leaves === true ? ['error'] : ['error', 'tlsClientError']) {
      server.on(event, (error) => console.error(`server, ${event}: ${error.message}`));
    }
    // Others have their turn between two of a connection's rounds.
    if ('keepAliveTimeout' in server) server.keepAliveTimeout = 0;
    await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
    return server.address().port;
  },
  watchStalls,
  stallsSeen,
});

const applications = {
  /** One byte comes, one byte goes, and the connection ends. */
  byte: (stack, certificate) =>
    createStreamServer(stack, certificate, (connection) => {
      connection.on('error', ignore);
      connection.once('data', () => connection.end('x'));
    }),

  /** A number as 8 bytes comes: that many bytes go, in writes of 64 KiB. */
  source: (stack, certificate) =>
    createStreamServer(stack, certificate, (connection) => {
      connection.on('error', ignore);
      connection.on('data', (request) => sendBytes(connection, Number(request.readBigUInt64BE())));
    }),

  /** A number as 8 bytes comes, then that many bytes; a byte goes when they are there. */
  sink: (stack, certificate) =>
    createStreamServer(stack, certificate, (connection) => {
      connection.on('error', ignore);
      let missing = 0;
      connection.on('data', (bytes) => {
        if (missing === 0) missing = Number(bytes.readBigUInt64BE()) - (bytes.length - 8);
        else missing -= bytes.length;
        if (missing === 0) connection.write('x');
      });
    }),

  /** HTTP: an answer of 100 bytes; HTTP/2 with `http2`. */
  small: (stack, certificate, { http2 = false } = {}) => {
    const create = http2 ? createHttp2Server : createHttpServer;
    return create(stack, certificate, (_request, response) => {
      response.setHeader('content-type', 'text/plain');
      response.setHeader('content-length', smallBody.length);
      response.end(smallBody);
    });
  },

  /** HTTP: a file, as a person would send it with this stack. */
  file: (stack, certificate, { path, length }) =>
    createHttpServer(stack, certificate, (request, response) => {
      if (stack.kind === 'node') {
        response.setHeader('content-length', length);
        createReadStream(path).pipe(response);
      } else {
        sendFile(request, response, `/${basename(path)}`, { root: dirname(path) }).catch((error) => {
          console.error(`sendFile: ${error.message}`);
          response.destroy();
        });
      }
    }),
};

function sendBytes(connection, bytes) {
  let left = bytes;
  const next = () => {
    while (left > 0) {
      const part = left >= chunk.length ? chunk : chunk.subarray(0, left);
      left -= part.length;
      if (!connection.write(part)) {
        if (left > 0) connection.once('drain', next);
        return;
      }
    }
  };
  next();
}

/** A client that leaves in the middle shows in its own program. */
function ignore() {}
