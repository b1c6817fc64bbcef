/** What records and hellos look like, as flags of `serve` and `connect`: sizes, padding, GREASE, compressed certificates. */
import type { Padding } from 'tls13-core';
import type { CommonOptions } from '../options.js';
import { type Arguments, type Option, UsageError } from './options.js';

/** Named as openssl's where it has them. */
export const recordOptions = {
  'record-size-limit': { value: 'BYTES', help: 'the largest record to be opened (RFC 8449), 64 to 16385' },
  'max-send-frag': { value: 'BYTES', help: 'content of the records that are sent, 64 to 16384 (default)' },
  'dynamic-records': { help: 'records that fit a packet at first and after silence; sending stays in user space' },
  'record-padding': {
    value: 'BYTES',
    help: 'pad records to a multiple, or by random:BYTES at most; sending stays in user space',
  },
  'cert-compression': { value: 'LIST', help: 'compressed certificates (RFC 8879), best first: zlib, brotli, zstd' },
  grease: { help: 'send values that mean nothing (RFC 8701), to find out what cannot stand them' },
} as const satisfies Readonly<Record<string, Option>>;

type RecordSettings = Pick<
  CommonOptions,
  'recordSizeLimit' | 'maxSendFragment' | 'dynamicRecordSizing' | 'padding' | 'certificateCompression' | 'grease'
>;

/** @throws UsageError naming the option and what is allowed. */
export function recordSettings(given: Arguments): RecordSettings {
  const recordSizeLimit = given.number('record-size-limit', 64, 16_385);
  const maxSendFragment = given.number('max-send-frag', 64, 16_384);
  const padding = paddingOf(given);
  const certificateCompression = given.listOf('cert-compression', ['zlib', 'brotli', 'zstd']);
  return {
    ...(recordSizeLimit === undefined ? {} : { recordSizeLimit }),
    ...(maxSendFragment === undefined ? {} : { maxSendFragment }),
    ...(given.has('dynamic-records') ? { dynamicRecordSizing: {} } : {}),
    ...(padding === undefined ? {} : { padding }),
    ...(certificateCompression === undefined ? {} : { certificateCompression }),
    ...(given.has('grease') ? { grease: true } : {}),
  };
}

function paddingOf(given: Arguments): Padding | undefined {
  const text = given.text('record-padding');
  if (text === undefined) return undefined;
  const [, random, digits] = /^(random:)?(\d{1,5})$/.exec(text) ?? [];
  const bytes = Number(digits);
  if (!(bytes >= 1 && bytes <= 16_384)) {
    throw new UsageError(`--record-padding is a number from 1 to 16384, or random: and such a number, not ${text}`);
  }
  return random === undefined ? { multiple: bytes } : { random: bytes };
}
