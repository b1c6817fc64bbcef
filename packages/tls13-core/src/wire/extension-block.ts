/**
 * A block of extensions (§4.3), read and written after a message's table. A recognized extension that the table does not
 * have is an illegal_parameter. Unknown ones are kept in `types` and `raw`: whether an answer was asked for is for the
 * handshake to judge, which knows what was asked.
 */
import { type ExtensionName, extensionTypes, nameOf } from '../registry.js';
import { type Codec, content, type Decoded, decode, type Encodable, opaque, rest, struct, uint16 } from './codec.js';
import type { Writer } from './writer.js';

export interface RawExtension {
  readonly type: number;
  readonly data: Uint8Array;
}

export interface Entry<C> {
  readonly type: number;
  readonly name: ExtensionName;
  readonly codec: C;
}

export interface Table {
  readonly [property: string]: Entry<Codec<unknown, never>>;
}

/** What a block was read as: the values of its known extensions, and the block as it stood. */
export type ExtensionBlock<T extends Table> = {
  readonly [Property in keyof T]?: Decoded<T[Property]['codec']> | undefined;
} & {
  /** Every extension's type, unknown ones included, in order of appearance. */
  readonly types: readonly number[];
  /** Every extension's body, unknown ones included, in order of appearance. */
  readonly raw: ReadonlyMap<number, Uint8Array>;
};

/** What to write: absent and `undefined` are the same. */
export type ExtensionsToSend<T extends Table> = {
  readonly [Property in keyof T]?: Encodable<T[Property]['codec']> | undefined;
} & {
  /** Written as they are, before pre_shared_key. */
  readonly extra?: readonly RawExtension[] | undefined;
  /** The place of each type, pre_shared_key excepted: lower first; the order of the table where it is the same. */
  readonly order?: ((type: number) => number) | undefined;
};

export interface BlockRules {
  /** Least bytes of the block; 0 unless told. */
  readonly floor?: number;
  /** Least bytes accepted, where it differs. */
  readonly readFloor?: number;
  /** The alert against two extensions of one type, for which §4.3 names none: illegal_parameter unless told. */
  readonly duplicates?: 'decode_error';
  /** Allowed in the message, and of no concern to this library. */
  readonly ignored?: readonly ExtensionName[];
  /** A known extension that the table does not have stays in `types`, for the handshake to judge. */
  readonly misplaced?: 'left';
  /** Without this extension the block follows rules of another protocol version. */
  readonly onlyWith?: ExtensionName;
}

interface Item {
  readonly type: number;
  readonly codec: Codec<unknown>;
  readonly value: unknown;
}

function writeItem(writer: Writer, { type, codec, value }: Item): void {
  writer.uint(2, type);
  const start = writer.begin(2);
  codec.write(writer, value);
  writer.end(start, 2, 0, ceiling);
}

function ordered(items: readonly Item[], order: UntypedToSend['order']): readonly Item[] {
  if (order === undefined) return items;
  const placed = items.map((item) => ({ item, place: order(item.type) }));
  // Infinities are not subtracted: their difference is not a number.
  placed.sort((a, b) => (a.place === b.place ? 0 : a.place < b.place ? -1 : 1));
  return placed.map(({ item }) => item);
}

const ceiling = 2 ** 16 - 1;

/** Extension (§4.3), its body as it stands. */
export const rawExtension: Codec<RawExtension> = struct({ type: uint16, data: opaque(0, ceiling) });

/** An entry of a table. */
export function on<C>(name: ExtensionName, codec: C): Entry<C> {
  return { type: extensionTypes[name], name, codec };
}

export function extensionBlock<T extends Table>(
  message: string,
  table: T,
  rules: BlockRules,
): Codec<ExtensionBlock<T>, ExtensionsToSend<T>>;
export function extensionBlock(
  message: string,
  table: Readonly<Record<string, Entry<Codec<unknown>>>>,
  rules: BlockRules,
): Codec<UntypedBlock, UntypedToSend> {
  const { floor = 0, readFloor = floor, ignored = [], onlyWith, duplicates = 'illegal_parameter', misplaced } = rules;
  const entries = Object.entries(table).map(([property, entry]) => ({ property, ...entry }));
  // All of one shape from the beginning; copied whole, as V8 gives a copy with more behind it a shape of its own each time.
  const blank: UntypedBlock = Object.fromEntries(
    [...Object.keys(table), 'types', 'raw'].map((property) => [property, undefined]),
  );
  const known = new Map(
    entries.map(({ property, type, name, codec }) => [type, { property, codec, what: `${message} ${name}` }]),
  );
  const passedOver = new Set<number>(ignored.map((name) => extensionTypes[name]));

  return {
    read(reader) {
      const types: number[] = [];
      const raw = new Map<number, Uint8Array>();
      const block = content(reader, 2, readFloor, ceiling);
      while (block.remaining > 0) {
        const type = block.uint(2);
        const data = content(block, 2, 0, ceiling).rest();
        if (raw.has(type)) throw reader.error(duplicates, `two ${nameOf(extensionTypes, type)} extensions`);
        types.push(type);
        raw.set(type, data);
      }
      const read = { ...blank };
      read.types = types;
      read.raw = raw;
      if (onlyWith !== undefined && !raw.has(extensionTypes[onlyWith])) return read;
      for (const [type, data] of raw) {
        const entry = known.get(type);
        if (entry === undefined) {
          if (recognized.has(type) && !passedOver.has(type) && misplaced === undefined) {
            throw reader.error('illegal_parameter', `${nameOf(extensionTypes, type)} does not belong in it`);
          }
          continue;
        }
        if (message === 'ClientHello' && type === extensionTypes.pre_shared_key && types.at(-1) !== type) {
          throw reader.error('illegal_parameter', 'pre_shared_key is not the last extension');
        }
        const value = decode(entry.codec, data, entry.what);
        if (value !== undefined) read[entry.property] = value;
      }
      return read;
    },
    write(writer, source) {
      const before: Item[] = [];
      let last: Item | undefined;
      for (const { property, type, name, codec } of entries) {
        const value = source[property];
        if (value === undefined) continue;
        if (name === 'pre_shared_key') last = { type, codec, value };
        else before.push({ type, codec, value });
      }
      for (const { type, data } of source.extra ?? []) before.push({ type, codec: rest, value: data });
      const start = writer.begin(2);
      for (const item of ordered(before, source.order)) writeItem(writer, item);
      if (last !== undefined) writeItem(writer, last);
      writer.end(start, 2, floor, ceiling);
    },
  };
}

const recognized: ReadonlySet<number> = new Set(Object.values(extensionTypes));

interface UntypedBlock {
  types?: readonly number[];
  raw?: ReadonlyMap<number, Uint8Array>;
  [property: string]: unknown;
}

interface UntypedToSend {
  readonly extra?: readonly RawExtension[] | undefined;
  readonly order?: ((type: number) => number) | undefined;
  readonly [property: string]: unknown;
}
