"""A name server of the test's own. libresolv asks whom /etc/resolv.conf names, at port 53, so the
program moves into a network and a mount namespace where both are its own; mongod starts there too.
"""

import contextlib
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

ADDRESS = "127.0.0.1"
INSIDE = "LEAT_OWN_NETWORK"
SKIPPED = 77
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def enter_own_network() -> None:
    """Begins the program anew inside; ends it as skipped where the kernel does not let it."""
    if INSIDE not in os.environ:
        own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
        enter = ["unshare", "--mount", "--net", *own_user]
        if subprocess.run([*enter, "true"]).returncode != 0:
            print("a name server of one's own needs namespaces", file=sys.stderr)
            sys.exit(SKIPPED)
        os.execvpe(enter[0], [*enter, sys.executable, *sys.argv], os.environ | {INSIDE: "1"})
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "resolv.conf"
        file.write_text(f"nameserver {ADDRESS}\noptions timeout:1 attempts:1\n")
        subprocess.run(["mount", "--bind", file, "/etc/resolv.conf"], check=True)


class NameServer:
    """Answers from `records`, {(name, type): [texts]}; what has no record does not exist. With
    `is_failing` it cannot tell at the moment."""

    def __init__(self):
        self.records: dict[tuple[str, str], list[str]] = {}
        self.is_failing = False
        self.asked = 0

    @contextlib.contextmanager
    def serving(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind((ADDRESS, 53))
            server = threading.Thread(target=self._serve, args=[listener])
            server.start()
            try:
                yield self
            finally:
                listener.sendto(b"", (ADDRESS, 53))
                server.join()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            query, peer = listener.recvfrom(4096)
            if not query:
                return
            self.asked += 1
            listener.sendto(self._answer(dns.message.from_wire(query)).to_wire(), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        name, kind = question.name.to_text(), dns.rdatatype.to_text(question.rdtype)
        if self.is_failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif texts := self.records.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(name, 1, "IN", kind, *texts))
        elif all(name != known for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer
