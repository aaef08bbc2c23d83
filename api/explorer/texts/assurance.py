"""What the explorer says about how safe the ledger is: what its validators survive, who cheated.

Beside the catalogues of the three languages, because the English sentences about resilience are
those of `consensus.resilience`, which every other surface says too.
"""
# ruff: noqa: RUF001 - fullwidth punctuation is right in Chinese

from collections.abc import Mapping
from typing import Final

from consensus.resilience import CLAUSES

ENGLISH_ASSURANCE: Final[Mapping[str, str]] = {
    **{f"resilience.{key}": text for key, text in CLAUSES.items()},
    "evidence.title": "Evidence of misbehaviour",
    "evidence.lead": "Acts that no honest validator commits, whatever breaks down. Each can be "
    "exported as a file that anybody checks with the genesis file alone.",
    "evidence.none": "This node holds none.",
    "evidence.unknown": "The network behind these pages keeps none.",
    "evidence.auditors": "Shown to auditors.",
    "evidence.act": "Act",
    "evidence.offender": "Who answers for it",
    "evidence.id": "Evidence",
    "evidence.export": "atesta evidence export ID writes the file, atesta evidence verify checks "
    "it.",
    "evidence_kind.conflicting_proposals": "Signed two different proposals in one round",
    "evidence_kind.conflicting_prepares": "Signed two different prepare messages in one round",
    "evidence_kind.conflicting_commits": "Signed two different commit messages in one round",
    "evidence_kind.conflicting_round_changes": "Signed two different round changes for one round",
    "evidence_kind.unpermitted_sender": "Let a sender into a block who was not permitted",
    "evidence_kind.unvoted_code": "Let code into a block that the agencies had not voted for",
}

PORTUGUESE_ASSURANCE: Final[Mapping[str, str]] = {
    "resilience.one": "1 validador, o quórum é 1.",
    "resilience.quorum": "{validators} validadores, o quórum é {quorum}.",
    "resilience.none_away": "Nenhum pode faltar, senão nenhum bloco se torna definitivo.",
    "resilience.away": "Podem faltar até {absent}; enquanto faltarem mais, nenhum bloco se torna "
    "definitivo.",
    "resilience.none_faulty_stop": "Nenhum pode violar as regras: um só podia parar o registo.",
    "resilience.none_faulty_fork": "Nenhum pode violar as regras: um só podia tornar definitivos "
    "dois blocos diferentes.",
    "resilience.faulty": "Podem violar as regras sem dano até {faulty}; {fork} em conjunto podiam "
    "tornar definitivos dois blocos diferentes.",
    "evidence.title": "Provas de má conduta",
    "evidence.lead": "Atos que nenhum validador honesto pratica, seja qual for a avaria. Cada um "
    "pode ser exportado para um ficheiro que qualquer pessoa verifica só com o ficheiro génese.",
    "evidence.none": "Este nó não tem nenhuma.",
    "evidence.unknown": "A rede por trás destas páginas não as guarda.",
    "evidence.auditors": "Mostradas a auditores.",
    "evidence.act": "Ato",
    "evidence.offender": "Quem responde por ele",
    "evidence.id": "Prova",
    "evidence.export": "atesta evidence export ID grava o ficheiro, atesta evidence verify "
    "verifica-o.",
    "evidence_kind.conflicting_proposals": "Assinou duas propostas diferentes numa ronda",
    "evidence_kind.conflicting_prepares": "Assinou duas mensagens prepare diferentes numa ronda",
    "evidence_kind.conflicting_commits": "Assinou duas mensagens commit diferentes numa ronda",
    "evidence_kind.conflicting_round_changes": "Assinou duas mudanças diferentes para uma ronda",
    "evidence_kind.unpermitted_sender": "Deixou entrar num bloco um remetente não autorizado",
    "evidence_kind.unvoted_code": "Deixou entrar num bloco código que as entidades não votaram",
}

CHINESE_ASSURANCE: Final[Mapping[str, str]] = {
    "resilience.one": "1 個驗證節點，法定數目為 1。",
    "resilience.quorum": "{validators} 個驗證節點，法定數目為 {quorum}。",
    "resilience.none_away": "一個也不能缺席，否則沒有區塊能最終確認。",
    "resilience.away": "最多可有 {absent} 個缺席；缺席者更多時，沒有區塊能最終確認。",
    "resilience.none_faulty_stop": "一個也不能違反規則：單一違規者足以令帳本停止。",
    "resilience.none_faulty_fork": "一個也不能違反規則：單一違規者足以令兩個不同的區塊同獲最終確認"
    "。",
    "resilience.faulty": "最多 {faulty} 個違反規則亦無影響；{fork} 個合謀則足以令兩個不同的區塊同獲"
    "最終確認。",
    "evidence.title": "違規證據",
    "evidence.lead": "無論發生何種故障，誠實的驗證節點都不會作出的行為。每項均可匯出為檔案，任何人"
    "只憑創世檔案即可核實。",
    "evidence.none": "本節點沒有任何證據。",
    "evidence.unknown": "本網頁所連接的網絡不保存證據。",
    "evidence.auditors": "只向審計員顯示。",
    "evidence.act": "行為",
    "evidence.offender": "責任者",
    "evidence.id": "證據",
    "evidence.export": "atesta evidence export ID 匯出檔案，atesta evidence verify 核實檔案。",
    "evidence_kind.conflicting_proposals": "在同一輪簽署兩個不同的提案",
    "evidence_kind.conflicting_prepares": "在同一輪簽署兩個不同的 prepare 訊息",
    "evidence_kind.conflicting_commits": "在同一輪簽署兩個不同的 commit 訊息",
    "evidence_kind.conflicting_round_changes": "就同一輪簽署兩個不同的換輪請求",
    "evidence_kind.unpermitted_sender": "讓未獲許可的發送者進入區塊",
    "evidence_kind.unvoted_code": "讓未經各機構表決的程式進入區塊",
}
