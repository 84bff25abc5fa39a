#include "sealed_file.h"

#include <vector>

#include "partial_file.h"
#include "seal.h"

namespace vigor {

namespace {

// The HDF5 part, made in memory: HDF5 does not survive a full disk. In its earliest format, since
// H5Fget_file_image (1.10.8) breaks the checksum of later superblocks; tracking the order of
// attributes lets them exceed 64 KiB all the same.
std::vector<char> image_of(const std::function<void(const Hdf5Group& root)>& put) {
  constexpr size_t kGrowth = size_t{1} << 20;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  checked(H5Pset_fapl_core(access, kGrowth, false));
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  checked(H5Pset_obj_track_times(creation, false));
  checked(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  checked(H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  const Handle file(H5Fcreate("run", H5F_ACC_TRUNC, creation, access), H5Fclose);
  const Hdf5Group root = Hdf5Group::root(file);
  put(root);
  root.put("finished", int32_t{1});
  checked(H5Fflush(file, H5F_SCOPE_GLOBAL));
  std::vector<char> image(static_cast<size_t>(checked(H5Fget_file_image(file, nullptr, 0))));
  checked(H5Fget_file_image(file, image.data(), image.size()));
  return image;
}

}  // namespace

void write_sealed(const std::filesystem::path& file,
                  const std::function<void(const Hdf5Group& root)>& put) {
  const QuietHdf5 quiet;
  try {
    PartialFile partial(file);  // first: a place that cannot be written is known at once
    const std::vector<char> image = image_of(put);
    partial.write(make_seal(image));
    partial.write(image);
    partial.finish();
  } catch (const Error& error) {
    fail(file.string(), "cannot be written: {}", error.what());
  }
}

void read_sealed(const std::filesystem::path& file,
                 const std::function<void(const Hdf5Group& root)>& get) {
  const QuietHdf5 quiet;
  check_seal(file);
  try {
    const Handle handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, 0), H5Fclose);
    get(Hdf5Group::root(handle));
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with("[" + file.string() + "]")) throw;
    fail(file.string(), "damaged run file: {}", error.what());
  }
}

}  // namespace vigor
