// libpng and libjpeg report errors by longjmp. So each function with setjmp here holds no object
// that needs a destructor, and the callers throw.
#include "image_decode.h"

#include <png.h>

#include <array>
#include <csetjmp>
#include <cstdio>
// jpeglib.h needs FILE and size_t declared before.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <memory>

#include "data_file.h"
#include "error.h"
#include "printable.h"

namespace vigor {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

using Message = std::array<char, JMSG_LENGTH_MAX>;

void copy_message(Message& to, const char* from) {
  size_t i = 0;
  for (; i + 1 < to.size() && from[i] != '\0'; ++i) to[i] = from[i];
  to[i] = '\0';
}

// One image file being read: the header on construction, then the pixels.
class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  // Both return false with message() set.
  virtual bool read_header(std::FILE* file) = 0;
  // `rows` points to size.height rows of size.width * channels bytes.
  virtual bool read_pixels(uint8_t** rows, int64_t channels) = 0;

  const ImageSize& size() const { return size_; }
  const char* message() const { return message_.data(); }

 protected:
  ImageSize size_;
  Message message_{};
};

class PngDecoder final : public Decoder {
 public:
  ~PngDecoder() override { png_destroy_read_struct(&png_, &info_, nullptr); }

  bool read_header(std::FILE* file) override {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ == nullptr) return false;
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) return false;
    png_init_io(png_, file);
    png_read_info(png_, info_);
    const bool colour = (png_get_color_type(png_, info_) & PNG_COLOR_MASK_COLOR) != 0;
    size_ = {colour ? 3 : 1, png_get_image_height(png_, info_), png_get_image_width(png_, info_)};
    return true;
  }

  bool read_pixels(uint8_t** rows, int64_t channels) override {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_set_expand(png_);
    png_set_scale_16(png_);
    png_set_strip_alpha(png_);
    if (channels == 3) png_set_gray_to_rgb(png_);
    (void)png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    if (png_get_rowbytes(png_, info_) != static_cast<size_t>(size_.width * channels)) {
      copy_message(message_, "unexpected kind of PNG");
      return false;
    }
    png_read_image(png_, rows);
    png_read_end(png_, nullptr);
    return true;
  }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    copy_message(static_cast<PngDecoder*>(png_get_error_ptr(png))->message_, text);
    png_longjmp(png, 1);
  }
  static void on_warning(png_structp /*png*/, png_const_charp /*text*/) {}

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

class JpegDecoder final : public Decoder {
 public:
  ~JpegDecoder() override {
    if (created_) jpeg_destroy_decompress(&jpeg_);
  }

  bool read_header(std::FILE* file) override {
    jpeg_.err = jpeg_std_error(&errors_);
    jpeg_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    if (setjmp(jump_) != 0) return false;
    jpeg_create_decompress(&jpeg_);
    created_ = true;
    jpeg_stdio_src(&jpeg_, file);
    (void)jpeg_read_header(&jpeg_, TRUE);
    if (jpeg_.num_components != 1 && jpeg_.num_components != 3) {
      copy_message(message_, "CMYK or other colours than grey and RGB");
      return false;
    }
    size_ = {jpeg_.num_components, jpeg_.image_height, jpeg_.image_width};
    return true;
  }

  bool read_pixels(uint8_t** rows, int64_t channels) override {
    if (setjmp(jump_) != 0) return false;
    jpeg_.out_color_space = channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    (void)jpeg_start_decompress(&jpeg_);
    while (jpeg_.output_scanline < jpeg_.output_height) {
      (void)jpeg_read_scanlines(&jpeg_, rows + jpeg_.output_scanline, 1);
    }
    (void)jpeg_finish_decompress(&jpeg_);
    return true;
  }

 private:
  [[noreturn]] static void on_error(j_common_ptr jpeg) {
    auto* self = static_cast<JpegDecoder*>(jpeg->client_data);
    jpeg->err->format_message(jpeg, self->message_.data());
    std::longjmp(self->jump_, 1);
  }
  // Of the warnings only missing data is an error: libjpeg would fill it with grey.
  static void on_message(j_common_ptr jpeg, int level) {
    const int code = jpeg->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(jpeg);
  }

  jpeg_decompress_struct jpeg_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf jump_{};
  bool created_ = false;
};

// The decoder for a file's first bytes, with the header read and the extent checked.
std::unique_ptr<Decoder> open_image(const std::string& name, std::FILE* file) {
  std::array<uint8_t, 8> magic{};
  const size_t got = std::fread(magic.data(), 1, magic.size(), file);
  std::rewind(file);
  std::unique_ptr<Decoder> decoder;
  if (got == magic.size() && png_sig_cmp(magic.data(), 0, magic.size()) == 0) {
    decoder = std::make_unique<PngDecoder>();
  } else if (magic[0] == 0xFF && magic[1] == 0xD8) {
    decoder = std::make_unique<JpegDecoder>();
  } else {
    fail(name, "got neither PNG nor JPEG data");
  }
  if (!decoder->read_header(file)) fail(name, "damaged image: {}", printable(decoder->message()));
  const ImageSize& size = decoder->size();
  if (size.height < 1 || size.width < 1 ||
      size.height > kMaxImageValues / size.channels / size.width) {
    fail(name, "got an image of {} by {}, expected at most {} values", size.height, size.width,
         kMaxImageValues);
  }
  return decoder;
}

File open_file(const std::filesystem::path& path) {
  const DataFile checked(path);
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) fail(checked.name(), "cannot be opened for reading");
  return file;
}

}  // namespace

ImageSize probe_image(const std::filesystem::path& path) {
  const File file = open_file(path);
  return open_image(path.string(), file.get())->size();
}

std::vector<uint8_t> decode_image(const std::filesystem::path& path, int64_t channels,
                                  ImageSize& size) {
  const std::string name = path.string();
  const File file = open_file(path);
  const std::unique_ptr<Decoder> decoder = open_image(name, file.get());
  size = decoder->size();
  if (channels < size.channels) fail(name, "got a colour image, expected grey as the first one");
  size.channels = channels;

  const int64_t row_bytes = size.width * channels;
  std::vector<uint8_t> bytes(static_cast<size_t>(size.height * row_bytes));
  std::vector<uint8_t*> rows(static_cast<size_t>(size.height));
  for (int64_t y = 0; y < size.height; ++y) {
    rows[static_cast<size_t>(y)] = bytes.data() + y * row_bytes;
  }
  if (!decoder->read_pixels(rows.data(), channels)) {
    fail(name, "damaged image: {}", printable(decoder->message()));
  }
  return bytes;
}

}  // namespace vigor
