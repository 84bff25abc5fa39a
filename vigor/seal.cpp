#include "seal.h"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <vector>

#include "error.h"
#include "hash.h"

namespace vigor {

namespace {

constexpr std::string_view kFirstLine = "vigor run file\n";

std::string seal_text(uintmax_t bytes, const std::string& sha256) {
  std::string seal = fmt::format("{}bytes {}\nsha256 {}\n", kFirstLine, bytes, sha256);
  seal.resize(kSealBytes, '\0');
  return seal;
}

}  // namespace

std::string make_seal(std::span<const char> content) {
  Sha256 hash;
  hash.add(content);
  return seal_text(content.size(), hash.hex());
}

void check_seal(const std::filesystem::path& file) {
  const std::string name = file.string();
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (std::filesystem::is_fifo(status)) fail(name, "not a vigor run file");  // would wait
  std::ifstream in(file, std::ios::binary);
  if (!in) fail(name, "cannot be read: {}", std::generic_category().message(errno));
  std::string seal(kSealBytes, '\0');
  in.read(seal.data(), kSealBytes);
  const auto got = static_cast<size_t>(in.gcount());
  if (!seal.starts_with(kFirstLine)) fail(name, "not a vigor run file");
  if (got < kSealBytes) fail(name, "truncated");

  Sha256 hash;
  uintmax_t bytes = 0;
  std::vector<char> block(size_t{1} << 20);
  while (in) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash.add({block.data(), static_cast<size_t>(in.gcount())});
    bytes += static_cast<uintmax_t>(in.gcount());
  }
  if (in.bad()) fail(name, "cannot be read: {}", std::generic_category().message(errno));
  if (seal == seal_text(bytes, hash.hex())) return;
  const bool same_length = seal.find(fmt::format("\nbytes {}\n", bytes)) != std::string::npos;
  fail(name, "{}", same_length ? "damaged: its checksum differs" : "truncated, or damaged");
}

}  // namespace vigor
