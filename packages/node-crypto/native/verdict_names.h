// Names of X509_V_* codes.
#pragma once

#include <string>

namespace tls13 {

// E.g. CERT_HAS_EXPIRED; a code newer than the headers keeps its number: X509_V_ERR_95.
std::string NameOfVerdict(int code);

}  // namespace tls13
