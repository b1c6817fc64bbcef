/** Options of a connection that shape neither the protocol nor its credentials. */
import type { DriverSettings } from './driver-owner.js';
import { type CommonOptions, oneOf, wholeNumber } from './options.js';
import type { TransportChoice } from './transport/open.js';

export function driverSettings(options: CommonOptions): DriverSettings {
  return {
    policy: oneOf('offload', options.offload, ['auto', 'send', 'both', 'off']),
    offloadOptions: { zeroCopy: options.zeroCopy ?? false, expectNoPad: options.expectNoPad ?? false },
    tolerateTruncation: options.tolerateTruncation ?? false,
    padding: options.padding !== undefined && options.padding !== 'none',
    dynamicRecordSizing: options.dynamicRecordSizing !== undefined,
    maxSendFragment: wholeNumber('maxSendFragment', options.maxSendFragment, 16_384, [64, 16_384]),
  };
}

export function transportChoice(options: CommonOptions): TransportChoice {
  return oneOf('transport', options.transport, ['auto', 'native', 'stream']);
}
