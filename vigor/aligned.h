// Float arrays that start on a cache line, so that no vector of lanes straddles two.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace vigor {

/// As std::allocator, on 64-byte boundaries.
template <typename T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};

  AlignedAllocator() = default;
  template <typename U>
  AlignedAllocator(const AlignedAllocator<U>&) {}

  T* allocate(size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), kAlignment));
  }
  void deallocate(T* place, size_t) { ::operator delete(place, kAlignment); }
  bool operator==(const AlignedAllocator&) const = default;
};

using LaneFloats = std::vector<float, AlignedAllocator<float>>;

}  // namespace vigor
