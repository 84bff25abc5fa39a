#include "partial_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
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

// Opened and locked under its name, which another process may take away meanwhile. No link is
// followed: in a folder of others it could lead anywhere.
int open_locked(const std::string& name) {
  for (;;) {
    const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == ELOOP) throw Error(name + " is a link");
    check_call(descriptor >= 0);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      ::close(descriptor);
      throw Error("another process is writing it");
    }
    struct stat opened {
    }, named{};
    if (::fstat(descriptor, &opened) == 0 && ::lstat(name.c_str(), &named) == 0 &&
        opened.st_ino == named.st_ino && opened.st_dev == named.st_dev) {
      return descriptor;
    }
    ::close(descriptor);
  }
}

}  // namespace

std::filesystem::path written_file(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (error && status.type() != std::filesystem::file_type::not_found) {
    throw Error(error.message());
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Error("is not a regular file");
  }
  if (!std::filesystem::is_symlink(std::filesystem::symlink_status(file, error))) return file;
  auto target = std::filesystem::canonical(file, error);
  if (error) throw Error("is a link that leads to no file");
  return target;
}

PartialFile::PartialFile(const std::filesystem::path& file)
    : file_(written_file(file)), descriptor_(open_locked(file_.string() + ".partial")) {
  partial_ = file_.string() + ".partial";
  if (::ftruncate(descriptor_, 0) == 0) return;
  const int reason = errno;
  ::close(descriptor_);
  throw Error(std::generic_category().message(reason));
}

PartialFile::~PartialFile() {
  if (!partial_.empty()) ::unlink(partial_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);  // and only then unlocked
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
  check_call(std::rename(partial_.c_str(), file_.c_str()) == 0);
  partial_.clear();
  check_call(::close(std::exchange(descriptor_, -1)) == 0);
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
