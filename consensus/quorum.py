"""How many validators must agree, and how many may be faulty.

With n validators at most f = (n - 1) // 3 may be Byzantine. Two quorums must share at least one
honest validator, so a quorum is the smallest q with 2q - n > f, which is ceil(2n / 3). The often
quoted 2f + 1 is the same number only when n = 3f + 1; at n = 6 it is 3, and two disjoint halves
could each finalise a block. Source: QBFT formal specification; arXiv 1901.07160.
"""


def compute_quorum(validator_count: int) -> int:
    """Return the size of a quorum: 1, 2, 2, 3, 4, 4, 5, 6, 6, 7 for 1 to 10 validators."""
    assert validator_count > 0, "a chain without validators has no quorum"
    return (2 * validator_count - 1) // 3 + 1


def compute_faulty(validator_count: int) -> int:
    """Return f, the greatest number of Byzantine validators under which safety holds."""
    assert validator_count > 0, "a chain without validators has no fault bound"
    return (validator_count - 1) // 3
