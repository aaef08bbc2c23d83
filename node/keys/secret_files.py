"""Reading and writing files that only their owner may open.

A secret never appears in settings, arguments or the environment, because those end up in shell
histories, process lists and bug reports. It is always the path of a file, and a file that others
may open is refused rather than warned about.
"""

import os
import stat
from pathlib import Path

from node.folders import sync_folder
from node.keys.errors import ExposedSecret, KeyFileDamaged, KeyFileExists, KeyFileMissing

MAX_SECRET_BYTES = 64 * 1024
"""No key, keystore or passphrase file is larger."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_secret_file(path: Path) -> bytes:
    """Return the content of a file that only its owner may open.

    Raises KeyFileMissing, ExposedSecret (group or others have any right), KeyFileDamaged (too
    large to be a secret).
    """
    try:
        # The check and the read use one descriptor, so the file cannot be swapped in between;
        # without blocking, because opening a pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyFileMissing(path, error.strerror or "unknown reason") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileMissing(path, "not a regular file")
        if status.st_mode & _OTHERS:
            raise ExposedSecret(path, stat.S_IMODE(status.st_mode))
        content = os.read(descriptor, MAX_SECRET_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > MAX_SECRET_BYTES:
        raise KeyFileDamaged(path, "is too large to be a key or passphrase file")
    return content


def write_secret_file(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file with mode 0600, durably; folders on the way get mode 0700.

    Raises KeyFileExists unless `replace`; a replacement is atomic.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not replace:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise KeyFileExists(path) from error
        _write_durably(descriptor, content)
    else:
        temporary = path.with_name(path.name + ".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        _write_durably(descriptor, content)
        temporary.replace(path)
    sync_folder(path.parent)


def read_passphrase_file(path: Path) -> str:
    """Return a passphrase: the file's text without the line end.

    Raises KeyFileMissing, ExposedSecret, KeyFileDamaged (empty, several lines, not UTF-8).
    """
    try:
        text = read_secret_file(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise KeyFileDamaged(path, "the passphrase is not UTF-8 text") from error
    passphrase = text.removesuffix("\n").removesuffix("\r")
    if not passphrase:
        raise KeyFileDamaged(path, "the passphrase file is empty")
    if "\n" in passphrase:
        raise KeyFileDamaged(path, "the passphrase file has more than one line")
    return passphrase


def _write_durably(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
