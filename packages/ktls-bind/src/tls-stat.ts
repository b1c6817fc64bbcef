/** The kernel's own count of TLS sessions, rekeys and errors: the proof that records were really the kernel's. */
import { readFileSync } from 'node:fs';

export function readTlsStat(): Readonly<Record<string, number>> | undefined {
  try {
    return parseTlsStat(readFileSync('/proc/net/tls_stat', 'latin1'));
  } catch {
    return undefined;
  }
}

/** Lines of a name and a number. */
export function parseTlsStat(text: string): Readonly<Record<string, number>> {
  const counters: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [name, value] = line.trim().split(/\s+/);
    if (name !== undefined && value !== undefined) counters[name] = Number(value);
  }
  return counters;
}
