"""Two hosts on one machine: network namespaces that a pair of virtual Ethernet devices joins. Needs root."""

import contextlib
import os
import pathlib
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """Where a rank runs; `namespace` is none for this machine as it is, and `name` for its own name."""

    address: str
    namespace: str | None = None
    device: str | None = None
    name: str | None = None

    def command(self, words: Sequence[str]) -> list[str]:
        place = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        renamed = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.name] if self.name else []
        return [*place, *renamed, *words]


LOOPBACK = Host("127.0.0.1")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def why_not() -> str | None:
    """Why there can be no such hosts here; none if there can."""
    try:
        with two_hosts():
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{error} {getattr(error, 'stderr', '') or ''}".strip()


@contextlib.contextmanager
def two_hosts(shape: Sequence[str] = ()) -> Iterator[list[Host]]:
    """Two hosts with a link of their own; `shape` is a queueing discipline of tc for each end of it."""
    names = [f"unroll-{os.getpid()}-{end}" for end in "ab"]
    hosts = [Host(f"10.117.0.{end + 1}", names[end], f"veth-{'ab'[end]}") for end in (0, 1)]
    try:
        for name in names:
            ip("netns", "add", name)
        ip("-n", names[0], "link", "add", hosts[0].device, "type", "veth", "peer", "name", hosts[1].device,
           "netns", names[1])
        for host in hosts:
            ip("-n", host.namespace, "addr", "add", f"{host.address}/24", "dev", host.device)
            ip("-n", host.namespace, "link", "set", "lo", "up")
            ip("-n", host.namespace, "link", "set", host.device, "up")
            if shape:
                subprocess.run(host.command(["tc", "qdisc", "add", "dev", host.device, "root", *shape]), check=True,
                               capture_output=True, text=True)
        yield hosts
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_ranks(words: Sequence[str], hosts: Sequence[Host], folder: pathlib.Path) -> list[subprocess.Popen]:
    """Starts a program as one rank on each of the hosts, of which the first is the master."""
    port = free_port()
    return [
        subprocess.Popen(host.command(words), cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env={**os.environ, "WORLD_SIZE": str(len(hosts)), "RANK": str(rank),
                              "MASTER_ADDR": hosts[0].address, "MASTER_PORT": str(port)})
        for rank, host in enumerate(hosts)
    ]
