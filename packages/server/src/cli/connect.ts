/** `tls13 connect`: stdin to TLS to stdout. The exit status tells why it ended, stderr what the connection was. */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type EarlyDataReason, EchRejectedError, parseSession, type Session, TlsError } from 'tls13-core';
import { type ConnectOptions, connect as connectTls } from '../connect.js';
import type { TlsConnection } from '../connection.js';
import { asError } from '../errors.js';
import { keyLogFile } from '../key-log.js';
import { replaceFile } from './files.js';
import { type Arguments, type Command, portNumber, UsageError, wholeNumber } from './options.js';
import { expectedKeyOption, expectedKeysOf, keyFingerprint, rawPublicKeyOf } from './raw-public-keys.js';
import { fingerprint, placeText, summaryOf } from './summary.js';
import { commonOptions, keyLogOption, pskOf, pskOptions, readOptionFile, sharedOptions } from './tls-options.js';

/** Why it ended. 1, as everywhere, is the caller's mistake. */
const connectStatus = {
  closed: 0,
  notConnected: 2,
  alertReceived: 3,
  alertSent: 4,
  truncated: 5,
  broken: 6,
} as const;

export const connectCommand: Command = {
  name: 'connect',
  operands: 'HOST[:PORT]',
  mostOperands: 1,
  summary: 'Sends stdin over TLS 1.3 and prints what comes back; says on stderr what the connection is.',
  options: {
    servername: { value: 'NAME', help: 'the name to ask for and to find in the certificate (default: HOST)' },
    ca: { value: 'FILE', repeated: true, help: 'trust these authorities (PEM) instead of those bundled with Node' },
    insecure: { help: 'go on though the certificate does not verify' },
    cert: { value: 'FILE', help: 'our certificate chain, for a server that asks for one' },
    key: { value: 'FILE', help: 'its private key' },
    'raw-public-key': {
      value: 'FILE',
      help: 'our private key, whose public key is shown without a certificate (RFC 7250)',
    },
    'expect-raw-public-key': expectedKeyOption,
    'ech-config': { value: 'TEXT', help: 'hide the name: an ECHConfigList in base64, or a file with one' },
    'ech-grease': { help: 'look as if the name were hidden (when there is no --ech-config)' },
    session: { value: 'FILE', help: 'resume the session kept there, and keep the newest there (it is secret)' },
    'early-data': {
      value: 'FILE',
      help: 'send this before the server answers (0-RTT) if --session or --psk permits it',
    },
    'ticket-request': { value: 'NEW,RESUMED', help: 'ask for so many tickets (RFC 9149), new or on a resumption' },
    ...pskOptions,
    ...commonOptions,
    'permute-extensions': { help: 'put the extensions of the ClientHello in an order of its own' },
    'enable-pha': { help: 'show --cert after the handshake too, if the server asks (§4.7.2)' },
    keymatexport: { value: 'LABEL', help: 'print 32 bytes of keying material of this label (§7.5)' },
    'key-log': keyLogOption,
    json: { help: 'one JSON object a line on stderr' },
  },
  notes: [
    'Early data can be sent again by whoever sees it on the way. What the server does not accept goes after the handshake,\n' +
      'before stdin. With --psk both sides must have agreed on it: its suite is the first of --suites that goes with the key,\n' +
      'its protocol the first of --alpn.',
    'PORT is 443 if not given; an IPv6 address with a port is in brackets. The end of stdin half-closes the\n' +
      'connection; the command ends when the server closes.',
    'Exit status: 0 the server closed with close_notify; 1 a mistake in the command; 2 no connection;\n' +
      '3 the server sent an alert; 4 we sent one, e.g. because its certificate was refused;\n' +
      '5 cut off, no close_notify; 6 the connection broke.',
  ],
};

export async function connect(given: Arguments): Promise<number> {
  const options = await clientOptions(given);
  const sessionFile = given.text('session');
  const report = given.has('json') ? jsonReport : textReport;
  const exported = given.text('keymatexport');
  const path = given.text('key-log');
  const keyLog = path === undefined ? undefined : keyLogFile(path);
  const connection = connectTls(options);
  if (keyLog !== undefined) connection.on('keylog', keyLog.listener);
  if (sessionFile !== undefined) connection.on('session', (session: Buffer) => keepSession(sessionFile, session));
  connection.once('secureConnect', () => {
    report.connected(connection);
    if (exported !== undefined) report.exported(exported, connection.exportKeyingMaterial(32, exported));
    if (options.earlyData !== undefined && !connection.earlyDataAccepted) connection.write(options.earlyData);
    process.stdin.pipe(connection);
    connection.pipe(process.stdout, { end: false });
  });
  // Whoever reads our output has gone: there is nothing left to do.
  process.stdout.once('error', () => connection.destroy());
  const end = await ended(connection);
  keyLog?.close();
  process.stdin.destroy();
  report.ended(end);
  return end.status;
}

interface End {
  readonly status: number;
  readonly reason: string;
}

function ended(connection: TlsConnection): Promise<End> {
  return new Promise((resolve) => {
    let secured = false;
    let finished = false;
    let failure: Error | undefined;
    connection.once('secureConnect', () => {
      secured = true;
    });
    connection.once('end', () => {
      finished = true;
      // What was read from stdin so far is sent before our own close_notify.
      process.stdin.unpipe(connection);
      connection.end();
    });
    connection.once('error', (error) => {
      failure = error;
    });
    connection.once('close', () => {
      // A server that has said everything may be gone before it has read everything.
      const late = finished && !(failure instanceof TlsError);
      resolve(failure === undefined || late ? cleanEnd(finished) : endOf(failure, secured));
    });
  });
}

function cleanEnd(finished: boolean): End {
  if (finished) return { status: connectStatus.closed, reason: 'closed by the server with close_notify' };
  return { status: connectStatus.broken, reason: 'closed before the server was done' };
}

function endOf(error: Error, secured: boolean): End {
  if (error instanceof TlsError) {
    if (error.code === 'ERR_TLS_TRUNCATED') return { status: connectStatus.truncated, reason: error.message };
    const { alertReceived, alertSent } = connectStatus;
    const status = error.received ? alertReceived : alertSent;
    if (error instanceof EchRejectedError && error.retryConfigs !== undefined) {
      const configs = Buffer.from(error.retryConfigs).toString('base64');
      return { status, reason: `${error.message}; try again with --ech-config ${configs}` };
    }
    return { status, reason: `alert ${error.alert} ${error.received ? 'received' : 'sent'}: ${error.message}` };
  }
  return { status: secured ? connectStatus.broken : connectStatus.notConnected, reason: error.message };
}

async function clientOptions(given: Arguments): Promise<ConnectOptions> {
  const { host, port } = target(given.operands[0]);
  const servername = given.text('servername');
  const ca = given.texts('ca').map((file) => readOptionFile('ca', file));
  if (ca.length > 0 && given.has('insecure')) throw new UsageError('--ca and --insecure exclude each other');
  const cert = given.text('cert');
  const key = given.text('key');
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  const earlyData = earlyDataOf(given);
  const psks = pskOf(given, earlyData?.length);
  const ticketRequest = ticketRequestOf(given);
  const rawKey = given.text('raw-public-key');
  if (given.has('enable-pha') && (cert ?? rawKey) === undefined) {
    throw new UsageError('--enable-pha needs --cert and --key, or --raw-public-key');
  }
  if (rawKey !== undefined && cert !== undefined) {
    throw new UsageError('--raw-public-key and --cert exclude each other');
  }
  const sessionFile = given.text('session');
  const session = sessionFile === undefined ? undefined : keptSession(sessionFile);
  return {
    host,
    port,
    // The server may close its side first, and we close ours when the rest is written.
    allowHalfOpen: true,
    rejectUnauthorized: !given.has('insecure'),
    ...(servername === undefined ? {} : { servername }),
    ...(ca.length === 0 ? {} : { ca }),
    ...(cert === undefined || key === undefined
      ? {}
      : { cert: readOptionFile('cert', cert), key: readOptionFile('key', key) }),
    ...(session === undefined ? {} : { session }),
    ...(rawKey === undefined ? {} : rawPublicKeyOf(rawKey).options),
    ...(psks === undefined ? {} : { psks, allowCertificate: ca.length > 0 }),
    ...(earlyData === undefined ? {} : { earlyData }),
    ...(ticketRequest === undefined ? {} : { ticketRequest }),
    ...(given.has('permute-extensions') ? { permuteExtensions: true } : {}),
    ...(given.has('enable-pha') ? { postHandshakeAuthentication: true } : {}),
    ...expectedKeysOf(given, ca.length > 0),
    ...echOptions(given),
    ...(await sharedOptions(given)),
  };
}

function earlyDataOf(given: Arguments): Buffer | undefined {
  const file = given.text('early-data');
  if (file === undefined) return undefined;
  const data = readOptionFile('early-data', file);
  if (data.length === 0) throw new UsageError(`--early-data: ${file} is empty`);
  return data;
}

function ticketRequestOf(given: Arguments): ConnectOptions['ticketRequest'] {
  const text = given.text('ticket-request');
  if (text === undefined) return undefined;
  const [newSession, resumption, ...others] = text.split(',');
  if (newSession === undefined || resumption === undefined || others.length > 0) {
    throw new UsageError(`--ticket-request is two numbers with a comma between, not ${text}`);
  }
  return {
    newSession: wholeNumber('--ticket-request', newSession, 0, 255),
    resumption: wholeNumber('--ticket-request', resumption, 0, 255),
  };
}

/** Who gives a config does not want the name in clear. */
function echOptions(given: Arguments): Pick<ConnectOptions, 'ech'> {
  const config = given.text('ech-config');
  if (config === undefined) return given.has('ech-grease') ? { ech: { grease: true } } : {};
  const file = /^[A-Za-z0-9+/]{8,}={0,2}$/.test(config) ? undefined : readOptionFile('ech-config', config);
  // In a file it may be bytes: their first two are their length.
  const binary = file !== undefined && file.length === 2 + (file[0] ?? 0) * 256 + (file[1] ?? 0);
  return { ech: { configs: binary ? file : (file?.toString('latin1') ?? config), required: true } };
}

const defaultPort = 443;

function target(operand: string | undefined): { readonly host: string; readonly port: number } {
  if (operand === undefined) throw new UsageError('where to? give HOST:PORT');
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(.*))?$/.exec(operand) ?? [];
  const host = bracketed ?? plain;
  if (isIP(operand) === 6) return { host: operand, port: defaultPort };
  if (host === undefined) throw new UsageError(`HOST:PORT is a name or an address and a port, not ${operand}`);
  return { host, port: port === undefined ? defaultPort : portNumber('PORT', port, 1) };
}

/** Nothing is there the first time; one that has expired, or is another server's, is passed over by the library. */
function keptSession(file: string): Session | undefined {
  try {
    return parseSession(readFileSync(file));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new UsageError(`--session ${file}: ${asError(error).message}`);
  }
}

function keepSession(file: string, session: Buffer): void {
  try {
    replaceFile(file, session, 0o600);
  } catch (error) {
    process.stderr.write(`tls13: the session was not kept: ${asError(error).message}\n`);
  }
}

interface Report {
  connected(connection: TlsConnection): void;
  exported(label: string, material: Buffer): void;
  ended(end: End): void;
}

const textReport: Report = {
  connected(connection) {
    const summary = summaryOf(connection);
    if (summary === undefined) return;
    const { protocol, cipherSuite, group, signatureScheme, alpnProtocol, resumed, earlyDataReason, send, receive } =
      summary;
    const lines = [
      `${protocol}, ${cipherSuite}, ${group}, ${resumed ? 'resumed' : (signatureScheme ?? 'pre-shared key')}` +
        `${alpnProtocol === null ? '' : `, ALPN ${alpnProtocol}`}${summary.echAccepted ? ', ECH' : ''}`,
      ...identityLines(connection),
      `send: ${placeText(send)}`,
      `receive: ${placeText(receive)}`,
      ...(earlyDataReason === 'disabled' ? [] : [earlyDataText(connection, earlyDataReason)]),
    ];
    process.stderr.write(lines.map((line) => `tls13: ${line}\n`).join(''));
  },
  exported: (label, material) =>
    void process.stderr.write(`tls13: keying material ${label}: ${material.toString('hex')}\n`),
  ended: ({ reason }) => void process.stderr.write(`tls13: ${reason}\n`),
};

const jsonReport: Report = {
  connected(connection) {
    const { peerCertificates: [leaf] = [], peerRawPublicKey, ocspResponse } = connection.info ?? {};
    printJson({
      event: 'connected',
      ...summaryOf(connection),
      fingerprint256: leaf === undefined ? null : fingerprint(leaf),
      rawPublicKey256: peerRawPublicKey === undefined ? null : keyFingerprint(peerRawPublicKey),
      ocspResponse: ocspResponse === undefined ? null : Buffer.from(ocspResponse).toString('base64'),
      authorized: connection.authorized,
      authorizationError: connection.authorizationError,
    });
  },
  exported: (label, material) => printJson({ event: 'exported', label, material: material.toString('hex') }),
  ended: (end) => printJson({ event: 'ended', ...end }),
};

function earlyDataText({ earlyDataAccepted }: TlsConnection, reason: EarlyDataReason): string {
  if (earlyDataAccepted) return 'early data accepted';
  const why = reason === 'accepted' ? 'it is more than was permitted' : reason.replaceAll('_', ' ');
  return `early data not accepted, and sent after the handshake: ${why}`;
}

function identityLines(connection: TlsConnection): readonly string[] {
  const { peerCertificates: [leaf] = [], peerRawPublicKey, ocspResponse } = connection.info ?? {};
  const verdict = verdictText(connection);
  if (peerRawPublicKey !== undefined) return [`raw public key ${keyFingerprint(peerRawPublicKey)}, ${verdict}`];
  if (leaf === undefined) return [];
  const stapled = ocspResponse === undefined ? '' : `, OCSP response of ${ocspResponse.length} bytes, not judged`;
  return [`certificate ${fingerprint(leaf)}, ${verdict}${stapled}`];
}

function verdictText({ authorizationError }: TlsConnection): string {
  return authorizationError === null ? 'verified' : `NOT verified (${authorizationError})`;
}

function printJson(value: object): void {
  process.stderr.write(`${JSON.stringify(value)}\n`);
}
