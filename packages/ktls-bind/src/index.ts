/** ktls-bind: Linux kernel TLS from Node. Keys, records and files on a descriptor; no handshake. */
import { createKernel } from './kernel.js';
import { native } from './load.js';
import { readTlsStat } from './tls-stat.js';
import type { Kernel } from './types.js';

export { KtlsError, type KtlsErrorCode, type KtlsErrorDetails, type KtlsStep } from './errors.js';
export { summarizeDirections } from './probe.js';
export type * from './types.js';

/** The running kernel. */
export const kernel: Kernel = createKernel(native, readTlsStat);
