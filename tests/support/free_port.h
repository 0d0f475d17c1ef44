// A port for a test that listens.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace unroll::testing {

/// A TCP port of the loopback interface that is free now.
inline int free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener, any, length), 0);
  EXPECT_EQ(::getsockname(listener, any, &length), 0);
  ::close(listener);
  return ntohs(address.sin_port);
}

}  // namespace unroll::testing
