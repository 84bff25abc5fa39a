// The inner loops, one set per instruction set, chosen at run time.
//
// All work on lane layout: x[element * lanes + lane], lanes a multiple of kLaneStep. Every lane's
// result is the same chain of roundings in every set, so all sets give the same bits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vigor {

/// Batches are padded to a multiple of this many lanes: one AVX-512 register of floats.
inline constexpr int kLaneStep = 16;

/// The widest batch, and the most inputs of a golden block.
inline constexpr int kMostLanes = 1024;

/// At most this many rows of a weight matrix are worked on together.
inline constexpr int kRowBlock = 6;

/// A term of a sum, and its values in all lanes.
struct Tap {
  int64_t term;
  const float* values;
};

/// What the sums of rows r and lanes l start from: bias[r], or else rows[r * stride + l], or, with
/// `from`, rows[r * stride + from[l]], each row holding from_lanes floats.
struct SumStart {
  const float* bias;
  const float* rows;
  int64_t stride;
  const int32_t* from;
  int from_lanes;
};

/// What becomes of sums that are complete. `nan` (may be null): flags of the lanes, 1 is put where
/// a sum is NaN. `rectify`: max(0, sum) is stored, NaN and -0 as they are.
struct SumEnd {
  uint8_t* nan;
  bool rectify;
};

/// A row in the lanes of the batch, or a golden one.
struct RowRef {
  const float* values;
  bool golden;
};

/// A changed row, and the golden row of the same element.
struct RowPair {
  const float* changed;
  const float* golden;
};

/// What the logits of each lane say: see Answer (execute.h). `largest`: of their absolute values;
/// `masked`: 1 where all are the golden ones.
struct LaneAnswers {
  int32_t *top, *rank, *masked;
  float *margin, *largest;
};

struct Kernels {
  std::string_view name;

  /// out[r * out_stride + l] = bias[r] + sum over k of weights[k * rows + r] * x[offsets[k] * lanes
  /// + l]: a chain of fused multiply-adds in the order of k, for r < rows <= kRowBlock, l < lanes.
  /// Without bias (null) the chain goes on from what out holds.
  void (*multiply)(const float* weights, const float* bias, int rows, const float* x,
                   const int32_t* offsets, int64_t terms, float* out, int64_t out_stride,
                   int lanes);

  /// The same over a list of terms: out[r * out_stride + l] = start + sum over t of
  /// weights[taps[t].term * rows + r] * taps[t].values[l], ended as `end` says.
  void (*multiply_taps)(const float* weights, const SumStart& start, int rows, const Tap* taps,
                        int64_t count, int lanes, const SumEnd& end, float* out,
                        int64_t out_stride);

  /// y[i] = scale * x[i] + shift, fused.
  void (*scale_shift)(float scale, float shift, const float* x, float* y, int64_t count);

  /// y[i] = max(0, x[i]), NaN and -0 as they are.
  void (*rectify)(const float* x, float* y, int64_t count);

  /// y[i] = the greater of x[i] and y[i], NaN if either is (as PyTorch).
  void (*maximum)(const float* x, float* y, int64_t count);
  /// out[l] = the greatest of `start` and the rows, NaN if any is; golden ones as gather().
  void (*maximum_rows)(const RowRef* rows, size_t count, float start, const int32_t* from,
                       int from_lanes, int lanes, float* out);

  /// y[i] = x[i] + y[i]; y[i] = y[i] / divisor.
  void (*add)(const float* x, float* y, int64_t count);
  void (*divide)(float divisor, float* y, int64_t count);

  /// flags[l] = 1 where any of the rows, `stride` floats apart, holds a NaN in lane l; others are
  /// left alone.
  void (*find_nan)(const float* x, int64_t rows, int64_t stride, int lanes, uint8_t* flags);

  /// flags[l] = 1 where pairs[r].changed[l] and pairs[r].golden[from[l]] differ for any r (a NaN
  /// differs from everything), else 0; golden rows hold from_lanes floats.
  void (*find_different)(const RowPair* pairs, size_t count, const int32_t* from, int from_lanes,
                         int lanes, uint8_t* flags);

  /// Logits of a lane that hold no NaN, and golden ones, [classes][lanes]; at least one class.
  void (*read_answers)(const RowPair* logits, int64_t classes, const int32_t* golden_class,
                       int lanes, const LaneAnswers& out);

  /// out[r * stride + to[i]] = pairs[r].changed[from[i]] for every row r and i < lanes.
  void (*move_lanes)(const RowPair* pairs, size_t count, const int32_t* from, const int32_t* to,
                     int lanes, float* out, int64_t stride);

  /// out[l] = x[from[l]] for l < lanes; x holds from_lanes floats (a multiple of kLaneStep).
  void (*gather)(const float* x, int from_lanes, const int32_t* from, int lanes, float* out);

  /// out[l] = changed[l] - golden[from[l]].
  void (*difference)(const float* changed, const float* golden, int from_lanes, const int32_t* from,
                     int lanes, float* out);
};

/// The best set this machine has, or the one that the environment variable VIGOR_ISA names
/// (avx512, avx2, generic). Throws Error when that one is unknown or not available.
const Kernels& kernels();

/// All sets this machine can run, best first.
std::vector<const Kernels*> available_kernels();

/// Weights of a dense layer or convolution, in the order in which `multiply` reads them.
class PackedRows {
 public:
  /// Row r, term k at weights[r * row_stride + k * term_stride], times `factor`.
  PackedRows(const float* weights, int64_t rows, int64_t terms, int64_t row_stride,
             int64_t term_stride, float factor = 1.0F);

  struct Block {
    int64_t first;
    int rows;
    const float* weights;
  };
  int64_t rows() const { return rows_; }
  int64_t terms() const { return terms_; }
  float at(int64_t row, int64_t term) const {
    const auto [first, count, weights] = block(((row + 1) * blocks_ - 1) / rows_);
    return weights[term * count + row - first];
  }

  int64_t blocks() const { return blocks_; }
  Block block(int64_t index) const {
    const int64_t first = index * rows_ / blocks_;
    const int64_t next = (index + 1) * rows_ / blocks_;
    return {first, static_cast<int>(next - first), data_.data() + first * terms_};
  }

 private:
  int64_t rows_, terms_, blocks_;
  std::vector<float> data_;
};

}  // namespace vigor
