"""The node's one error root, and the four answers to "whose fault is it?".

Everything that a part of the node raises on purpose descends from `NodeError`. The branch below
the root says who must act, which is the only thing that a caller at a distance can decide on:

- `PeerFault`: another node broke the protocol. The connection suffers, this node does not.
- `UserFault`: a person or program on our side gave something that cannot be used: a setting, a
  passphrase, a file, a transaction. Nothing was changed; they correct it and try again.
- `OperationalFault`: the machine or its surroundings fail: a disk is full, a store is damaged, a
  port is taken. An operator acts.
- `LocalFault`: our own bug. It is never caught to go on; it is reported with its whole trace.

Each carries the sentence to show, the name of the field, setting or file it is about (when there
is one), and the next step for whoever must act. The command line, the API's problem documents and
the logs all print these three and nothing else.
"""

from typing import Final


class NodeError(Exception):
    """The root. `str(error)` is the whole explanation: what, where, and what to do next."""

    kind: str = "error"
    """The branch as one word, for logs and metrics."""

    def __init__(
        self, message: str, *, field: str | None = None, next_step: str | None = None
    ) -> None:
        """Keep the three parts apart, so that each surface can lay them out its own way.

        `message` is a sentence without full stop; `field` names the setting, file or wire field;
        `next_step` is a sentence that tells the person what to do.
        """
        super().__init__(message)
        self.message: Final = message
        self.field: Final = field
        self.next_step: Final = next_step

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        then = f". {self.next_step}" if self.next_step else ""
        return f"{where}{self.message}{then}"


class PeerFault(NodeError):
    """Another node sent something that no correct node sends."""

    kind = "peer_fault"


class UserFault(NodeError):
    """What a person or a program on our side gave cannot be used; nothing was changed."""

    kind = "user_fault"


class OperationalFault(NodeError):
    """The machine, the disk or the network around the node fails; an operator must act."""

    kind = "operational_fault"


class LocalFault(NodeError):
    """Our own bug: a state that the code promises never to reach."""

    kind = "local_fault"
