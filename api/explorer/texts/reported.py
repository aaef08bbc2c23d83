"""What pages say in front of another network, in place of what they say of a ledger of ours.

On a ledger of ours a page may call a block final, because the seals of a quorum stand beside it.
Another network is believed, so here the same keys have sentences without that word. Texts that only
stand beside seals, and so never on such a page, have none here. One line for each text, with
English, Portuguese and Chinese side by side.
"""
# ruff: noqa: RUF001 - fullwidth punctuation is right in Chinese

from collections.abc import Mapping
from typing import Final

SEALED: Final = frozenset(
    {
        "finality.final",
        "finality.missing.text",
        "finality.not_final",
        "finality.short",
        "overview.lead",
        "resilience.away",
        "resilience.faulty",
        "resilience.none_away",
        "resilience.none_faulty_fork",
        "status.current.text",
        "status.late.text",
        "validators.warning",
    }
)
"""Keys of texts that a page shows only where it has a block's seals."""

_REPORTED: Final[Mapping[str, tuple[str, str, str]]] = {
    "finality.title": ("Who vouches for this", "Quem responde por isto", "由誰擔保"),
    "search.none": (
        (
            "Nothing on this ledger has the identifier “{query}”. Check that it was copied whole; "
            "a record made a moment ago appears when the network reports its block."
        ),
        (
            "Nada neste registo tem o identificador “{query}”. Verifique se foi copiado por "
            "inteiro; um registo feito há instantes aparece quando a rede comunicar o seu bloco."
        ),
        "帳本上沒有識別碼「{query}」。請檢查是否完整複製；剛剛提交的紀錄要待該網絡報告其區塊後才會出現。",
    ),
    "transaction.waiting": (
        "Waiting: it is in no block as reported by that network yet.",
        "À espera: ainda não está em nenhum bloco, conforme essa rede os comunica.",
        "等候中：該網絡所報告的區塊尚未載入本交易。",
    ),
}


def write_reported(place: int) -> dict[str, str]:
    """Return the sentences of one language, which go before its others; `place` is its own."""
    return {key: texts[place] for key, texts in _REPORTED.items()}
