// Where there is no Linux there is no kernel TLS: an addon without exports, which src/load.ts reports as absence.
#include <node_api.h>

NAPI_MODULE_INIT() {
  static_cast<void>(env);
  return exports;
}
