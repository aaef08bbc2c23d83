"""A sentence for every event of the agency registry, in three languages; see `events`."""
# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written

from collections.abc import Mapping
from typing import Final

from api.explorer.texts.members import Row

GOVERNING_EVENTS: Final[Mapping[str, Row]] = {
    "Founded": (
        "The ledger was founded by {agencies} agencies.",
        "O registo foi fundado por {agencies} entidades.",
        "帳本由 {agencies} 個機構創立。",
    ),
    "AgencyAdmitted": (
        "{agency} was admitted for {jurisdiction}.",
        "{agency} foi admitida por {jurisdiction}.",
        "已接納 {agency}（{jurisdiction}）。",
    ),
    "AgencySuspended": (
        "{agency} was suspended.",
        "{agency} foi suspensa.",
        "已暫停 {agency}。",
    ),
    "AgencyReinstated": (
        "{agency} was reinstated.",
        "{agency} foi readmitida.",
        "已恢復 {agency}。",
    ),
    "ProfileChanged": (
        "The profile of {agency} changed.",
        "O perfil de {agency} mudou.",
        "{agency} 的簡介已變更。",
    ),
    "RolesChanged": (
        "The roles of {agency} changed.",
        "As funções de {agency} mudaram.",
        "{agency} 的職能已變更。",
    ),
    "KeyAdded": (
        "{agency} got a new key.",
        "{agency} recebeu uma nova chave.",
        "{agency} 新增一把金鑰。",
    ),
    "KeyEnds": (
        "A key of {agency} ends on {valid_until}.",
        "Uma chave de {agency} termina em {valid_until}.",
        "{agency} 的一把金鑰將於 {valid_until} 終止。",
    ),
    "KeyRevoked": (
        "A key of {agency} was revoked.",
        "Uma chave de {agency} foi revogada.",
        "{agency} 的一把金鑰已撤銷。",
    ),
    "PinAdded": (
        "{agency} got a new node certificate.",
        "{agency} recebeu um novo certificado de nó.",
        "{agency} 新增一張節點憑證。",
    ),
    "PinWithdrawn": (
        "A node certificate of {agency} was withdrawn.",
        "Um certificado de nó de {agency} foi retirado.",
        "{agency} 的一張節點憑證已撤回。",
    ),
    "ValidatorAdded": (
        "{agency} got a validator.",
        "{agency} recebeu um validador.",
        "{agency} 新增一個驗證節點。",
    ),
    "ValidatorRemoved": (
        "A validator of {agency} was removed.",
        "Um validador de {agency} foi removido.",
        "{agency} 的一個驗證節點已移除。",
    ),
    "ValidatorSetChanged": (
        "There are {size} validators now; this is set number {set_number}.",
        "Há agora {size} validadores; este é o conjunto número {set_number}.",
        "現有 {size} 個驗證節點，此為第 {set_number} 號組合。",
    ),
    "ValidatorMinimumChanged": (
        "There must be at least {minimum} validators from now on.",
        "A partir de agora tem de haver pelo menos {minimum} validadores.",
        "今後驗證節點不得少於 {minimum} 個。",
    ),
    "Proposed": (
        "{proposer} proposed to {kind}.",
        "{proposer} propôs {kind}.",
        "{proposer} 提議{kind}。",
    ),
    "Voted.for": (
        "{agency} voted for proposal {proposal}.",
        "{agency} votou a favor da proposta {proposal}.",
        "{agency} 投票贊成提案 {proposal}。",
    ),
    "Voted.against": (
        "{agency} voted against proposal {proposal}.",
        "{agency} votou contra a proposta {proposal}.",
        "{agency} 投票反對提案 {proposal}。",
    ),
    "ProposalPassed": (
        "Proposal {proposal} passed; it may be carried out from {ready}.",
        "A proposta {proposal} foi aprovada; pode ser executada a partir de {ready}.",
        "提案 {proposal} 已通過，可於 {ready} 起執行。",
    ),
    "ProposalReopened": (
        "Proposal {proposal} lost its majority and is open again.",
        "A proposta {proposal} perdeu a maioria e está de novo aberta.",
        "提案 {proposal} 失去多數，重新開放。",
    ),
    "ProposalExecuted": (
        "Proposal {proposal} was carried out.",
        "A proposta {proposal} foi executada.",
        "提案 {proposal} 已執行。",
    ),
    "ProposalWithdrawn": (
        "Proposal {proposal} was withdrawn.",
        "A proposta {proposal} foi retirada.",
        "提案 {proposal} 已撤回。",
    ),
    "Resolved": (
        "The agencies resolved on an act, named by its hash.",
        "As entidades deliberaram sobre um ato, identificado pelo seu hash.",
        "各機構已議決一項行為，以其雜湊值指明。",
    ),
    "ImplementationChanged": (
        "The code of a contract of this ledger was replaced by vote.",
        "O código de um contrato deste registo foi substituído por votação.",
        "本帳本一份合約的程式碼已經投票更換。",
    ),
    "Upgraded": (
        "This contract runs new code from now on.",
        "Este contrato executa código novo a partir de agora.",
        "本合約即時起執行新程式碼。",
    ),
    "DelaysChanged": (
        (
            "Passed decisions wait from now on {urgent_delay} s if urgent, {ordinary_delay} s if "
            "ordinary, {grave_delay} s if grave."
        ),
        (
            "As decisões aprovadas esperam agora {urgent_delay} s se urgentes, "
            "{ordinary_delay} s se "
            "ordinárias, {grave_delay} s se graves."
        ),
        (
            "今後已通過的決議，緊急者等待 {urgent_delay} 秒，一般者 {ordinary_delay} 秒，重大者 "
            "{grave_delay} 秒。"
        ),
    ),
    "ThresholdChanged": (
        (
            "More than {total_percent} % of all agencies and more than {jurisdiction_percent} % of "
            "those of each jurisdiction decide from now on."
        ),
        (
            "A partir de agora decidem mais de {total_percent} % de todas as entidades e mais de "
            "{jurisdiction_percent} % das de cada jurisdição."
        ),
        (
            "今後須所有機構超過 {total_percent} %，且各法域機構超過 {jurisdiction_percent} % 贊"
            "成方可"
            "議決。"
        ),
    ),
    "AgencyPausedItself": (
        "{agency} paused itself.",
        "{agency} pôs-se em pausa.",
        "{agency} 自行暫停。",
    ),
    "AgencyResumed": (
        "{agency} ended its own pause.",
        "{agency} terminou a sua própria pausa.",
        "{agency} 結束自行暫停。",
    ),
    "AgencyPaused": (
        "{paused_by} paused {agency} until {until}.",
        "{paused_by} pôs {agency} em pausa até {until}.",
        "{paused_by} 暫停 {agency} 至 {until}。",
    ),
    "PauseLifted": (
        "The pause of {agency} by {paused_by} was lifted.",
        "A pausa de {agency} por {paused_by} foi levantada.",
        "{paused_by} 對 {agency} 的暫停已解除。",
    ),
}
"""By the event's name, with the word that tells its cases apart."""
