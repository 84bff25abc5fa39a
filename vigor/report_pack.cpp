#include "report_pack.h"

#include <zlib.h>

#include <new>
#include <span>

#include "error.h"

namespace vigor {

namespace {

std::string gzip(std::string_view bytes) {
  constexpr int kGzip = 16, kMemory = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzip, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  std::string packed;
  std::vector<char> buffer(size_t{1} << 16);
  const auto feed = [&](std::string_view part, int flush) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = static_cast<uInt>(buffer.size());
      deflate(&stream, flush);
      packed.append(buffer.data(), buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  };
  constexpr size_t kPart = size_t{1} << 24;  // zlib counts in 32 bits
  for (; bytes.size() > kPart; bytes.remove_prefix(kPart)) feed(bytes.substr(0, kPart), Z_NO_FLUSH);
  feed(bytes, Z_FINISH);
  deflateEnd(&stream);
  return packed;
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

}  // namespace

void ReportPack::add(const std::string& name, char kind, size_t size, std::string_view bytes) {
  directory_ +=
      fmt::format(R"({}"{}":{{"type":"{}{}","at":{},"count":{}}})", directory_.empty() ? "" : ",",
                  name, kind, size, bytes_.size(), bytes.size() / size);
  for (size_t plane = 0; plane < size; ++plane) {
    for (size_t at = plane; at < bytes.size(); at += size) bytes_ += bytes[at];
  }
}

std::string ReportPack::text(std::string_view json) const {
  const std::string head = fmt::format(R"({{"arrays":{{{}}},"content":{}}})", directory_, json);
  const auto length = static_cast<uint32_t>(head.size());
  std::string all(reinterpret_cast<const char*>(&length), sizeof length);
  all += head;
  all += bytes_;
  return base64(gzip(all));
}

}  // namespace vigor
