/** Files that the command keeps between runs: sessions and keys, which are secret. */
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Nobody reads half a file, and nothing is written through what somebody else laid in its way. */
export function replaceFile(file: string, content: string | Uint8Array, mode: number): void {
  const next = `${file}.${process.pid}`;
  rmSync(next, { force: true });
  writeFileSync(next, content, { mode, flag: 'wx' });
  // Whatever the umask is.
  chmodSync(next, mode);
  renameSync(next, file);
}
