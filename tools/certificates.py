"""Certificates for tests of TLS: an authority in a folder, and what it signs for 127.0.0.1.

Each issued file holds key and certificate together, as MongoDB wants it. Keys are of an elliptic
curve: made in milliseconds.
"""

import os
import pathlib
import subprocess

DAYS = "2"
# One extension file for servers and clients: a member of a replica set is both.
EXTENSIONS = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n"


class Authority:
    """Keeps ca.key and ca.pem in its folder; made at the first use, found again at the next."""

    def __init__(self, folder: str | os.PathLike):
        self.folder = pathlib.Path(folder).resolve()
        self.certificate = self.folder / "ca.pem"

    def issue(self, name: str) -> pathlib.Path:
        """`name`.pem; `name` is the common name, too."""
        made = self.folder / f"{name}.pem"
        if made.exists():
            return made
        self._establish()
        key, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        certificate, extensions = self.folder / f"{name}.crt", self.folder / "extensions"
        extensions.write_text(EXTENSIONS)
        self._make_key(key)
        openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/O=leat tests/CN={name}")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey",
                self.folder / "ca.key", "-CAcreateserial", "-days", DAYS, "-out", certificate,
                "-extfile", extensions)
        made.touch(mode=0o600)
        made.write_text(key.read_text() + certificate.read_text())
        return made

    def _establish(self) -> None:
        if self.certificate.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        key = self.folder / "ca.key"
        self._make_key(key)
        # Two authorities of one name would be taken for each other: the name is the folder's.
        openssl("req", "-x509", "-new", "-key", key, "-days", DAYS, "-out", self.certificate,
                "-subj", f"/O=leat tests/CN=authority {self.folder.name}")

    @staticmethod
    def _make_key(path: pathlib.Path) -> None:
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)


def openssl(*arguments) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise OSError(f"openssl {arguments[0]} failed: {done.stdout}")
