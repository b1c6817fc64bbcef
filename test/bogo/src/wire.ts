/** A socket to the runner as a pair of simple calls: read what has come, write in order. */
import { connect, type Socket } from 'node:net';

export class Wire {
  readonly #socket: Socket;
  #ended = false;
  #wake = () => {};
  #held: Uint8Array[] | undefined;

  constructor(port: number, host: string) {
    this.#socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
    const wake = () => this.#wake();
    this.#socket.on('readable', wake);
    for (const event of ['end', 'error', 'close']) {
      this.#socket.on(event, () => {
        this.#ended = true;
        wake();
      });
    }
  }

  /** At least one and at most `limit` bytes; `undefined` when no more come. */
  async read(limit: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const available = Math.min(limit, this.#socket.readableLength);
      const bytes: Buffer | null = available === 0 ? null : this.#socket.read(available);
      if (bytes !== null) return bytes;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // Asks the stream for more when there is nothing in hand.
        this.#socket.read(0);
      });
    }
  }

  write(bytes: Uint8Array): void {
    if (this.#held !== undefined) this.#held.push(bytes);
    else if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Lets one byte of what is written from here on through, until `release`. */
  hold(): void {
    this.#held = [];
  }

  /** The one byte that gets through while writing is held up. */
  letOneByteThrough(): void {
    const held = this.#held ?? [];
    const [first = new Uint8Array(0), ...others] = held;
    this.#socket.write(first.subarray(0, 1));
    this.#held = [first.subarray(1), ...others];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const bytes of held) this.write(bytes);
  }

  /** Ends this side, and reads on until the runner ends its own: it must not meet a reset. */
  async finish(): Promise<void> {
    this.#socket.end();
    while ((await this.read(65_536)) !== undefined);
    this.#socket.destroy();
  }
}
