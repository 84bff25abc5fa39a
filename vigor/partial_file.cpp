#include "partial_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "error.h"

namespace vigor {

namespace {

// Throws the system's reason unless a call succeeded.
void check_call(bool success) {
  if (!success) throw Error(std::generic_category().message(errno));
}

}  // namespace

PartialFile::PartialFile(const std::filesystem::path& file)
    : file_(file), partial_(file.string() + ".partial"), descriptor_(-1) {
  std::error_code ignored;
  const auto status = std::filesystem::status(file, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Error("is not a regular file");
  }
  descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  check_call(descriptor_ >= 0);
}

PartialFile::~PartialFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!partial_.empty()) ::unlink(partial_.c_str());
}

void PartialFile::write(std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    check_call(written >= 0);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void PartialFile::finish() {
  check_call(::fsync(descriptor_) == 0);
  check_call(::close(std::exchange(descriptor_, -1)) == 0);
  check_call(std::rename(partial_.c_str(), file_.c_str()) == 0);
  partial_.clear();
  // The new name itself; not every system can.
  const std::string folder = file_.parent_path().string();
  const int opened = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0) return;
  ::fsync(opened);
  ::close(opened);
}

void write_whole(const std::filesystem::path& file, std::span<const char> content) {
  try {
    PartialFile partial(file);
    partial.write(content);
    partial.finish();
  } catch (const Error& error) {
    fail(file.string(), "cannot be written: {}", error.what());
  }
}

}  // namespace vigor
