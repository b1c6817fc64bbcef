/** The settings of records: sizes and padding. */
import type { DynamicRecordSizing, Padding, RecordConfig } from '../config/index.js';

export interface RecordSettings {
  /** `undefined`: a client does not ask. */
  readonly recordSizeLimit: number | undefined;
  readonly maxSendFragment: number;
  /** `undefined`: none. */
  readonly padding: Exclude<Padding, 'none'> | undefined;
  readonly dynamicRecordSizing: Required<DynamicRecordSizing> | undefined;
}

/** Content, type and padding of the largest record (§5.4): what a limit says that limits nothing. */
export const largestRecordSizeLimit = 16_385;

/** Throws TypeError or RangeError naming the option. */
export function recordSettings(config: RecordConfig): RecordSettings {
  const { recordSizeLimit, maxSendFragment = 16_384, padding = 'none', dynamicRecordSizing } = config;
  if (recordSizeLimit !== undefined) inRange('recordSizeLimit', recordSizeLimit, 64, largestRecordSizeLimit);
  inRange('maxSendFragment', maxSendFragment, 63, 16_384);
  return {
    recordSizeLimit,
    maxSendFragment,
    padding: padding === 'none' ? undefined : paddingSetting(padding),
    dynamicRecordSizing: dynamicRecordSizing === undefined ? undefined : sizing(dynamicRecordSizing),
  };
}

function paddingSetting(padding: Exclude<Padding, 'none'>): Exclude<Padding, 'none'> {
  if (typeof padding === 'function') return padding;
  if (typeof padding === 'object' && padding !== null) {
    if ('multiple' in padding) {
      inRange('padding.multiple', padding.multiple, 1, 16_384);
      return padding;
    }
    if ('random' in padding) {
      inRange('padding.random', padding.random, 0, 16_384);
      return padding;
    }
  }
  throw new TypeError("padding must be 'none', { multiple }, { random } or a function");
}

function sizing({ initial = 1_369, after = 65_536, idle = 1_000 }: DynamicRecordSizing): Required<DynamicRecordSizing> {
  inRange('dynamicRecordSizing.initial', initial, 63, 16_384);
  inRange('dynamicRecordSizing.after', after, 0, Number.MAX_SAFE_INTEGER);
  inRange('dynamicRecordSizing.idle', idle, 0, Number.MAX_SAFE_INTEGER);
  return { initial, after, idle };
}

function inRange(option: string, value: number, lowest: number, highest: number): void {
  if (!Number.isSafeInteger(value) || value < lowest || value > highest) {
    throw new RangeError(`${option} must be a whole number from ${lowest} to ${highest}, not ${String(value)}`);
  }
}
