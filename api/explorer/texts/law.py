"""The pages about the records of the ledger's law, in three languages."""
# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written

from collections.abc import Mapping
from typing import Final

from api.explorer.texts.asking import ASKING_PAGES
from api.explorer.texts.kinds import KINDS
from api.explorer.texts.ledgers import LEDGER_PAGES
from api.explorer.texts.members import Row

PAGES: Final[Mapping[str, Row]] = {
    **ASKING_PAGES,
    **LEDGER_PAGES,
    "nav.records": ("Law and records", "Direito e registos", "法律與紀錄"),
    "nav.governance": ("Governance", "Governação", "治理"),
    "nav.cases": ("Cases", "Processos", "個案"),
    "records.title": ("Law and records", "Direito e registos", "法律與紀錄"),
    "records.lead": (
        "Everything that the ledger's law rests on, by kind.",
        "Tudo em que assenta o direito do registo, por tipo.",
        "帳本法律所依據的一切，按類別列出。",
    ),
    "records.kinds": ("Kinds of records", "Tipos de registos", "紀錄類別"),
    "chapter.catalogue": ("What there is", "O que há", "目錄"),
    "chapter.law": ("On which law", "Com que direito", "法律依據"),
    "chapter.people": ("What people allowed", "O que as pessoas permitiram", "當事人所准"),
    "chapter.exchanges": ("What went over", "O que foi trocado", "資料交換"),
    "chapter.sides": ("Between agencies", "Entre entidades", "機構之間"),
    "list.empty": (
        "There are no such records yet.",
        "Ainda não há registos destes.",
        "目前沒有此類紀錄。",
    ),
    "list.none": (
        "No record fits these filters.",
        "Nenhum registo corresponde a estes filtros.",
        "沒有紀錄符合這些條件。",
    ),
    "list.clear": ("Without filters", "Sem filtros", "清除條件"),
    "list.filters": ("Filters", "Filtros", "篩選"),
    "list.invalid": (
        "This filter cannot be used: {field}. Check what was entered.",
        "Este filtro não pode ser usado: {field}. Verifique o que foi introduzido.",
        "此條件無法使用：{field}。請檢查所輸入的內容。",
    ),
    "list.day": (
        "Expected is a day (UTC) such as 2026-11-22, without a time.",
        "Espera-se um dia (UTC) como 2026-11-22, sem hora.",
        "應為日期（UTC），例如 2026-11-22，不含時間。",
    ),
    "list.caption": (
        "{title}, newest first",
        "{title}, mais recentes primeiro",
        "{title}，由新至舊",
    ),
    "filter.from": ("Recorded from (day, UTC)", "Registado desde (dia, UTC)", "登記日期起（UTC）"),
    "filter.until": ("Recorded until (day, UTC)", "Registado até (dia, UTC)", "登記日期止（UTC）"),
    "filter.agency": ("Agency, on either side", "Entidade, de qualquer lado", "任何一方的機構"),
    "filter.jurisdiction": ("Jurisdiction", "Jurisdição", "法域"),
    "filter.schema": ("Schema (uid)", "Esquema (uid)", "文件格式（uid）"),
    "filter.uid": ("{name} (uid)", "{name} (uid)", "{name}（uid）"),
    "record.facts": ("What it says", "O que diz", "內容"),
    "record.ledger": ("On the ledger", "No registo", "帳本登記"),
    "record.related": ("What rests on it", "O que assenta nele", "以此為依據者"),
    "record.related.lead": (
        "Records that name this one, newest first.",
        "Registos que referem este, mais recentes primeiro.",
        "提及本紀錄的其他紀錄，由新至舊。",
    ),
    "record.related.as": ("as {role}", "como {role}", "作為{role}"),
    "record.story": ("Where it came from", "De onde veio", "來源"),
    "record.story.link": (
        "The whole story, with all that it rests on",
        "A história inteira, com tudo em que assenta",
        "完整經過及其所有依據",
    ),
    "record.by_key": ("signed by {agency}", "assinado por {agency}", "由 {agency} 簽署"),
    "record.handed_in": ("handed in by {agency}", "entregue por {agency}", "由 {agency} 遞交"),
    "record.text_missing": (
        "This node does not have the text behind the hash.",
        "Este nó não tem o texto por trás do hash.",
        "本節點沒有該雜湊值所指的文本。",
    ),
    "record.no_personal": (
        (
            "Commitments are 32 bytes computed with secret random values. Without the agency's "
            "vault "
            "nobody reads a person or a document out of them."
        ),
        (
            "Compromissos são 32 bytes calculados com valores aleatórios secretos. Sem o cofre da "
            "entidade, ninguém lê neles uma pessoa ou um documento."
        ),
        (
            "承諾值是以秘密隨機數計算的 32 個位元組。沒有機構的保管庫，任何人都不能由此得知當事人或"
            "文件內容。"
        ),
    ),
    "any": ("any", "qualquer", "任何"),
    "at_once": ("from its record on", "desde o seu registo", "自登記時起"),
    "not_yet": ("not yet", "ainda não", "尚未"),
    "resident_key": ("a resident's own key", "a própria chave de um residente", "居民本人的金鑰"),
    # The story
    "story.title": ("Where it came from", "De onde veio", "來源"),
    "story.lead": (
        "Who did what to this record and to all that it rests on, oldest first.",
        "Quem fez o quê a este registo e a tudo em que assenta, do mais antigo ao mais recente.",
        "誰對此紀錄及其所有依據作過何事，由舊至新。",
    ),
    "story.acts": ("What happened", "O que aconteceu", "經過"),
    "story.records": ("Records", "Registos", "紀錄"),
    "story.agents": ("Who took part", "Quem participou", "參與者"),
    "story.this": ("this record", "este registo", "本紀錄"),
    "story.json": ("As JSON", "Em JSON", "JSON 格式"),
    "story.prov": ("As W3C PROV-JSON", "Em W3C PROV-JSON", "W3C PROV-JSON 格式"),
    "story.name": ("Name", "Nome", "名稱"),
    "error.parameter": (
        "This page takes nothing called “{field}”.",
        "Esta página não aceita nada chamado «{field}».",
        "本頁沒有名為「{field}」的參數。",
    ),
    "error.meant": (
        "Did you mean {name}?",
        "Queria dizer {name}?",
        "您是否指 {name}？",
    ),
    "error.known": ("It takes: {names}.", "Aceita: {names}.", "可用的參數：{names}。"),
    "error.behind": (
        "This node's index has not reached the last block yet. Try again in a moment.",
        "O índice deste nó ainda não chegou ao último bloco. Tente de novo dentro de momentos.",
        "本節點的索引尚未到達最後區塊，請稍後再試。",
    ),
}


def write_law(place: int) -> dict[str, str]:
    """Return the texts of one language: 0 English, 1 Portuguese, 2 Chinese."""
    texts = {key: row[place] for key, row in PAGES.items()}
    for kind, (one, many, lead) in KINDS.items():
        texts[f"kind.{kind}"] = one[place]
        texts[f"list.{kind}"] = many[place]
        texts[f"list.{kind}.lead"] = lead[place]
    return texts
