/** The error type: what callers without types, and other faults, make of it. */
import { describe, expect, it } from 'vitest';
import { asTlsError, TlsError } from '../src/alert.js';

describe('TlsError', () => {
  it.each(['nonsense', undefined, 'toString'])('refuses an alert called %s, which could not be sent', (name) => {
    expect(() => Reflect.construct(TlsError, [name, 'text'])).toThrow(TypeError);
  });

  it('of anything that was thrown is an internal_error, the fault its cause', () => {
    const fault = new RangeError('too far');
    expect(asTlsError(fault)).toMatchObject({ alert: 'internal_error', message: 'too far', cause: fault });
    expect(asTlsError('a word')).toMatchObject({ alert: 'internal_error', message: 'a word' });
    const error = new TlsError('decode_error', 'cut off');
    expect(asTlsError(error)).toBe(error);
  });
});
