// The exact reduction, the optimizers and the ring's sums, on typed arrays of JavaScript, which may be shared memory.
#include <vector>

#include "../kernels/exact/segment.h"
#include "groups.h"
#include "update-arguments.h"

namespace vitrail {

namespace {

constexpr int64_t kMost = int64_t{1} << 40;

// The elements [offset, offset + length) of typed arrays. The fields with these names give offset and length.
struct Range {
  explicit Range(const Arguments& from)
      : arguments(from), offset(from.integer("offset", 0, kMost)), length(from.integer("length", 0, kMost)) {}

  template <typename T> T* of(const char* name, napi_typedarray_type type) const {
    const Array array = arguments.host(name, type);
    if (static_cast<int64_t>(array.length) < offset + length) {
      arguments.refuse(
          name, std::to_string(array.length) + " elements where " + std::to_string(offset + length) + " are needed");
    }
    // Null for an array without elements, so that there is no arithmetic on its pointer.
    return length == 0 ? nullptr : array.as<T>() + offset;
  }
  float* floats(const char* name) const { return of<float>(name, napi_float32_array); }
  size_t count() const { return static_cast<size_t>(length); }

  const Arguments& arguments;
  int64_t offset;
  int64_t length;
};

Napi::Value resultOf(const Arguments& arguments, const Added& added) {
  Napi::Object result = Napi::Object::New(arguments.env());
  result.Set("maximum", static_cast<double>(added.maximum));
  result.Set("nonFinite", added.nonFinite);
  return result;
}

// { gradient, sums: Int32Array, offset, length, scale, limit, microBatches } -> { maximum, nonFinite }
Napi::Value quantiseAdd(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"gradient", "sums", "offset", "length", "scale", "limit", "microBatches"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Range range(arguments);
    const Array gradient = arguments.buffer("gradient", range.length, Storage::f32);
    int32_t* sums = range.of<int32_t>("sums", napi_int32_array);
    const Quantisation by = quantisationOf(arguments);
    Instance& instance = arguments.instance();
    const ReductionKernels& kernels = reductionKernels(instance.level);
    return resultOf(arguments, kernels.quantiseAdd(instance.context(), gradient.f32(), sums, range.count(), by));
  });
}

// { gradient, sums: Float32Array, offset, length } -> { maximum, nonFinite }
Napi::Value floatAdd(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"gradient", "sums", "offset", "length"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Range range(arguments);
    const Array gradient = arguments.buffer("gradient", range.length, Storage::f32);
    float* sums = range.floats("sums");
    Instance& instance = arguments.instance();
    const ReductionKernels& kernels = reductionKernels(instance.level);
    return resultOf(arguments, kernels.floatAdd(instance.context(), gradient.f32(), sums, range.count()));
  });
}

Napi::Value scaleGradient(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"source", "out", "offsets", "lengths", "scales", "squares"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Array source = arguments.hostWords("source"), out = arguments.host("out", napi_float32_array);
    const std::vector<size_t> offsets = arguments.wholes("offsets", kMost),
                              lengths = arguments.wholes("lengths", kMost);
    const Array scales = arguments.host("scales", napi_float64_array);
    const Array squares = arguments.host("squares", napi_float64_array);
    const size_t count = offsets.size();
    if (lengths.size() != count || scales.length != count || squares.length != count) {
      arguments.refuse("offsets", "of another length than lengths, scales or squares");
    }
    std::vector<ScaledTensor> tensors(count);
    for (size_t i = 0; i < count; i++) {
      tensors[i] = {offsets[i], lengths[i], scales.as<double>()[i]};
      const size_t end = tensors[i].offset + tensors[i].length;
      if (end > source.length) arguments.refuse("source", "shorter than a tensor needs");
      if (end > out.length) arguments.refuse("out", "shorter than a tensor needs");
    }
    Instance& instance = arguments.instance();
    reductionKernels(instance.level)
        .scaleGradient(instance.context(), source.data, source.storage == Storage::i32, out.f32(), tensors.data(),
                       static_cast<int>(tensors.size()), squares.as<double>());
    return arguments.env().Undefined();
  });
}

Napi::Value adamUpdate(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {
      "weights",       "gradient", "expAvg", "expAvgSq",   "offset",          "length",           "lr",
      "beta1",         "beta2",    "eps",    "clipFactor", "firstCorrection", "secondCorrection", "coupledDecay",
      "decoupledDecay"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Range range(arguments);
    const AdamUpdate by = adamOf(arguments, arguments.number("coupledDecay"), arguments.number("decoupledDecay"));
    Instance& instance = arguments.instance();
    optimizerKernels(instance.level)
        .adamUpdate(instance.context(), range.floats("weights"), range.floats("gradient"), range.floats("expAvg"),
                    range.floats("expAvgSq"), range.count(), by);
    return arguments.env().Undefined();
  });
}

Napi::Value momentumUpdate(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"weights", "gradient", "momentumBuffer", "offset",     "length",
                                            "lr",      "momentum", "clipFactor",     "weightDecay"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Range range(arguments);
    const MomentumUpdate by = momentumOf(arguments, arguments.number("weightDecay"));
    Instance& instance = arguments.instance();
    optimizerKernels(instance.level)
        .momentumUpdate(instance.context(), range.floats("weights"), range.floats("gradient"),
                        range.floats("momentumBuffer"), range.count(), by);
    return arguments.env().Undefined();
  });
}

Napi::Value averageUpdate(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"average", "weights", "decay"};
  return withArguments(info, kFields, [](const Arguments& arguments) {
    const Array average = arguments.host("average", napi_float32_array);
    const Array weights = arguments.host("weights", napi_float32_array);
    if (weights.length != average.length) arguments.refuse("weights", "of another length than average");
    Instance& instance = arguments.instance();
    optimizerKernels(instance.level)
        .averageUpdate(instance.context(), average.f32(), weights.f32(), average.length, arguments.number("decay"));
    return arguments.env().Undefined();
  });
}

// An array of whole words, of `bytes` bytes if that is not negative.
Array wordsOf(const Arguments& arguments, const char* name, int64_t bytes) {
  const Array array = arguments.host(name, napi_uint8_array);
  if (array.length % 4 != 0) arguments.refuse(name, std::to_string(array.length) + " bytes are no whole words");
  if (bytes >= 0 && array.length != static_cast<size_t>(bytes))
    arguments.refuse(name, "of another length than incoming");
  return array;
}

// { kind: 0 | 1, incoming, mine?, out: Uint8Array } -> { incoming, result }
Napi::Value addSegment(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"kind", "incoming", "mine", "out"};
  return withArguments(info, kFields, [](const Arguments& arguments) -> Napi::Value {
    const bool floats = arguments.integer("kind", 0, 1) == 1;
    const Array incoming = wordsOf(arguments, "incoming", -1);
    const auto bytes = static_cast<int64_t>(incoming.length);
    const Array out = wordsOf(arguments, "out", bytes);
    const SegmentKernels& kernels = segmentKernels(arguments.instance().level);
    SegmentSums sums;
    if (arguments.has("mine")) {
      const Array mine = wordsOf(arguments, "mine", bytes);
      const auto add = floats ? kernels.addFloats : kernels.addIntegers;
      sums = add(incoming.as<uint8_t>(), mine.as<uint8_t>(), out.as<uint8_t>(), incoming.length);
    } else {
      sums = kernels.copy(incoming.as<uint8_t>(), out.as<uint8_t>(), incoming.length);
    }
    Napi::Object result = Napi::Object::New(arguments.env());
    result.Set("incoming", static_cast<double>(sums.incoming));
    result.Set("result", static_cast<double>(sums.result));
    return result;
  });
}

// { bytes: Uint8Array } -> sum of its words
Napi::Value checksum(const Napi::CallbackInfo& info) {
  static constexpr const char* kFields[] = {"bytes"};
  return withArguments(info, kFields, [](const Arguments& arguments) -> Napi::Value {
    const Array bytes = wordsOf(arguments, "bytes", -1);
    const uint32_t sum = segmentKernels(arguments.instance().level).checksum(bytes.as<uint8_t>(), bytes.length);
    return Napi::Number::New(arguments.env(), static_cast<double>(sum));
  });
}

}  // namespace

void addExact(Napi::Env env, Napi::Object exports) {
  exportFunction(env, exports, "quantiseAdd", quantiseAdd);
  exportFunction(env, exports, "floatAdd", floatAdd);
  exportFunction(env, exports, "scaleGradient", scaleGradient);
  exportFunction(env, exports, "adamUpdate", adamUpdate);
  exportFunction(env, exports, "momentumUpdate", momentumUpdate);
  exportFunction(env, exports, "averageUpdate", averageUpdate);
  exportFunction(env, exports, "addSegment", addSegment);
  exportFunction(env, exports, "checksum", checksum);
}

}  // namespace vitrail
