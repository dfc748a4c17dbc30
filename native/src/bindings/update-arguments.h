// The numeric arguments of sums and updates, the same for arrays of JavaScript and of a GPU.
#pragma once
#include "../kernels/exact/optimizer.h"
#include "../kernels/exact/reduction.h"
#include "arguments.h"

namespace vitrail {

inline Quantisation quantisationOf(const Arguments& arguments) {
  Quantisation by;
  by.scale = arguments.number("scale");
  by.limit = static_cast<double>(arguments.integer("limit", 0, INT32_MAX));
  by.microBatches = static_cast<double>(arguments.integer("microBatches", 1, INT32_MAX));
  return by;
}

inline AdamUpdate adamOf(const Arguments& arguments, double coupledDecay, double decoupledDecay) {
  const auto number = [&](const char* name) { return arguments.number(name); };
  return {number("lr"),
          number("beta1"),
          number("beta2"),
          number("eps"),
          number("clipFactor"),
          number("firstCorrection"),
          number("secondCorrection"),
          coupledDecay,
          decoupledDecay};
}

inline MomentumUpdate momentumOf(const Arguments& arguments, double weightDecay) {
  return {arguments.number("lr"), arguments.number("momentum"), arguments.number("clipFactor"), weightDecay};
}

}  // namespace vitrail
