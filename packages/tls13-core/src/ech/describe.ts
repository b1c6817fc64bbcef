/** An ECHConfigList in words, for people and for tools that keep keys and configs in files. */
import { decodeEchConfigList } from '../wire/ech.js';

export interface EchConfigDescription {
  /** The ECHConfig as it stands in the list. */
  readonly config: Uint8Array;
  readonly version: number;
  /** What RFC 9849's version says; `undefined` of another. */
  readonly configId: number | undefined;
  readonly publicName: string | undefined;
  /** Of the KEM, as HPKE serializes it. */
  readonly publicKey: Uint8Array | undefined;
}

/** Throws TlsError decode_error for anything but an ECHConfigList. */
export function describeEchConfigs(list: Uint8Array): readonly EchConfigDescription[] {
  return decodeEchConfigList(list.slice()).map(({ version, contents, bytes }) => ({
    config: bytes,
    version,
    configId: contents?.configId,
    publicName: contents?.publicName,
    publicKey: contents?.publicKey,
  }));
}
