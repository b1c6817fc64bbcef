/** Another program as a peer: started, listened to, waited for, and always ended with the test that started it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Exit {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How long a peer may take for anything, in milliseconds. */
const patience = Number(process.env.TLS13_PEER_PATIENCE ?? 30_000);

/**
 * A running program. What it prints is split: bytes below 0x80 are its words (both streams, in `text`), those above are
 * application data that it passed on, in `data`; tests send data made of those (`payload`).
 */
export class Program {
  readonly exited: Promise<Exit>;
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  #exit: Exit | undefined;
  #text = '';
  #data: Uint8Array[] = [];
  #dataLength = 0;
  readonly #waiting = new Set<() => void>();

  /** Starts a program; the test that runs ends it. */
  constructor(command: string, parameters: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#name = [command, ...parameters].join(' ');
    this.#child = spawn(command, parameters, { env: { ...process.env, LC_ALL: 'C', ...env }, stdio: 'pipe' });
    this.exited = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#text += `${error.message}\n`;
        resolve({ status: 127, signal: null });
      });
      this.#child.on('close', (status, signal) => resolve({ status, signal }));
    });
    this.exited.then((exit) => {
      this.#exit = exit;
      this.#wake();
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.on('data', (bytes) => this.#take(bytes));
    // A peer that has gone takes no more; what it said before tells why.
    this.#child.stdin.on('error', () => {});
    onTestFinished(async () => {
      this.#child.kill('SIGKILL');
      await this.exited;
    });
  }

  get text(): string {
    return this.#text;
  }

  /** For its standard input. */
  write(bytes: Uint8Array | string): void {
    this.#child.stdin.write(bytes);
  }

  /** Ends its standard input. */
  end(): void {
    this.#child.stdin.end();
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal);
  }

  /** Waits until its words match. */
  until(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#when(() => pattern.exec(this.#text) ?? undefined, `${pattern}`);
  }

  /** Waits for the next `length` bytes of application data that it passes on. */
  async take(length: number): Promise<Buffer> {
    await this.#when(() => (this.#dataLength >= length ? true : undefined), `${length} bytes of data`);
    const all = Buffer.concat(this.#data);
    this.#data = [all.subarray(length)];
    this.#dataLength = all.length - length;
    return all.subarray(0, length);
  }

  /** Waits for its end. */
  async ended(): Promise<Exit> {
    return this.#when(() => this.#exit, 'the end');
  }

  #take(bytes: Buffer): void {
    const data = bytes.filter((byte) => byte >= 0x80);
    const words = data.length === 0 ? bytes : bytes.filter((byte) => byte < 0x80);
    this.#text += words.toString('latin1');
    if (data.length > 0) this.#data.push(data);
    this.#dataLength += data.length;
    this.#wake();
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }

  #when<Found>(find: () => Found | undefined, what: string): Promise<Found> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.delete(look);
        clearTimeout(timer);
      };
      const look = () => {
        const found = find();
        if (found === undefined && this.#exit === undefined) return;
        stop();
        if (found !== undefined) resolve(found);
        else reject(new Error(`${what} did not come before the end of: ${this.#story()}`));
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`${what} did not come in ${patience} ms from: ${this.#story()}`));
      }, patience);
      this.#waiting.add(look);
      look();
    });
  }

  #story(): string {
    const ended = this.#exit === undefined ? '' : `\n(ended with ${this.#exit.status ?? this.#exit.signal})`;
    return `${this.#name}\n${this.#text.slice(-4000)}\n(and ${this.#dataLength} bytes of data)${ended}`;
  }
}

/**
 * A port that nobody listens on, for programs that cannot say which one the system chose. Below those that the system
 * gives to connections, and of this worker's own thousand: nobody takes it before the program does.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < portsEach; tries++) {
    const port = firstPort + nextPort;
    nextPort = (nextPort + 1) % portsEach;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port is free from ${firstPort} to ${firstPort + portsEach - 1}`);
}

const portsEach = 1000;
const firstPort = 20_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 12) * portsEach;
let nextPort = process.pid % portsEach;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Application data that a `Program` can tell from its words: pseudo-random bytes from 0x80 on. */
export function payload(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = 0x80 | (state >>> 25);
  }
  return bytes;
}
