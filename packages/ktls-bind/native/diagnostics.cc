#include "diagnostics.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "descriptor.h"
#include "uapi.h"

namespace ktls {

namespace {

struct Request {
  nlmsghdr header;
  inet_diag_req_v2 body;
};

// The socket's four-tuple; false for a family without ports.
bool Identify(int fd, inet_diag_req_v2& request) {
  const Address local = LocalAddress(fd);
  const Address remote = RemoteAddress(fd);
  if (local.size == 0 || remote.size == 0) return false;
  request.sdiag_family = static_cast<uint8_t>(local.storage.ss_family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = ~0U;
  // Upper layer protocols are described to those who ask for TCP's own info.
  request.idiag_ext = 1 << (INET_DIAG_INFO - 1);
  request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (local.storage.ss_family == AF_INET) {
    const auto& from = reinterpret_cast<const sockaddr_in&>(local.storage);
    const auto& to = reinterpret_cast<const sockaddr_in&>(remote.storage);
    request.id.idiag_sport = from.sin_port;
    request.id.idiag_dport = to.sin_port;
    memcpy(request.id.idiag_src, &from.sin_addr, sizeof from.sin_addr);
    memcpy(request.id.idiag_dst, &to.sin_addr, sizeof to.sin_addr);
    return true;
  }
  if (local.storage.ss_family != AF_INET6) return false;
  const auto& from = reinterpret_cast<const sockaddr_in6&>(local.storage);
  const auto& to = reinterpret_cast<const sockaddr_in6&>(remote.storage);
  request.id.idiag_sport = from.sin6_port;
  request.id.idiag_dport = to.sin6_port;
  request.id.idiag_if = to.sin6_scope_id;
  memcpy(request.id.idiag_src, &from.sin6_addr, sizeof from.sin6_addr);
  memcpy(request.id.idiag_dst, &to.sin6_addr, sizeof to.sin6_addr);
  return true;
}

// The attribute of a type among those that fill `size` bytes; null when it is not there.
const rtattr* Find(const rtattr* attribute, int size, uint16_t type) {
  for (; RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size)) {
    if ((attribute->rta_type & NLA_TYPE_MASK) == type) return attribute;
  }
  return nullptr;
}

const rtattr* Find(const rtattr* within, uint16_t type) {
  if (within == nullptr) return nullptr;
  return Find(static_cast<const rtattr*>(RTA_DATA(within)), static_cast<int>(RTA_PAYLOAD(within)), type);
}

uint16_t Number(const rtattr* within, uint16_t type) {
  uint16_t value = 0;
  const rtattr* attribute = Find(within, type);
  if (attribute != nullptr && RTA_PAYLOAD(attribute) >= sizeof value) memcpy(&value, RTA_DATA(attribute), sizeof value);
  return value;
}

}  // namespace

int Diagnose(int fd, UlpInfo& info) {
  Request request = {};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  struct stat self;
  if (fstat(fd, &self) < 0) return -errno;
  if (!Identify(fd, request.body)) return -ENOTCONN;

  Descriptor netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink.open()) return -EPERM;
  if (send(netlink.get(), &request, sizeof request, 0) < 0) return -EPERM;
  alignas(nlmsghdr) char answer[8192];
  // The kernel answers before send returns.
  const ssize_t n = recv(netlink.get(), answer, sizeof answer, MSG_DONTWAIT);
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (n < 0 || !NLMSG_OK(header, static_cast<size_t>(n)) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return -EPERM;

  if (header->nlmsg_len < NLMSG_LENGTH(sizeof(inet_diag_msg))) return -EPERM;
  const auto* message = static_cast<const inet_diag_msg*>(NLMSG_DATA(header));
  if (message->idiag_inode != static_cast<uint32_t>(self.st_ino)) return -EPERM;
  const auto* first = reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(message) + NLMSG_ALIGN(sizeof *message));
  const int size = static_cast<int>(header->nlmsg_len - NLMSG_LENGTH(sizeof *message));
  const rtattr* tls = Find(Find(first, size, kDiagUlpInfo), kUlpInfoTls);
  if (tls == nullptr) return -EPERM;
  info.version = Number(tls, kTlsInfoVersion);
  info.cipher = Number(tls, kTlsInfoCipher);
  info.tx_conf = Number(tls, kTlsInfoTxConf);
  info.rx_conf = Number(tls, kTlsInfoRxConf);
  return 0;
}

}  // namespace ktls
