// A reference to a callable that outlives the call it is passed to: no allocation, unlike std::function.
#pragma once

namespace vitrail {

template <typename Signature> class FunctionRef;

template <typename R, typename... Arguments> class FunctionRef<R(Arguments...)> {
 public:
  template <typename F> FunctionRef(const F& callable)  // NOLINT: implicit, so that a lambda can be passed
      : object_(&callable), call_([](const void* object, Arguments... arguments) -> R {
          return (*static_cast<const F*>(object))(arguments...);
        }) {}

  R operator()(Arguments... arguments) const { return call_(object_, arguments...); }

 private:
  const void* object_;
  R (*call_)(const void*, Arguments...);
};

}  // namespace vitrail
