"""RFC 6962 trees against the published test vectors and a second implementation."""

import hashlib

import pytest
from atesta_client.errors import ProofRefused
from atesta_client.hashing import HashAlgorithm
from atesta_client.trees import build_tree, compute_root, compute_root_from_path
from hypothesis import given
from hypothesis import strategies as st

# The eight inputs and roots that the certificate-transparency projects publish as test vectors.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hash_leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def second_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    halves = second_root(leaves[:split]) + second_root(leaves[split:])
    return hashlib.sha256(b"\x01" + halves).digest()


@pytest.mark.parametrize("size", range(9))
def test_root_matches_published_vectors(size: int) -> None:
    leaves = [hash_leaf(data) for data in INPUTS[:size]]
    assert compute_root(leaves).hex() == ROOTS[size]
    assert build_tree(leaves).root.hex() == ROOTS[size]


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_root_equals_recursive_definition(leaves: list[bytes]) -> None:
    assert compute_root(leaves) == second_root(leaves) == build_tree(leaves).root


@given(
    size=st.integers(1, 70),
    place=st.integers(0, 10**6),
    algorithm=st.sampled_from(HashAlgorithm),
)
def test_path_of_every_leaf_leads_to_root(size: int, place: int, algorithm: HashAlgorithm) -> None:
    leaves = [number.to_bytes(32, "big") for number in range(size)]
    index = place % size
    tree = build_tree(leaves, algorithm)
    path = tree.compute_path(index)
    root = compute_root_from_path(
        leaf=leaves[index], index=index, size=size, path=path, algorithm=algorithm
    )
    assert root == tree.root == compute_root(leaves, algorithm)


@given(
    size=st.integers(2, 40),
    place=st.integers(0, 10**6),
    other=st.integers(0, 10**6),
    flip=st.integers(0, 10**6),
)
def test_path_of_other_place_or_with_changed_sibling_misses_root(
    size: int, place: int, other: int, flip: int
) -> None:
    leaves = [number.to_bytes(32, "big") for number in range(size)]
    tree = build_tree(leaves)
    index, wrong = place % size, other % size
    path = list(tree.compute_path(index))
    if wrong != index:
        try:
            found = compute_root_from_path(leaf=leaves[index], index=wrong, size=size, path=path)
        except ProofRefused:
            pass
        else:
            assert found != tree.root
    path[flip % len(path)] = hashlib.sha256(b"another").digest()
    assert (
        compute_root_from_path(leaf=leaves[index], index=index, size=size, path=path) != tree.root
    )


@pytest.mark.parametrize(
    ("index", "size", "extra"), [(5, 5, 0), (-1, 5, 0), (0, 5, 1), (0, 5, -1), (0, 0, 0)]
)
def test_path_of_wrong_shape_is_refused(index: int, size: int, extra: int) -> None:
    path = [b"\x11" * 32] * (3 + extra)
    with pytest.raises(ProofRefused):
        compute_root_from_path(leaf=b"\x00" * 32, index=index, size=size, path=path)


def test_path_with_short_sibling_is_refused() -> None:
    with pytest.raises(ProofRefused):
        compute_root_from_path(leaf=b"\x00" * 32, index=0, size=2, path=[b"\x11" * 31])


def test_tree_refuses_leaf_of_other_length_and_missing_place() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        compute_root([b"short"])
    with pytest.raises(IndexError):
        build_tree([b"\x00" * 32]).compute_path(1)
