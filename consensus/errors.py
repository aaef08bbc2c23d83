"""What can go wrong in consensus, split by whose fault it is.

Three parties can be at fault, and each calls for another reaction. A *peer* that sends bytes that
do not decode, or a message that breaks a rule, is ignored and counted against that peer. An
*operator* whose genesis file or key is wrong must be told which key to change. Everything else is
*our* bug: it is an assertion or a `LocalFault` and should stop the node rather than be survived.
"""


class ConsensusError(Exception):
    """Root of every error that this package raises on purpose."""


class PeerFault(ConsensusError):
    """Another party sent something that an honest, up-to-date party would not send."""


class MalformedEncoding(PeerFault):
    """Bytes that are not the canonical encoding of what they should be."""


class InvalidMessage(PeerFault):
    """A well-formed message, certificate or signature that breaks a rule of QBFT."""


class InvalidHeader(PeerFault):
    """A block header that breaks a rule of import; the message names the rule."""


class AheadOfClock(InvalidHeader):
    """A header without a flaw but a timestamp ahead of our clock: one of two clocks is wrong.

    Which one cannot be told from here, so whoever brought the header is not to blame.
    """


class OperatorFault(ConsensusError):
    """Something that the operator of this node configured is wrong."""


class GenesisConfigError(OperatorFault):
    """`config.qbft` of the genesis file is unusable; `key` names the entry."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"genesis config.qbft.{key}: {reason}")
        self.key = key
        self.reason = reason


class LocalFault(ConsensusError):
    """This node was about to do something that its own records forbid: our bug or damage."""


class SigningRefused(LocalFault):
    """The sign state forbids this signature: it would contradict one that already exists."""
