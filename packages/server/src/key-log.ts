/** The NSS key log (RFC 9850): with these lines anybody can read the connection they come from. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { KeyLogLabel } from 'tls13-core';

/** One line, newline included, as the event `keylog` carries it. */
export function keyLogLine(label: KeyLogLabel, clientRandom: Uint8Array, secret: Uint8Array): Buffer {
  return Buffer.from(`${label} ${hex(clientRandom)} ${hex(secret)}\n`, 'latin1');
}

/**
 * A listener for `keylog` that appends to a file, readable by its owner alone; `close` ends it. Each line is written
 * before the event returns, so that a packet capture never runs ahead of its keys.
 */
export function keyLogFile(path: string): { readonly listener: (line: Buffer) => void; close(): void } {
  let fd: number | undefined = openSync(path, 'a', 0o600);
  return {
    listener: (line) => {
      if (fd !== undefined) writeSync(fd, line);
    },
    close: () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
