#include "../kernels/gemm.h"

#include "arguments.h"
#include "groups.h"

namespace vitrail {

namespace {

// The limit of sizes, so that no product of two of them overflows.
constexpr int64_t kMost = int64_t{1} << 30;

// The number of elements from the first to the last of a matrix, both included.
int64_t extent(int64_t rows, int64_t columns, int64_t stride) {
  return rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns;
}

struct Layout {
  int64_t rows, columns, lead, stride;
  int64_t length;
};

// The strides of a stored [rows, columns] matrix, and of the batch that it belongs to.
Layout layout(const Arguments& arguments, const char* lead, const char* stride, int64_t rows, int64_t columns,
              int64_t batch) {
  Layout result{rows, columns, 0, 0, 0};
  result.lead = arguments.integerOr(lead, columns, columns, kMost);
  const int64_t one = extent(rows, columns, result.lead);
  if (rows > 0 && result.lead > (int64_t{1} << 60) / rows) arguments.refuse(lead, "too large");
  result.stride = arguments.integerOr(stride, rows * columns, 0, int64_t{1} << 40);
  if (batch > 1 && result.stride > (int64_t{1} << 60) / batch) arguments.refuse(stride, "too large");
  result.length = batch == 0 || one == 0 ? 0 : (batch - 1) * result.stride + one;
  return result;
}

// Two threads must not write the same element. So matrices come one after the other, or side by side in the
// same rows.
void checkApart(const Arguments& arguments, const Layout& c, int64_t batch) {
  const bool follow = c.stride >= extent(c.rows, c.columns, c.lead);
  const bool beside = c.stride >= c.columns && (batch - 1) * c.stride + c.columns <= c.lead;
  if (batch > 1 && !follow && !beside) arguments.refuse("strideC", "the results overlap");
}

void checkEpilogue(const Arguments& arguments, const GemmTask& task) {
  const bool more = task.bias != nullptr || task.activation != Activation::none || task.preActivation ||
                    task.residual || task.dropout.active();
  if (task.accumulate && more) arguments.refuse("accumulate", "not together with anything after the product");
  if (task.dropout.active() && (task.batch != 1 || task.ldc != task.n)) {
    arguments.refuse("dropout", "only for one dense matrix");
  }
  if (task.rowSumsOfA != nullptr && task.batch != 1) arguments.refuse("rowSumsOfA", "only for one matrix");
  if (task.c && (task.a.data == task.c.data || task.b.data == task.c.data)) {
    arguments.refuse("c", "is an operand of the product too");
  }
  if (task.preActivation && (task.preActivation.data == task.c.data || task.preActivation.data == task.residual.data)) {
    arguments.refuse("preActivation", "is c or residual too");
  }
}

Array likeC(const Arguments& arguments, const char* name, const Array& c, int64_t length) {
  return arguments.optional(name, length, c.storage);
}

// The fields of the interface Gemm in src/kernels/kernel-api/gemm.ts.
Napi::Value gemm(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {
      "a",          "b",          "c",          "m",    "n",    "k",          "batch",
      "transposeA", "transposeB", "lda",        "ldb",  "ldc",  "strideA",    "strideB",
      "strideC",    "alpha",      "accumulate", "bf16", "bias", "activation", "preActivation",
      "residual",   "dropout",    "rowSumsOfA"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    GemmTask task;
    task.m = arguments.integer("m", 0, kMost);
    task.n = arguments.integer("n", 0, kMost);
    task.k = arguments.integer("k", 0, kMost);
    task.batch = arguments.integerOr("batch", 1, 0, kMost);
    task.transposeA = arguments.flag("transposeA");
    task.transposeB = arguments.flag("transposeB");
    const int64_t m = task.m, n = task.n, k = task.k, batch = task.batch;
    const Layout a = task.transposeA ? layout(arguments, "lda", "strideA", k, m, batch)
                                     : layout(arguments, "lda", "strideA", m, k, batch);
    const Layout b = task.transposeB ? layout(arguments, "ldb", "strideB", n, k, batch)
                                     : layout(arguments, "ldb", "strideB", k, n, batch);
    const Layout c = layout(arguments, "ldc", "strideC", m, n, batch);
    checkApart(arguments, c, batch);
    task.a = arguments.floats("a", a.length);
    task.b = arguments.floats("b", b.length);
    task.c = arguments.floats("c", c.length);
    task.lda = a.lead, task.ldb = b.lead, task.ldc = c.lead;
    task.strideA = a.stride, task.strideB = b.stride, task.strideC = c.stride;
    task.alpha = static_cast<float>(arguments.numberOr("alpha", 1));
    task.accumulate = arguments.flag("accumulate");
    task.bf16 = arguments.flag("bf16");
    task.bias = arguments.optional("bias", n, Storage::f32).f32();
    task.activation = static_cast<Activation>(arguments.integerOr("activation", 0, 0, 2));
    task.preActivation = likeC(arguments, "preActivation", task.c, c.length);
    task.residual = likeC(arguments, "residual", task.c, c.length);
    task.dropout = arguments.dropout("dropout");
    task.rowSumsOfA = arguments.optional("rowSumsOfA", m, Storage::f32).f32();
    checkEpilogue(arguments, task);
    Instance& instance = arguments.instance();
    gemmKernels(instance.level).gemm(instance.context(), task);
    return arguments.env().Undefined();
  });
}

}  // namespace

void addGemm(Napi::Env env, Napi::Object exports) { exportFunction(env, exports, "gemm", gemm); }

}  // namespace vitrail
