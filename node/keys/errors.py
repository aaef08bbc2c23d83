"""What can be wrong with a key file, each with the file's name and the way out."""

from pathlib import Path

from node.errors import UserFault


class KeyFileMissing(UserFault):
    """The file is not there, or cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"cannot be read: {reason}", field=str(path), next_step="Check the path in the settings"
        )
        self.path = path


class KeyFileExists(UserFault):
    """Writing would replace a key that may be the only copy."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "already exists and is not overwritten",
            field=str(path),
            next_step="Move the old file away first",
        )
        self.path = path


class ExposedSecret(UserFault):
    """Others than the owner may read the file."""

    def __init__(self, path: Path, mode: int) -> None:
        super().__init__(
            f"holds a secret but has mode {mode:04o}, so that others may open it",
            field=str(path),
            next_step=f"Run: chmod 600 {path}",
        )
        self.path = path


class KeyFileDamaged(UserFault):
    """The content is not what a key file of this kind holds."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason, field=str(path), next_step="Restore the key file from its backup")
        self.path = path


class WrongPassphrase(UserFault):
    """The passphrase does not open the key file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "the passphrase is wrong",
            field=str(path),
            next_step="Check the passphrase file that belongs to this key file",
        )
        self.path = path


class KeyBoundElsewhere(UserFault):
    """A validator key of another chain, or a key of another purpose."""

    def __init__(
        self,
        path: Path,
        reason: str,
        *,
        next_step: str = "Use a key made for this chain and purpose: atesta keys new",
    ) -> None:
        super().__init__(reason, field=str(path), next_step=next_step)
        self.path = path


class PublishedKey(UserFault):
    """A key whose secret is printed in the project's own tests."""

    def __init__(self, what: str, host: str) -> None:
        super().__init__(
            f"is a published test key, whose secret everybody knows; it is refused on {host}",
            field=what,
            next_step="Make keys of your own with `atesta init`, or listen on 127.0.0.1",
        )
