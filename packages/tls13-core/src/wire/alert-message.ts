/** The Alert structure (§6). */
import { type AlertName, alertDescriptions, alertLevels, alertName } from '../alert.js';
import { decode, encode, struct, uint8 } from './codec.js';

export interface Alert {
  /** To be ignored: the severity is implicit in the description (§6). */
  readonly level: number;
  readonly description: number;
  /** `undefined` for a description that no RFC here names, which is an error alert like any other (§6). */
  readonly name: AlertName | undefined;
}

/** Exactly one alert: alerts are neither fragmented nor put together (§5.1). */
export function decodeAlert(bytes: Uint8Array): Alert {
  const { level, description } = decode(alert, bytes, 'Alert');
  return { level, description, name: alertName(description) };
}

/** Closure alerts go out as warnings, every other as fatal (§6). */
export function encodeAlert(name: AlertName): Uint8Array {
  const level = name === 'close_notify' || name === 'user_canceled' ? alertLevels.warning : alertLevels.fatal;
  return encode(alert, { level, description: alertDescriptions[name] });
}

const alert = struct({ level: uint8, description: uint8 });
