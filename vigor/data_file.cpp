#include "data_file.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "error.h"

namespace vigor {
namespace {

constexpr uint64_t kChunk = uint64_t{1} << 24;
constexpr uint64_t kMaxTextBytes = uint64_t{1} << 24;

struct CloseGzip {
  void operator()(gzFile file) const { gzclose_r(file); }
};
using Gzip = std::unique_ptr<gzFile_s, CloseGzip>;

[[noreturn]] void fail_gzip(gzFile file, const std::string& name) {
  int code = Z_OK;
  const std::string message = gzerror(file, &code);
  fail(name, "damaged or truncated gzip data: {}", message.empty() ? "early end" : message);
}

// Appends up to `count` bytes; grows with what is really there, not with what was announced.
void append(gzFile file, const std::string& name, uint64_t count, std::vector<uint8_t>& bytes) {
  while (count > 0) {
    const uint64_t chunk = std::min(count, kChunk);
    const size_t before = bytes.size();
    bytes.resize(before + chunk);
    const int got = gzread(file, bytes.data() + before, static_cast<unsigned>(chunk));
    bytes.resize(before + static_cast<size_t>(std::max(got, 0)));
    if (got < 0) fail_gzip(file, name);
    if (got == 0) break;
    count -= static_cast<uint64_t>(got);
  }
  int code = Z_OK;
  gzerror(file, &code);
  if (code != Z_OK) fail_gzip(file, name);
}

}  // namespace

uint64_t checked_bytes(uint64_t a, uint64_t b, const std::string& where) {
  if (b != 0 && a > kMaxDataBytes / b) {
    fail(where, "got an array of more than {} GiB, expected less", kMaxDataBytes >> 30);
  }
  return a * b;
}

DataFile::DataFile(const std::filesystem::path& path) : name_(path.string()) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    fail(name_, "{}", std::filesystem::exists(path, error) ? "not a regular file" : "no such file");
  }
  size_ = std::filesystem::file_size(path, error);
  stream_.open(path, std::ios::binary);
  if (error || !stream_) fail(name_, "cannot be opened for reading");
}

std::vector<uint8_t> DataFile::read(uint64_t offset, uint64_t count) {
  if (offset > size_ || count > size_ - offset) {
    fail(name_, "truncated: got {} bytes, expected {} more from byte {}", size_, count, offset);
  }
  std::vector<uint8_t> bytes(count);
  stream_.clear();
  stream_.seekg(static_cast<std::streamoff>(offset));
  stream_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (!stream_) fail(name_, "cannot be read at byte {}", offset);
  return bytes;
}

std::vector<uint8_t> read_announced(
    const std::filesystem::path& path, uint64_t header_bytes,
    const std::function<uint64_t(const std::vector<uint8_t>&)>& total_bytes) {
  const DataFile probe(path);
  const std::string& name = probe.name();
  const Gzip file(gzopen(path.c_str(), "rb"));
  if (!file) fail(name, "cannot be opened for reading");

  std::vector<uint8_t> bytes;
  append(file.get(), name, header_bytes, bytes);
  if (bytes.size() < header_bytes) {
    fail(name, "truncated: got {} bytes, expected a header of {}", bytes.size(), header_bytes);
  }
  const uint64_t total = total_bytes(bytes);
  const bool plain = gzdirect(file.get()) != 0;
  if (plain ? total != probe.size() : total / kMaxDeflateRatio > probe.size()) {
    fail(name, "got {} bytes{}, its header announces {}", probe.size(), plain ? "" : " of gzip",
         total);
  }
  append(file.get(), name, total - bytes.size(), bytes);
  if (bytes.size() < total) {
    fail(name, "truncated: got {} bytes, its header announces {}", bytes.size(), total);
  }
  // Reading on also makes zlib verify the checksum.
  append(file.get(), name, 1, bytes);
  if (bytes.size() > total) fail(name, "got more than the {} bytes its header announces", total);
  return bytes;
}

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  DataFile file(path);
  if (file.size() > kMaxTextBytes) {
    fail(file.name(), "got {} bytes, expected a text file of at most {}", file.size(),
         kMaxTextBytes);
  }
  std::vector<std::string> lines(1);
  for (const uint8_t byte : file.read(0, file.size())) {
    if (byte == '\n') {
      lines.emplace_back();
    } else if (byte < ' ' && byte != '\t' && byte != '\r') {
      fail(file.name(), "got control character {} in line {}, expected text", byte, lines.size());
    } else if (byte != '\r') {
      lines.back() += static_cast<char>(byte);
    }
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

}  // namespace vigor
