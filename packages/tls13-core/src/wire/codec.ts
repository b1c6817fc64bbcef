/**
 * The presentation language of §3 as values. A codec both reads and writes one type; a vector takes the width of its
 * length from its ceiling (§3.4) and holds both bounds both ways, so a definition can be compared with the RFC's line.
 * Reading throws TlsError (the peer's fault), writing RangeError (the caller's).
 */
import { knownName } from '../registry.js';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

/** What is read may say more than what must be given to write: the two types are the same unless told. */
export interface Codec<T, Source = T> {
  read(reader: Reader): T;
  write(writer: Writer, value: Source): void;
}

/** The type a codec reads. */
export type Decoded<C> = C extends Codec<infer T, never> ? T : never;

/** The type a codec writes. */
export type Encodable<C> = C extends { write(writer: Writer, value: infer Source): void } ? Source : never;

/** The whole of `bytes` as one `what`. */
export function decode<T>(codec: Codec<T, never>, bytes: Uint8Array, what: string): T {
  const reader = new Reader(bytes, what);
  const value = codec.read(reader);
  reader.end();
  return value;
}

export function encode<Source>(codec: Codec<unknown, Source>, value: Source): Uint8Array {
  const writer = new Writer();
  codec.write(writer, value);
  return writer.finish();
}

function uint(width: number): Codec<number> {
  return {
    read: (reader) => reader.uint(width),
    write: (writer, value) => writer.uint(width, value),
  };
}

export const uint8 = uint(1);
export const uint16 = uint(2);
export const uint24 = uint(3);
export const uint32 = uint(4);

/** `opaque name[length]`, as a view. */
export function fixed(length: number): Codec<Uint8Array> {
  return {
    read: (reader) => reader.bytes(length),
    write(writer, value) {
      if (value.length !== length) throw new RangeError(`${value.length} bytes where exactly ${length} are allowed`);
      writer.bytes(value);
    },
  };
}

/** `opaque name<floor..ceiling>`, as a view. */
export function opaque(floor: number, ceiling: number): Codec<Uint8Array> {
  const width = lengthWidth(ceiling);
  return {
    read: (reader) => content(reader, width, floor, ceiling).rest(),
    write(writer, value) {
      const start = writer.begin(width);
      writer.bytes(value);
      writer.end(start, width, floor, ceiling);
    },
  };
}

/** `opaque name<floor..ceiling>` as a string of one character per byte, which loses nothing whatever the bytes are. */
export function octetString(floor: number, ceiling: number): Codec<string> {
  const bytes = opaque(floor, ceiling);
  return {
    read(reader) {
      let value = '';
      for (const byte of bytes.read(reader)) value += String.fromCharCode(byte);
      return value;
    },
    write(writer, value) {
      const codes = new Uint8Array(value.length);
      for (let index = 0; index < value.length; index++) {
        const code = value.charCodeAt(index);
        if (code > 255) throw new RangeError(`${JSON.stringify(value)} has a character that is not one byte`);
        codes[index] = code;
      }
      bytes.write(writer, codes);
    },
  };
}

/** `Item name<floor..ceiling>`: bounds in bytes, as everywhere in the RFC. */
export function vector<T, Source>(
  item: Codec<T, Source>,
  floor: number,
  ceiling: number,
): Codec<readonly T[], readonly Source[]> {
  const width = lengthWidth(ceiling);
  return {
    read(reader) {
      const items: T[] = [];
      const list = content(reader, width, floor, ceiling);
      while (list.remaining > 0) items.push(item.read(list));
      return items;
    },
    write(writer, values) {
      const start = writer.begin(width);
      for (const value of values) item.write(writer, value);
      writer.end(start, width, floor, ceiling);
    },
  };
}

/** What stands in the bytes of `opaque name<floor..ceiling>` is one `inner`, and nothing behind it. */
export function within<T, Source>(inner: Codec<T, Source>, floor: number, ceiling: number): Codec<T, Source> {
  const width = lengthWidth(ceiling);
  return {
    read(reader) {
      const whole = content(reader, width, floor, ceiling);
      const value = inner.read(whole);
      whole.end();
      return value;
    },
    write(writer, value) {
      const start = writer.begin(width);
      inner.write(writer, value);
      writer.end(start, width, floor, ceiling);
    },
  };
}

interface Fields {
  readonly [name: string]: Codec<unknown, never>;
}

/** `struct { … }` (§3.6): the fields in the order given. */
export function struct<F extends Fields>(
  fields: F,
): Codec<{ readonly [Name in keyof F]: Decoded<F[Name]> }, { readonly [Name in keyof F]: Encodable<F[Name]> }>;
export function struct(fields: Readonly<Record<string, Codec<unknown>>>): Codec<Readonly<Record<string, unknown>>> {
  const entries = Object.entries(fields).map(([name, codec]) => ({ name, codec }));
  const blank = Object.fromEntries(entries.map(({ name }) => [name, undefined]));
  return {
    read(reader) {
      // All of one shape from the beginning: engines are far quicker with those.
      const value: Record<string, unknown> = { ...blank };
      for (const { name, codec } of entries) value[name] = codec.read(reader);
      return value;
    },
    write(writer, value) {
      for (const { name, codec } of entries) codec.write(writer, value[name]);
    },
  };
}

/** An enumerated (§3.5) by its names: any other value is an illegal_parameter (§6.2). */
export function enumerated<Name extends string>(
  codec: Codec<number>,
  values: Readonly<Record<Name, number>>,
): Codec<Name> {
  return {
    read(reader) {
      const value = codec.read(reader);
      const name = knownName(values, value);
      if (name === undefined) {
        throw reader.error('illegal_parameter', `${value} where one of ${Object.keys(values).join(', ')} is allowed`);
      }
      return name;
    },
    write: (writer, name) => codec.write(writer, values[name]),
  };
}

/** Whatever is left, as a view. */
export const rest: Codec<Uint8Array> = {
  read: (reader) => reader.rest(),
  write: (writer, value) => writer.bytes(value),
};

/** `struct {}` where being there is all it says. */
export const empty: Codec<true> = {
  read: () => true,
  write: () => undefined,
};

function lengthWidth(ceiling: number): number {
  let width = 1;
  while (ceiling >= 256 ** width) width++;
  return width;
}

/** A cursor over the content of `opaque name<floor..ceiling>`, whose length takes `width` bytes. */
export function content(reader: Reader, width: number, floor: number, ceiling: number): Reader {
  const length = reader.uint(width);
  if (length < floor || length > ceiling) {
    throw reader.error('decode_error', `a vector of ${length} bytes where <${floor}..${ceiling}> is allowed`);
  }
  return reader.child(length);
}
