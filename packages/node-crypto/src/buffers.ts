/**
 * Memory for records. Small ones share slabs; large ones have blocks of their own, which can be used again once the
 * one they were lent to has released them. What is never released is collected like any other memory.
 */

/** Uninitialised room for `length` bytes; follow with `keepRoom`. */
export function takeRoom(length: number): Uint8Array {
  if (length > largestInSlab) return new Uint8Array(takeBlock(length), 0, length);
  if (slabOffset + length > slab.byteLength) {
    slab = uninitialised(slabLength);
    slabOffset = 0;
  }
  const room = new Uint8Array(slab, slabOffset, length);
  slabOffset += align(length);
  return room;
}

/** The first `used` bytes of the room taken last: they are the caller's, who may release them. The rest is given back. */
export function keepRoom(room: Uint8Array, used: number): Uint8Array {
  const kept = used === room.length ? room : room.subarray(0, used);
  const { buffer } = room;
  if (buffer === slab) slabOffset = room.byteOffset + align(used);
  else if (buffer instanceof Block) buffer.lent = kept;
  return kept;
}

/**
 * Gives memory back that a sealer of this package handed out, to be used again. Only the one who knows that
 * nobody reads or writes it any more may call this: for sealed records that is when the socket has written them. Bytes
 * from elsewhere, parts of what was handed out, and a second release are ignored.
 */
export function releaseBuffer(bytes: Uint8Array): void {
  if (bytes.length <= largestInSlab) return;
  const { buffer } = bytes;
  if (!(buffer instanceof Block) || buffer.lent !== bytes) return;
  buffer.lent = undefined;
  const free = freeBlocks.get(buffer.byteLength);
  if (free !== undefined && (free.length + 1) * buffer.byteLength <= mostFreeBytes) free.push(buffer);
}

/** One full record fits. */
export const largestInSlab = 16_704;

const slabLength = 65_536;
/** For each size of blocks. */
const mostFreeBytes = 4 * 1024 * 1024;
/** Larger blocks are not kept. */
const largestBlock = 1024 * 1024;

class Block extends ArrayBuffer {
  /** What may be released: exactly the view that was handed out, so that a block is never free twice. */
  lent: Uint8Array | undefined;
}

/** By size, a power of two. */
const freeBlocks = new Map<number, Block[]>();
for (let size = 32_768; size <= largestBlock; size *= 2) freeBlocks.set(size, []);

let slab = uninitialised(slabLength);
let slabOffset = 0;

function takeBlock(length: number): Block {
  const size = length > largestBlock ? length : 2 ** (32 - Math.clz32(length - 1));
  return freeBlocks.get(size)?.pop() ?? new Block(size);
}

function uninitialised(length: number): ArrayBuffer {
  const { buffer } = Buffer.allocUnsafeSlow(length);
  if (!(buffer instanceof ArrayBuffer)) throw new TypeError('Buffer.allocUnsafeSlow gave shared memory');
  return buffer;
}

function align(length: number): number {
  return (length + 7) & ~7;
}
