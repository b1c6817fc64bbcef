// Bytes and records through a descriptor: recv, recvmsg, sendmsg, sendfile. Non-blocking, EINTR handled, no JavaScript.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

namespace ktls {

// Failures that have no errno, returned negative and out of its range.
constexpr int64_t kControlTruncated = 10001;
constexpr int64_t kRecordTypeMissing = 10002;
constexpr int64_t kRecordIncomplete = 10003;

// Bytes read, 0 at the end of the stream, or -errno.
int64_t Read(int fd, uint8_t* into, size_t size);

// As Read, but what is read stays there to be read again.
int64_t Peek(int fd, uint8_t* into, size_t size);

struct Record {
  // Bytes of content, 0 possible; -errno or minus one of the above.
  int64_t length;
  // 0 at the end of the stream.
  uint8_t content_type;
};

// One control record, or the application data of one or more records.
Record ReadRecord(int fd, uint8_t* into, size_t size);

// Bytes accepted (possibly fewer than given), or -errno.
int64_t Write(int fd, iovec* chunks, size_t count, bool more);

// Bytes accepted (all, but for a kernel out of memory), or -errno.
int64_t WriteRecord(int fd, uint8_t content_type, const uint8_t* fragment, size_t size);

struct FileProgress {
  // Bytes accepted, or -errno when none were.
  int64_t bytes;
  bool blocked;
  bool end_of_file;
};

// Bytes that a file has in the page cache at `offset`, 0 at its end; -EAGAIN where they would have to be waited for,
// -EOPNOTSUPP when its file system, or the kernel, knows no such reading.
int64_t ReadCached(int file, uint8_t* into, size_t size, int64_t offset);

FileProgress SendFile(int fd, int file, int64_t offset, uint64_t length);

}  // namespace ktls
