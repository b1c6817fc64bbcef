/** Memory for what is opened. It goes to the application, who keeps it as long as it likes, so that nothing is copied. */
import type { Binding, BoundBlockPool } from './binding.js';
import { keepRoom, largestInSlab, takeRoom } from './buffers.js';

export class OpenedMemory {
  readonly #pool: BoundBlockPool;
  #trimming: NodeJS.Timeout | undefined;

  constructor(binding: Binding) {
    this.#pool = new binding.BlockPool();
  }

  /** Uninitialised room for `length` bytes; follow with `keep`. */
  take(length: number): Uint8Array {
    if (length <= largestInSlab) return takeRoom(length);
    const block = this.#pool.take(length);
    // Without a block left, memory of V8's own: its growth has the blocks collected that nobody holds any more.
    if (block === undefined) return Buffer.allocUnsafeSlow(length);
    this.#trimming ??= setInterval(() => this.#trim(), trimInterval).unref();
    return block;
  }

  /** The first `used` bytes of the room taken last. What was in the rest before is nobody's business. */
  keep(room: Uint8Array, used: number): Uint8Array {
    if (room.length <= largestInSlab) return keepRoom(room, used);
    return room.fill(0, used).subarray(0, used);
  }

  #trim(): void {
    if (this.#pool.trim() > 0) return;
    clearInterval(this.#trimming);
    this.#trimming = undefined;
  }
}

/** Milliseconds. */
const trimInterval = 1000;
