// What passed by in sealed records, without opening one.

/**
 * @returns a function of the bytes that came, in pieces of any length: how much content the records hold that they complete,
 * without content type and tag (RFC 9846, §5.2)
 */
export function contentsOfRecords() {
  const header = Buffer.alloc(5);
  let [inHeader, ofRecord] = [0, 0];
  return (bytes) => {
    let content = 0;
    for (let offset = 0; offset < bytes.length; ) {
      if (ofRecord > 0) {
        const part = Math.min(ofRecord, bytes.length - offset);
        offset += part;
        ofRecord -= part;
        // Counted with the record's last byte, so that whoever waits has it all.
        if (ofRecord === 0) content += header.readUInt16BE(3) - 17;
        continue;
      }
      const part = bytes.copy(header, inHeader, offset, offset + header.length - inHeader);
      offset += part;
      inHeader += part;
      if (inHeader < header.length) continue;
      inHeader = 0;
      ofRecord = header.readUInt16BE(3);
    }
    return content;
  };
}
