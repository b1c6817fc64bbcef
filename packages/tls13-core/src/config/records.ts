/** How large records are, and what is in them beside their content. */

export interface RecordConfig {
  /**
   * The largest record this side opens, in bytes of content, type and padding (RFC 8449): 64 to 16,385. A client asks for it
   * when it is set; a server always answers a client that asks. Default 16,385, which is every record there may be.
   */
  readonly recordSizeLimit?: number;
  /** Bytes of content in the records this side makes, 63 to 16,384 (default); fewer where the peer's limit says so. */
  readonly maxSendFragment?: number;
  /** Hides lengths (§5.4). Default `none`. Whoever else seals this direction cannot pad. */
  readonly padding?: Padding;
  /** Default: none, every record as full as it can be. */
  readonly dynamicRecordSizing?: DynamicRecordSizing;
}

/**
 * Of protected records, the handshake's included: none, up to a multiple of a number of bytes, a random number of bytes up
 * to a maximum, or what a function says. A record's content, type and padding are never more than its limit allows.
 */
export type Padding = 'none' | { readonly multiple: number } | { readonly random: number } | PaddingFunction;

/** Bytes of padding, 0 to `room`. */
export type PaddingFunction = (record: {
  /** As in the registry: 21 alert, 22 handshake, 23 application data. */
  readonly contentType: number;
  /** Bytes of content. */
  readonly length: number;
  readonly room: number;
}) => number;

/**
 * Records that fit a packet while a connection is new or has been idle, so that the first of them can be opened as soon as it
 * is there instead of when the last packet of a large one is.
 */
export interface DynamicRecordSizing {
  /** Bytes of content in the small ones. Default 1,369: a packet of TCP over IPv6 in an Ethernet frame. */
  readonly initial?: number;
  /** Bytes sent in small records before they grow. Default 65,536. */
  readonly after?: number;
  /** Milliseconds without sending after which they are small again. Default 1,000. */
  readonly idle?: number;
}
