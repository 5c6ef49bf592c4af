"""Makes a wheel with the binary in it: `wheel.py BINARY VERSION ROOT FOLDER`. Installed, it is a command of the environment."""

import base64
import hashlib
import pathlib
import platform
import sys
import zipfile

NAME = "conclave_gateway"


def main(binary, version, root, folder):
    glibc = platform.libc_ver()[1].replace(".", "_")
    tag = f"py3-none-manylinux_{glibc}_{platform.machine()}"
    info = f"{NAME}-{version}.dist-info"
    licenses = ["LICENSE-MIT", "LICENSE-APACHE"]
    files = [
        (f"{NAME}-{version}.data/scripts/conclave", pathlib.Path(binary).read_bytes()),
        (f"{info}/METADATA", metadata(version, licenses).encode()),
        (f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: conclave\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()),
        *((f"{info}/licenses/{name}", pathlib.Path(root, name).read_bytes()) for name in licenses),
    ]
    record = "".join(f"{name},sha256={digest(content)},{len(content)}\n" for name, content in files) + f"{info}/RECORD,,\n"
    path = pathlib.Path(folder, f"{NAME}-{version}-{tag}.whl")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in [*files, (f"{info}/RECORD", record.encode())]:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if name.endswith("/conclave") else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
    print(path)


def metadata(version, licenses):
    lines = ["Metadata-Version: 2.4", f"Name: {NAME.replace('_', '-')}", f"Version: {version}",
             "Summary: Chat groups that live once, reached through three vendors' own APIs: the gateway's binary",
             "License-Expression: MIT OR Apache-2.0", *(f"License-File: {name}" for name in licenses), "Requires-Python: >=3.8"]
    return "\n".join(lines) + "\n"


def digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


main(*sys.argv[1:])
