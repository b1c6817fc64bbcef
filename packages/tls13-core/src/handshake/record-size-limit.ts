/** record_size_limit (RFC 8449): what each side may put into a record, once both have said so. */
import type { RecordSizeLimit } from '../connection-info.js';
import type { Effect } from './effects.js';

/** Content, type and padding of the largest record there is (§5.4). */
const largest = 16_385;

/** What a server says when a client asks: its own limit, or that it has none beyond the protocol's. */
export function limitToAnswer(ours: number | undefined): number {
  return ours ?? largest;
}

/** A peer may name more than any record has (RFC 8449 §4): that restricts nothing. */
export function agreedLimit(theirs: number | undefined, ours: number | undefined): RecordSizeLimit | undefined {
  return theirs === undefined ? undefined : { send: Math.min(theirs, largest), receive: limitToAnswer(ours) };
}

export function limitEffects(limit: RecordSizeLimit | undefined): readonly Effect[] {
  return limit === undefined ? [] : [{ type: 'record_size_limit', limit }];
}
