#include "hash.h"

#include <openssl/evp.h>

#include <array>

#include "error.h"

namespace vigor {

namespace {
EVP_MD_CTX* md(const auto& context) { return static_cast<EVP_MD_CTX*>(context.get()); }
}  // namespace

void Sha256::Free::operator()(void* context) const {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context));
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (!context_ || EVP_DigestInit_ex(md(context_), EVP_sha256(), nullptr) != 1) {
    fail("sha256", "OpenSSL offers no SHA-256");
  }
}

void Sha256::add(std::span<const char> bytes) {
  if (EVP_DigestUpdate(md(context_), bytes.data(), bytes.size()) != 1) {
    fail("sha256", "OpenSSL failed");
  }
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_DigestFinal_ex(md(context_), digest.data(), &size) != 1) {
    fail("sha256", "OpenSSL failed");
  }
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

}  // namespace vigor
