// What the kernel's socket diagnostics (netlink, as in `ss -i`) say about one TLS socket.
#pragma once

#include <cstdint>

namespace ktls {

struct UlpInfo {
  uint16_t version;
  uint16_t cipher;
  // TLS_CONF_*: 1 base (nothing set), 2 software, 3 device, 4 device handling whole records.
  uint16_t tx_conf;
  uint16_t rx_conf;
};

// 0; -EPERM when the kernel does not say (it wants CAP_NET_ADMIN, or has no tcp diagnostics); -errno.
int Diagnose(int fd, UlpInfo& info);

}  // namespace ktls
