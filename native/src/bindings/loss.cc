#include "../kernels/loss.h"

#include "extent.h"
#include "groups.h"

namespace vitrail {

namespace {

void checkLabels(const Arguments& arguments, const int32_t* labels, int64_t rows, int64_t classes) {
  for (int64_t row = 0; row < rows; row++) {
    if (labels[row] < 0 || labels[row] >= classes) {
      arguments.refuse("labels", std::to_string(labels[row]) + " of sample " + std::to_string(row) + " is not in [0, " +
                                     std::to_string(classes) + ")");
    }
  }
}

Napi::Value crossEntropy(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"logits",    "labels", "rows",    "classes",
                                            "smoothing", "losses", "dLogits", "predictions"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t rows = arguments.integer("rows", 0, int64_t{1} << 31);
    const int64_t classes = arguments.integer("classes", 1, int64_t{1} << 31);
    LossShape shape;
    shape.rows = static_cast<size_t>(rows), shape.classes = static_cast<size_t>(classes);
    shape.smoothing = arguments.number("smoothing");
    if (!(shape.smoothing >= 0 && shape.smoothing <= 1)) {
      arguments.refuse("smoothing", std::to_string(shape.smoothing) + " is not in [0, 1]");
    }
    const Array logits = arguments.floats("logits", product({rows, classes}));
    const Array labels = arguments.buffer("labels", rows, Storage::i32);
    const Array losses = arguments.buffer("losses", rows, Storage::f32);
    const Array dLogits = arguments.optional("dLogits", product({rows, classes}));
    const Array predictions = arguments.optional("predictions", rows, Storage::i32);
    // Labels on a GPU cannot be read here. Its kernel gives NaN for a sample with a wrong label.
    if (!kOnGpu) checkLabels(arguments, labels.as<int32_t>(), rows, classes);
    Instance& instance = arguments.instance();
    lossKernels(instance.level)
        .crossEntropy(instance.context(), shape, logits, labels.as<int32_t>(), losses.f32(), dLogits,
                      predictions.as<int32_t>());
    return arguments.env().Undefined();
  });
}

}  // namespace

void addLoss(Napi::Env env, Napi::Object exports) { exportFunction(env, exports, "crossEntropy", crossEntropy); }

}  // namespace vitrail
