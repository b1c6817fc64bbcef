/** ktls-bind: Linux kernel TLS from Node. Keys, records and files on a descriptor; no handshake. */
import { createKernel } from './kernel.js';
import { native } from './load.js';
import { readTlsStat } from './tls-stat.js';
import type { Kernel, KtlsSupport, ProbeOptions } from './types.js';

export { KtlsError, type KtlsErrorCode, type KtlsErrorDetails, type KtlsStep } from './errors.js';
export { summarizeDirections } from './probe.js';
export { readCached } from './read-cached.js';
export type * from './types.js';

/** The running kernel. */
export const kernel: Kernel = createKernel(native, readTlsStat);

/** What the running kernel can: `kernel.probe`, in short. */
export function probe(options?: ProbeOptions): KtlsSupport {
  return kernel.probe(options);
}

/** The counters of /proc/net/tls_stat; `undefined` where the kernel has none. */
export { readTlsStat };
