"""Proof that a quorum prepared one block in one round.

A validator that has committed to a block must carry this proof into every later round of the
height, and over a restart, because the block may already be final at somebody else.
"""

from dataclasses import dataclass

from consensus import rlp_codec
from consensus.block import Block, block_from_item, encode_block
from consensus.payloads import (
    PreparedMetadata,
    PreparePayload,
    Signed,
    compute_digest,
    encode_signed,
    signed_prepare_from_item,
)
from consensus.rlp_codec import RlpItem, encode_scalar
from consensus.types import Hash32, Round


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedCertificate:
    """A block, the round in which it was prepared, and the prepares."""

    round: Round
    """The prepared round, also in the block's extraData."""

    block: Block
    """The block as it was proposed in that round, without seals."""

    prepares: tuple[Signed[PreparePayload], ...]
    """A quorum of prepares by distinct validators."""

    @property
    def digest(self) -> Hash32:
        """Digest of the block in the prepared round."""
        return compute_digest(self.block, self.round)

    @property
    def metadata(self) -> PreparedMetadata:
        """What a round change says about this certificate."""
        return PreparedMetadata(round=self.round, digest=self.digest)


def encode_certificate(certificate: PreparedCertificate) -> bytes:
    """Return `[round, block, [signedPrepare, ...]]`."""
    return rlp_codec.encode_list(
        [
            rlp_codec.encode(encode_scalar(certificate.round)),
            encode_block(certificate.block),
            rlp_codec.encode_list([encode_signed(signed) for signed in certificate.prepares]),
        ]
    )


def certificate_from_item(item: RlpItem) -> PreparedCertificate:
    """Read a certificate from a decoded RLP list; raises MalformedEncoding or InvalidMessage."""
    round_number, block, prepares = rlp_codec.get_list(item, "certificate", 3)
    return PreparedCertificate(
        round=Round(rlp_codec.get_scalar(round_number, "prepared round", 4)),
        block=block_from_item(block),
        prepares=tuple(
            signed_prepare_from_item(one) for one in rlp_codec.get_list(prepares, "prepares")
        ),
    )
