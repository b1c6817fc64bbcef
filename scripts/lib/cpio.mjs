// An archive as the Linux kernel unpacks it into its first root: cpio, "newc" (Documentation/driver-api/early-userspace/
// buffer-format.rst of the kernel).

/** @param files [{ path, content?: Buffer }]: a program or file, or without content a folder. Folders come first. */
export function cpioArchive(files) {
  const entries = files.map(({ path, content }, index) =>
    entry(index + 1, path, content === undefined ? 0o040755 : 0o100755, content ?? Buffer.alloc(0)),
  );
  return Buffer.concat([...entries, entry(0, 'TRAILER!!!', 0, Buffer.alloc(0))]);
}

/** Thirteen numbers of eight hexadecimal digits; name and content each end on a multiple of four. */
function entry(inode, path, mode, content) {
  const name = Buffer.from(`${path}\0`);
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(content)]);
}

function padded(bytes) {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
