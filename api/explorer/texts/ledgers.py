"""What the pages say where an API has several ledgers, in three languages."""
# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written

from collections.abc import Mapping
from typing import Final

from api.explorer.texts.members import Row

LEDGER_PAGES: Final[Mapping[str, Row]] = {
    "ledgers.title": ("Ledgers", "Registos distribuídos", "各帳本"),
    "ledgers.lead": (
        "Each ledger has its own chain and members. The head of a page says of which it is.",
        "Cada registo tem a sua cadeia e os seus membros. O cabeçalho diz de qual é a página.",
        "每個帳本各有區塊鏈與成員。頁首標明該頁屬於哪一個帳本。",
    ),
    "ledgers.own": ("own ledger", "registo próprio", "本身帳本"),
    "ledgers.members": ("Members", "Membros", "成員"),
    "ledgers.block": ("Last block read", "Último bloco lido", "最後讀取的區塊"),
    "ledgers.answers": ("Answers", "Responde", "可讀取"),
    "ledgers.away": (
        "Cannot be read now",
        "Não pode ser lido agora",
        "目前無法讀取",
    ),
    "search.elsewhere": (
        "Only this ledger was searched. Search another one:",
        "Só este registo foi pesquisado. Pesquisar noutro:",
        "只搜尋了本帳本。在其他帳本搜尋：",
    ),
    "case.ledger_away": (
        "The ledger {ledger} cannot be read now: what this case has there is not shown.",
        "O registo {ledger} não pode ser lido agora: o que este processo lá tem não é mostrado.",
        "目前無法讀取帳本 {ledger}：本個案在該帳本上的內容未有顯示。",
    ),
}
