// What the addon keeps for each environment (main thread or worker).
#pragma once

#include <napi.h>

#include <memory>

#include "watcher.h"

namespace ktls {

struct Instance {
  std::shared_ptr<Watchers> watchers;
  Napi::FunctionReference socket;
};

}  // namespace ktls
