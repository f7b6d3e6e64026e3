"""The installed folder is moved and then run in a root of its own that holds glibc and nothing else:
neither the build tree, nor the download cache, nor a system library is within its reach."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["LEAT_BUILD_DIR"])
GLIBC = re.compile(r"(ld-linux-x86-64|lib(c|m|dl|rt|pthread|resolv))\.so")


def shared_libraries(program):
    """Name → path of everything that the loader finds for it."""
    listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True)
    found = {}
    for line in listed.stdout.splitlines():
        words = line.replace("=>", " ").split()
        if words[0].startswith("linux-vdso"):
            continue
        found[pathlib.PurePath(words[0]).name] = next(w for w in words[::-1] if w.startswith("/"))
    return found


class PackageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-package-"))
        installed = cls.folder / "first"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", installed, "--strip"], check=True,
                       stdout=subprocess.DEVNULL)
        cls.root = cls.folder / "root"
        (cls.root / "opt").mkdir(parents=True)
        cls.leat = installed.rename(cls.root / "opt" / "leat")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_every_library_but_glibc_comes_along(self):
        for name, path in shared_libraries(self.leat / "bin" / "leat").items():
            if not GLIBC.match(name):
                self.assertTrue(os.path.realpath(path).startswith(str(self.leat)), f"{name}: {path}")

    def test_runs_where_there_is_nothing_else(self):
        for name, path in shared_libraries("/bin/true").items():
            self.place(name, path)
        for name, path in shared_libraries(self.leat / "bin" / "leat").items():
            if GLIBC.match(name):
                self.place(name, path)
        enter = [] if os.geteuid() == 0 else [shutil.which("unshare"), "--map-root-user"]
        done = subprocess.run([*enter, shutil.which("chroot"), self.root, "/opt/leat/bin/leat", "version"],
                              # Without /proc the loader cannot know itself where the program is.
                              env={"LD_ORIGIN_PATH": "/opt/leat/bin"}, capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("leat", done.stdout)

    def place(self, name, path):
        place = self.root / ("lib64" if name.startswith("ld-linux") else "lib/x86_64-linux-gnu")
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(path), place / name)

    def test_systemd_takes_the_unit(self):
        shipped = self.leat / "lib" / "systemd" / "system" / "leat@.service"
        unit = self.folder / "leat@.service"
        unit.write_text(shipped.read_text().replace("/usr/local", str(self.leat)))
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
