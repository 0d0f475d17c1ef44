// Which network addresses are this host's.
#pragma once

#include <cstdint>
#include <string>

namespace unroll {

/// The address of this host, as text, from which a packet would go to another.
/// @throws RankError if there is no way to it
std::string address_towards(const std::string& host, std::int64_t port);

/// Whether a program could listen there, on some port.
bool is_own_address(const std::string& host);

/// Whether a network interface of this host has that name, and an address.
bool has_interface(const std::string& name);

}  // namespace unroll
