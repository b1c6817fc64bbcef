/** A large file that is all hole: it takes no room on the disk, and the kernel sends it like any other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bytes. */
const defaultDownload = 67_108_864;
export const largestDownload = 1_073_741_824;

/** The size asked for; undefined when it is none. */
export function downloadSize(query: URLSearchParams): number | undefined {
  const text = query.get('size');
  if (text === null) return defaultDownload;
  const size = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  return size >= 0 && size <= largestDownload ? size : undefined;
}

/** Files of zeros in a folder of their own, one for each size, the latest few kept. */
export class Zeros {
  /** Undefined until the first is asked for. */
  #folder: string | undefined;
  /** By size: the file's name, once it is there. */
  readonly #files = new Map<number, Promise<string>>();

  /** @returns the folder, and the name of a file of that size in it. */
  async file(size: number): Promise<{ readonly folder: string; readonly name: string }> {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'tls13-zeros-'));
    const folder = this.#folder;
    const making = this.#files.get(size) ?? make(folder, size);
    this.#files.delete(size);
    this.#files.set(size, making);
    making.catch(() => this.#files.delete(size));
    this.#forgetOldest(folder);
    return { folder, name: await making };
  }

  remove(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
    this.#files.clear();
  }

  /** Whoever is sending one has it open, and goes on. */
  #forgetOldest(folder: string): void {
    const [oldest] = this.#files.keys();
    if (this.#files.size <= keptFiles || oldest === undefined) return;
    this.#files.delete(oldest);
    rmSync(join(folder, fileName(oldest)), { force: true });
  }
}

const keptFiles = 16;

const fileName = (size: number) => `${size}.bin`;

async function make(folder: string, size: number): Promise<string> {
  const handle = await open(join(folder, fileName(size)), 'w', 0o600);
  try {
    await handle.truncate(size);
  } finally {
    await handle.close();
  }
  return fileName(size);
}
