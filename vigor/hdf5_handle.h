// RAII for HDF5 ids; its error stack becomes an Error. The library is serial: one thread at a time.
#pragma once

#include <hdf5.h>

#include <concepts>
#include <string>
#include <utility>

#include "error.h"

namespace vigor {

/// Why the last HDF5 call failed: the system's own words where it has some, else HDF5's.
std::string hdf5_reason();

/// Passes a result through; throws Error without a file name (callers add it) on a negative one.
template <std::signed_integral T>
T checked(T result) {
  if (result < 0) throw Error(hdf5_reason());
  return result;
}

/// Owns one id of any kind.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle(hid_t id, Close close) : id_(checked(id)), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }

  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

/// Keeps HDF5 from printing to stderr while it lives.
class QuietHdf5 {
 public:
  QuietHdf5() {
    H5dont_atexit();  // its clearing up is not quiet where memory ran out; files are closed by then
    H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietHdf5() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }
  QuietHdf5(const QuietHdf5&) = delete;
  QuietHdf5& operator=(const QuietHdf5&) = delete;

 private:
  H5E_auto2_t print_ = nullptr;
  void* data_ = nullptr;
};

}  // namespace vigor
