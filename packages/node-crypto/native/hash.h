// What other parts of the addon need of the hashes of TLS 1.3.
#pragma once

#include "common.h"

#include <string_view>

namespace tls13 {

enum class HashName { kSha256, kSha384 };

// Throws a RangeError for another name.
HashName FindHash(Napi::Value name);

// HKDF-Expand-Label with an empty context (§7.1) into `out`, which is no longer than the hash; `label` without "tls13 ".
bool HkdfExpandLabel(HashName hash, Bytes secret, std::string_view label, Bytes out);

}  // namespace tls13
