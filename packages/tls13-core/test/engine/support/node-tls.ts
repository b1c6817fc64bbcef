/** An engine and node:tls, joined in memory: the other implementation that every Node has. */
import { Duplex } from 'node:stream';
import { connect, createSecureContext, type SecureContextOptions, TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { TlsEngine } from '../../../src/engine/types.js';
import { End } from './pair.js';

export interface NodeOptions extends SecureContextOptions {
  readonly alpnProtocols?: readonly string[];
  readonly servername?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

export interface Meeting {
  readonly end: End;
  readonly node: TLSSocket;
  /** Why node failed, if it did. */
  readonly error: Error | undefined;
  /** What node wrote into its key log. */
  readonly keyLog: readonly string[];
  /** Everything that node's application read. */
  readonly read: readonly Buffer[];
  /** Hands over what the engine has to say, and waits until both are quiet. */
  settle(): Promise<void>;
}

/** Lets the handshake run to its end, whatever that is. The caller destroys `node`. */
export async function meetNode(engine: TlsEngine, options: NodeOptions): Promise<Meeting> {
  const end = new End(engine);
  let activity = 0;
  end.take(engine.start());
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      activity += 1;
      end.take(engine.receive(chunk));
      flush();
      done();
    },
  });
  const flush = () => {
    for (const data of end.outgoing.splice(0)) {
      activity += 1;
      stream.push(Buffer.from(data));
    }
  };
  const node = engine.role === 'client' ? nodeServer(stream, options) : nodeClient(stream, options);
  const meeting = { error: undefined as Error | undefined, keyLog: [] as string[], read: [] as Buffer[] };
  node.on('keylog', (line: Buffer) => meeting.keyLog.push(line.toString()));
  node.on('data', (data: Buffer) => meeting.read.push(data));
  node.on('error', (error) => {
    meeting.error ??= error;
  });
  const settle = async () => {
    // A handshake takes node a few turns of the event loop; it is over when many of them have brought nothing.
    for (let quiet = 0; quiet < 8; quiet++) {
      const before = activity;
      flush();
      await new Promise((resolve) => setImmediate(resolve));
      if (activity !== before) quiet = 0;
    }
  };
  await settle();
  return Object.assign(meeting, { end, node, settle });
}

function nodeClient(socket: Duplex, { alpnProtocols, servername, ...options }: NodeOptions): TLSSocket {
  return connect({
    socket,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: false,
    ...(servername === undefined ? {} : { servername }),
    ...(alpnProtocols === undefined ? {} : { ALPNProtocols: [...alpnProtocols] }),
    ...options,
  });
}

function nodeServer(stream: Duplex, { alpnProtocols, servername: _, ...options }: NodeOptions): TLSSocket {
  const { requestCert, rejectUnauthorized, ...context } = options;
  const socketOptions: TLSSocketOptions = {
    isServer: true,
    secureContext: createSecureContext({ minVersion: 'TLSv1.3', ...context }),
    requestCert: requestCert ?? false,
    rejectUnauthorized: rejectUnauthorized ?? false,
    ...(alpnProtocols === undefined ? {} : { ALPNProtocols: [...alpnProtocols] }),
  };
  return new TLSSocket(stream, socketOptions);
}
