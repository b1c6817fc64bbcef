// HTTP loaded by programs of others, which ask faster than a program in JavaScript does.
import { loadedBy, openLoaded } from '../harness/loaded.mjs';
import { nginx, nodeHttps, ours, oursInKernel } from '../harness/subjects.mjs';

export const wrkRequests = {
  name: 'wrk-requests',
  title: 'Small HTTP/1.1 requests, loaded by wrk',
  measures:
    'processor time of the server process per request: 100-byte answers over 32 keep-alive connections, as fast as wrk asks for them',
  unit: 'µs',
  subjects: async (context) => loadedBy('wrk', await httpSubjects(context), context),
  open: (subject, context) => {
    const amount = { connections: 32, seconds: 1 };
    const options = { leaves: true };
    return openLoaded(subject, { application: 'small', options, amount, each: 'one second' }, context);
  },
};

export const http2Requests = {
  name: 'http2-requests',
  title: 'Small HTTP/2 requests, loaded by h2load',
  measures:
    'processor time of the server process per request: 100-byte answers, 10 streams at a time on each of 8 connections; ' +
    'ours is http2: true of createHttpsServer, which is node:http2 over our connections',
  unit: 'µs',
  subjects: async (context) => loadedBy('h2load', await httpSubjects(context, 'node:http2'), context),
  open: (subject, context) => {
    const requests = context.amount({ quick: 2000, full: 10_000 });
    const amount = { connections: 8, streams: 10, requests };
    const options = { http2: true };
    return openLoaded(subject, { application: 'small', options, amount, each: `${requests} requests` }, context);
  },
};

export const httpsConnections = {
  name: 'https-connections',
  title: 'A connection for each HTTPS request, loaded by openssl s_time',
  measures:
    'processor time of the server process per connection: TCP accept, full handshake, one HTTP/1.0 request with a 100-byte answer, and the end',
  unit: 'µs',
  warmUpTimes: 2,
  subjects: async (context) => loadedBy('openssl', await httpSubjects(context), context),
  open: (subject, context) =>
    openLoaded(
      subject,
      { application: 'small', options: { leaves: true }, amount: { seconds: 1 }, each: 'one second' },
      context,
    ),
};

async function httpSubjects(context, nodeName = nodeHttps.name) {
  return [{ ...nodeHttps, name: nodeName }, await nginx(context), ours, oursInKernel('send')];
}
