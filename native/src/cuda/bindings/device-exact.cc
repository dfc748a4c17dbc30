// The exact reduction and the optimizers on buffers, in place of src/bindings/exact.cc.
#include <cmath>
#include <vector>

#include "../../bindings/groups.h"
#include "../../bindings/update-arguments.h"
#include "../kernels/exact/optimizer.h"
#include "../kernels/exact/reduction.h"

namespace vitrail {

namespace {

constexpr int64_t kMost = int64_t{1} << 40;

// The address of element `offset` of a buffer with at least offset + length elements. Null if length is 0, so
// that there is no arithmetic on the pointer.
template <typename T>
T* rangeOf(const Arguments& arguments, const char* name, int64_t offset, int64_t length, Storage storage) {
  const Array array = arguments.buffer(name, offset + length, storage);
  return length == 0 ? nullptr : array.as<T>() + offset;
}

// The common arguments of quantiseAdd and floatAdd.
struct Addition {
  explicit Addition(const Arguments& arguments)
      : offset(arguments.integer("offset", 0, kMost)), length(arguments.integer("length", 0, kMost)) {
    gradient = arguments.buffer("gradient", length, Storage::f32).f32();
    const int64_t slot = arguments.integer("slot", 0, kMost);
    statistics = arguments.buffer("statistics", 2 * slot + 2, Storage::i32).as<int32_t>() + 2 * slot;
  }
  size_t count() const { return static_cast<size_t>(length); }

  int64_t offset, length;
  const float* gradient;
  int32_t* statistics;
};

Napi::Value quantiseAdd(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"gradient", "sums",  "offset", "length",      "statistics",
                                            "slot",     "scale", "limit",  "microBatches"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Addition by(arguments);
    auto* sums = rangeOf<int32_t>(arguments, "sums", by.offset, by.length, Storage::i32);
    cuda::quantiseAdd(arguments.instance().context(), by.gradient, sums, by.count(), quantisationOf(arguments),
                      by.statistics);
    return arguments.env().Undefined();
  });
}

Napi::Value floatAdd(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"gradient", "sums", "offset", "length", "statistics", "slot"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Addition by(arguments);
    auto* sums = rangeOf<float>(arguments, "sums", by.offset, by.length, Storage::f32);
    cuda::floatAdd(arguments.instance().context(), by.gradient, sums, by.count(), by.statistics);
    return arguments.env().Undefined();
  });
}

// The ranges given by `offsets` and `lengths`, which must ascend, with up to two numbers for each.
class Ranges {
 public:
  Ranges(const Arguments& arguments, const char* first, const char* second = nullptr) {
    const std::vector<size_t> offsets = arguments.wholes("offsets", kMost),
                              lengths = arguments.wholes("lengths", kMost);
    if (lengths.size() != offsets.size()) arguments.refuse("lengths", "of another length than offsets");
    if (offsets.size() > INT32_MAX) arguments.refuse("offsets", "too many");
    list_.resize(offsets.size());
    for (size_t i = 0; i < list_.size(); i++) {
      // Two threads would work on elements that two ranges share.
      if (offsets[i] < end_)
        arguments.refuse("offsets", "range " + std::to_string(i) + " begins before the end of another");
      list_[i].offset = offsets[i], list_[i].length = lengths[i];
      end_ = offsets[i] + lengths[i];
    }
    for (const char* name : {first, second}) {
      if (name == nullptr) continue;
      const Array values = arguments.host(name, napi_float64_array);
      if (values.length != list_.size()) arguments.refuse(name, "of another length than offsets");
      for (size_t i = 0; i < list_.size(); i++)
        (name == first ? list_[i].first : list_[i].second) = values.as<double>()[i];
    }
  }

  const cuda::Range* data() const { return list_.data(); }
  int count() const { return static_cast<int>(list_.size()); }
  // The least length of the arrays.
  int64_t end() const { return static_cast<int64_t>(end_); }

 private:
  std::vector<cuda::Range> list_;
  size_t end_ = 0;
};

Napi::Value scaleGradient(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"source", "out", "offsets", "lengths", "scales", "squares"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Ranges ranges(arguments, "scales");
    const Array source = arguments.buffer("source", ranges.end());
    if (source.storage != Storage::i32 && source.storage != Storage::f32) {
      arguments.refuse("source", "not stored as i32 or f32");
    }
    const Array out = arguments.buffer("out", ranges.end(), Storage::f32);
    const Array squares = arguments.host("squares", napi_float64_array);
    if (squares.length != static_cast<size_t>(ranges.count())) {
      arguments.refuse("squares", "of another length than offsets");
    }
    if (ranges.count() == 0) return arguments.env().Undefined();
    const Context context = arguments.instance().context();
    const size_t bytes = squares.length * sizeof(double);
    Scratch sums(context.memory, bytes);
    cuda::scaleGradient(context, source.data, source.storage == Storage::i32, out.f32(), ranges.data(), ranges.count(),
                        sums.as<double>());
    context.device.copyOut(squares.data, sums.as<void>(), bytes);
    return arguments.env().Undefined();
  });
}

uint16_t* shadowOf(const Arguments& arguments, int64_t length) {
  return arguments.optional("shadow", length, Storage::bf16).as<uint16_t>();
}

Napi::Value adamUpdate(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {
      "weights",         "gradient", "expAvg", "expAvgSq",   "offsets",         "lengths",          "lr",
      "beta1",           "beta2",    "eps",    "clipFactor", "firstCorrection", "secondCorrection", "coupledDecays",
      "decoupledDecays", "shadow"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Ranges ranges(arguments, "coupledDecays", "decoupledDecays");
    const auto floats = [&](const char* name) { return arguments.buffer(name, ranges.end(), Storage::f32).f32(); };
    // Each tensor has decays of its own.
    const AdamUpdate by = adamOf(arguments, 0, 0);
    cuda::adamUpdate(arguments.instance().context(), floats("weights"), floats("gradient"), floats("expAvg"),
                     floats("expAvgSq"), ranges.data(), ranges.count(), by, shadowOf(arguments, ranges.end()));
    return arguments.env().Undefined();
  });
}

Napi::Value momentumUpdate(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"weights", "gradient", "momentumBuffer", "offsets",      "lengths",
                                            "lr",      "momentum", "clipFactor",     "weightDecays", "shadow"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Ranges ranges(arguments, "weightDecays");
    const auto floats = [&](const char* name) { return arguments.buffer(name, ranges.end(), Storage::f32).f32(); };
    const MomentumUpdate by = momentumOf(arguments, 0);
    cuda::momentumUpdate(arguments.instance().context(), floats("weights"), floats("gradient"),
                         floats("momentumBuffer"), ranges.data(), ranges.count(), by,
                         shadowOf(arguments, ranges.end()));
    return arguments.env().Undefined();
  });
}

Napi::Value averageUpdate(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"average", "weights", "offset", "length", "decay"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const int64_t offset = arguments.integer("offset", 0, kMost), length = arguments.integer("length", 0, kMost);
    auto* average = rangeOf<float>(arguments, "average", offset, length, Storage::f32);
    const auto* weights = rangeOf<float>(arguments, "weights", offset, length, Storage::f32);
    cuda::averageUpdate(arguments.instance().context(), average, weights, static_cast<size_t>(length),
                        arguments.number("decay"));
    return arguments.env().Undefined();
  });
}

}  // namespace

void addDeviceExact(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "quantiseAdd", quantiseAdd);
  exportFunction(env, exports, "floatAdd", floatAdd);
  exportFunction(env, exports, "scaleGradient", scaleGradient);
  exportFunction(env, exports, "adamUpdate", adamUpdate);
  exportFunction(env, exports, "momentumUpdate", momentumUpdate);
  exportFunction(env, exports, "averageUpdate", averageUpdate);
}

}  // namespace vitrail
