#include <unroll/distributed/address.h>

#include <fmt/format.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <memory>

#include <unroll/base/descriptor.h>
#include <unroll/train/ranks.h>

namespace unroll {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

/// A list, which is null if there are none.
Addresses resolve(const std::string& host, const char* port, int socket_type) {
  addrinfo hints{};
  hints.ai_socktype = socket_type;
  addrinfo* found = nullptr;
  const bool is_known = ::getaddrinfo(host.c_str(), port, &hints, &found) == 0;
  return {is_known ? found : nullptr, &::freeaddrinfo};
}

Descriptor open_socket(const addrinfo& address) {
  return Descriptor(::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, 0));
}

}  // namespace

std::string address_towards(const std::string& host, std::int64_t port) {
  // Connecting a socket of datagrams sends nothing.
  const Addresses addresses = resolve(host, std::to_string(port).c_str(), SOCK_DGRAM);
  if (!addresses) {
    throw RankError(fmt::format("MASTER_ADDR {} has no address", host));
  }
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    const Descriptor connection = open_socket(*address);
    sockaddr_storage own{};
    socklen_t length = sizeof(own);
    auto* own_address = reinterpret_cast<sockaddr*>(&own);
    std::array<char, NI_MAXHOST> text{};
    if (::connect(connection.get(), address->ai_addr, address->ai_addrlen) == 0 &&
        ::getsockname(connection.get(), own_address, &length) == 0 &&
        ::getnameinfo(own_address, length, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) ==
            0) {
      return text.data();
    }
  }
  throw RankError(fmt::format("no network reaches MASTER_ADDR {}", host));
}

bool is_own_address(const std::string& host) {
  const Addresses addresses = resolve(host, nullptr, SOCK_STREAM);
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    const Descriptor listener = open_socket(*address);
    if (::bind(listener.get(), address->ai_addr, address->ai_addrlen) == 0) {
      return true;
    }
  }
  return false;
}

bool has_interface(const std::string& name) {
  ifaddrs* found = nullptr;
  if (::getifaddrs(&found) != 0) {
    return false;
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> addresses(found, &::freeifaddrs);
  for (const ifaddrs* address = found; address != nullptr; address = address->ifa_next) {
    const bool is_internet =
        address->ifa_addr != nullptr &&
        (address->ifa_addr->sa_family == AF_INET || address->ifa_addr->sa_family == AF_INET6);
    if (is_internet && name == address->ifa_name) {
      return true;
    }
  }
  return false;
}

}  // namespace unroll
