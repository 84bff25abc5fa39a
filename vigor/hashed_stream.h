// A stream of protobuf that hashes what is read: the content of a file and its hash by one reading.
#pragma once

#include <google/protobuf/io/zero_copy_stream.h>

#include <span>
#include <string>

#include "hash.h"

namespace vigor {

/// What is read from another stream, hashed on the way.
class HashedStream : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit HashedStream(ZeroCopyInputStream& in) : in_(in) {}

  bool Next(const void** data, int* size) override {
    take();
    const bool more = in_.Next(data, size);
    if (more) read_ = {static_cast<const char*>(*data), static_cast<size_t>(*size)};
    return more;
  }
  void BackUp(int count) override {
    read_ = read_.first(read_.size() - static_cast<size_t>(count));
    in_.BackUp(count);
  }
  bool Skip(int count) override {
    const void* data = nullptr;
    for (int size = 0; count > 0; count -= size) {
      if (!Next(&data, &size)) return false;
      if (size > count) {
        BackUp(size - count);
        return true;
      }
    }
    return true;
  }
  int64_t ByteCount() const override { return in_.ByteCount(); }

  /// Of all that was read. Call once.
  std::string hex() {
    take();
    return hash_.hex();
  }

 private:
  void take() {
    hash_.add(read_);
    read_ = {};
  }

  ZeroCopyInputStream& in_;
  Sha256 hash_;
  std::span<const char> read_;  // handed out, and not yet backed up
};

}  // namespace vigor
