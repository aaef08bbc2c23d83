"""A sentence for every event of every contract, in three languages.

`{actor}` is the agency whose key signed; the other places are arguments of the event. Where one
event says several things, the word that tells them apart follows its name: `ExchangeChanged.void`.
A test walks the contracts' interfaces and fails for an event without a sentence.
"""
# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written

from collections.abc import Mapping
from typing import Final

from api.explorer.texts.governing_events import GOVERNING_EVENTS
from api.explorer.texts.members import Row

EVENTS: Final[Mapping[str, Row]] = {
    **GOVERNING_EVENTS,
    # Every contract that keeps records
    "Relayed": (
        "The act was signed elsewhere, by {signer}, and handed in by {submitter}.",
        "O ato foi assinado noutro lugar, por {signer}, e entregue por {submitter}.",
        "此行為在別處由 {signer} 簽署，由 {submitter} 遞交。",
    ),
    "MarkedLate": (
        (
            "{agency} posted this later than the limit allows ({reason}); a second officer "
            "stands for "
            "it."
        ),
        "{agency} registou isto depois do prazo ({reason}); um segundo agente responde por isso.",
        "{agency} 逾期登記（{reason}），由另一名人員負責。",
    ),
    # Schemas and attestations
    "SchemaRegistered": (
        "{owner} registered a schema.",
        "{owner} registou um esquema.",
        "{owner} 登記一種文件格式。",
    ),
    "SchemaStateChanged": (
        "{owner} set the schema to: {state}.",
        "{owner} pôs o esquema em: {state}.",
        "{owner} 將文件格式設為：{state}。",
    ),
    "IssuerAccredited": (
        "{owner} accredited {agency} to issue documents of the schema.",
        "{owner} acreditou {agency} para emitir documentos do esquema.",
        "{owner} 認可 {agency} 簽發此格式的文件。",
    ),
    "AccreditationWithdrawn": (
        "{owner} withdrew the accreditation of {agency}.",
        "{owner} retirou a acreditação de {agency}.",
        "{owner} 撤回對 {agency} 的認可。",
    ),
    "Attested": (
        "{issuer} attested a document.",
        "{issuer} atestou um documento.",
        "{issuer} 為一份文件存證。",
    ),
    "BatchAttested": (
        "{issuer} attested many documents at once, under one root.",
        "{issuer} atestou muitos documentos de uma vez, sob uma raiz.",
        "{issuer} 以一個樹根同時為多份文件存證。",
    ),
    "StateChanged": (
        "{issuer} set the record to: {state}.",
        "{issuer} pôs o registo em: {state}.",
        "{issuer} 將紀錄設為：{state}。",
    ),
    "LeafStateChanged": (
        "{issuer} set document {index} of the batch to: {state}.",
        "{issuer} pôs o documento {index} do lote em: {state}.",
        "{issuer} 將批次中第 {index} 份文件設為：{state}。",
    ),
    # Catalogue
    "DatasetRegistered": (
        "{owner} registered a dataset, version {version}.",
        "{owner} registou um conjunto de dados, versão {version}.",
        "{owner} 登記資料集第 {version} 版。",
    ),
    "DatasetStateChanged": (
        "{owner} set the dataset to: {state}.",
        "{owner} pôs o conjunto de dados em: {state}.",
        "{owner} 將資料集設為：{state}。",
    ),
    "TextPublished": (
        "{owner} published version {version} of a {kind}.",
        "{owner} publicou a versão {version} ({kind}).",
        "{owner} 發佈{kind}第 {version} 版。",
    ),
    "TextStateChanged": (
        "{owner} set the {kind} to: {state}.",
        "{owner} alterou o estado ({kind}) para: {state}.",
        "{owner} 將{kind}設為：{state}。",
    ),
    # Bases, instruments, stops
    "BasisEntered.voted": (
        "{entered_by} entered a legal basis on which the agencies had resolved.",
        "{entered_by} inscreveu uma base legal que as entidades tinham deliberado.",
        "{entered_by} 登錄一項經各機構議決的法律依據。",
    ),
    "BasisEntered.supervisor": (
        "{entered_by} entered a legal basis as supervisor.",
        "{entered_by} inscreveu uma base legal como autoridade de supervisão.",
        "{entered_by} 以監管者身分登錄一項法律依據。",
    ),
    "BasisStateChanged": (
        "{agency} set the legal basis to: {state}.",
        "{agency} pôs a base legal em: {state}.",
        "{agency} 將法律依據設為：{state}。",
    ),
    "InstrumentEntered": (
        "{entered_by} entered an instrument under which data may leave a jurisdiction.",
        "{entered_by} inscreveu um instrumento pelo qual dados podem sair de uma jurisdição.",
        "{entered_by} 登錄一份准許資料離開法域的文件。",
    ),
    "InstrumentStateChanged": (
        "{agency} set the instrument to: {state}.",
        "{agency} pôs o instrumento em: {state}.",
        "{agency} 將跨境文件設為：{state}。",
    ),
    "Stopped": (
        "{entered_by} stopped a {kind} by decision, until {until}.",
        "{entered_by} mandou parar por decisão ({kind}), até {until}.",
        "{entered_by} 以決定叫停一項{kind}，至 {until}。",
    ),
    "StopLifted": (
        "{entered_by} lifted the stop.",
        "{entered_by} levantou a paragem.",
        "{entered_by} 解除叫停。",
    ),
    # Consents
    "KeyBound": (
        "{agency} stated whose key this is, by a commitment.",
        "{agency} declarou de quem é esta chave, por um compromisso.",
        "{agency} 以承諾值說明此金鑰屬誰。",
    ),
    "ConsentGiven.resident": (
        (
            "A resident consented, with a key made for this, that {provider} gives data to "
            "{recipient}."
        ),
        (
            "Um residente consentiu, com uma chave feita para isto, que {provider} dê dados a "
            "{recipient}."
        ),
        "一名居民以專用金鑰同意 {provider} 將資料提供予 {recipient}。",
    ),
    "ConsentGiven.agency": (
        "An agency recorded a resident's consent that {provider} gives data to {recipient}.",
        (
            "Uma entidade registou o consentimento de um residente para que {provider} dê dados a "
            "{recipient}."
        ),
        "一個機構登記一名居民同意 {provider} 將資料提供予 {recipient}。",
    ),
    "ConfirmationDemanded": (
        "{provider} demanded a confirmation of the consent.",
        "{provider} exigiu a confirmação do consentimento.",
        "{provider} 要求確認該項同意。",
    ),
    "ConsentConfirmed": (
        "{agency} confirmed the consent.",
        "{agency} confirmou o consentimento.",
        "{agency} 確認該項同意。",
    ),
    "QuotaMoved": (
        "Of the consent: uses made {used}, reserved {reserved}.",
        "Do consentimento: utilizações feitas {used}, reservadas {reserved}.",
        "該項同意已用 {used} 次，預留 {reserved} 次。",
    ),
    "ConsentWithdrawn": (
        "The consent was withdrawn; the withdrawal binds from {declared_at}.",
        "O consentimento foi retirado; a retirada vincula desde {declared_at}.",
        "該項同意已撤回，自 {declared_at} 起生效。",
    ),
    "ReleasesListed": (
        (
            "{remedies} releases between the withdrawal's declaration and its block are listed for "
            "remedy."
        ),
        "{remedies} entregas entre a declaração da retirada e o seu bloco ficam por remediar.",
        "撤回聲明與其區塊之間的 {remedies} 次發放已列作補救。",
    ),
    "WithdrawalAnswered": (
        "{recipient} answered the withdrawal: {outcome}.",
        "{recipient} respondeu à retirada: {outcome}.",
        "{recipient} 就撤回答覆：{outcome}。",
    ),
    "WithdrawalPassedOn": (
        "The withdrawal was passed on to {recipient}, which answers until {due}.",
        "A retirada foi transmitida a {recipient}, que responde até {due}.",
        "撤回已轉知 {recipient}，須於 {due} 前答覆。",
    ),
    "BoundOnward": (
        "Data of this consent went on to {recipient}: a withdrawal binds it too.",
        "Dados deste consentimento seguiram para {recipient}: uma retirada também a vincula.",
        "本同意的資料已再傳送至 {recipient}，撤回對其同樣生效。",
    ),
    # Exchanges
    "Requested": (
        "{requester} asked {provider} for data.",
        "{requester} pediu dados a {provider}.",
        "{requester} 向 {provider} 請求資料。",
    ),
    "ExchangeChanged.requested": (
        "The request of {requester} waits for a decision of {provider}.",
        "O pedido de {requester} aguarda a decisão de {provider}.",
        "{requester} 的請求等候 {provider} 決定。",
    ),
    "ExchangeChanged.approved": (
        "The request is approved: {provider} may release.",
        "O pedido está aprovado: {provider} pode entregar.",
        "請求已獲批准，{provider} 可以發放。",
    ),
    "ExchangeChanged.refused": (
        "The data officer of {provider} refused the request.",
        "O encarregado de dados de {provider} recusou o pedido.",
        "{provider} 的資料主任拒絕請求。",
    ),
    "ExchangeChanged.released": (
        "{provider} released the data to {requester}.",
        "{provider} entregou os dados a {requester}.",
        "{provider} 已向 {requester} 發放資料。",
    ),
    "ExchangeChanged.received": (
        "{requester} received exactly what was released.",
        "{requester} recebeu exatamente o que foi entregue.",
        "{requester} 所收到的與所發放的完全相同。",
    ),
    "ExchangeChanged.disputed": (
        "{requester} received something other than what was released.",
        "{requester} recebeu algo diferente do que foi entregue.",
        "{requester} 所收到的與所發放的不同。",
    ),
    "ExchangeChanged.void": (
        "Both sides have signed: the exchange counts as never made.",
        "Ambos os lados assinaram: a troca conta como nunca feita.",
        "雙方均已簽署：此交換視為從未發生。",
    ),
    "ExchangeChanged.void_signed": (
        "{actor} signed that the exchange shall count as never made.",
        "{actor} assinou que a troca deve contar como nunca feita.",
        "{actor} 簽署要求將此交換視為從未發生。",
    ),
    "ExchangeChanged.cancelled": (
        "{requester} took the request back.",
        "{requester} retirou o pedido.",
        "{requester} 取消請求。",
    ),
    "ExchangeChanged.ended": (
        "{actor} ended the exchange.",
        "{actor} terminou a troca.",
        "{actor} 結束此交換。",
    ),
    "PeriodChanged": (
        "Period {period} of the exchange: {state}.",
        "Período {period} da troca: {state}.",
        "交換的第 {period} 期：{state}。",
    ),
    "LeafNamed.named": (
        "{agency} named its leaf {index} of period {period}.",
        "{agency} indicou a sua folha {index} do período {period}.",
        "{agency} 指明第 {period} 期的第 {index} 葉。",
    ),
    "LeafNamed.missing": (
        "{agency} has no leaf {index} in period {period}.",
        "{agency} não tem a folha {index} no período {period}.",
        "{agency} 在第 {period} 期沒有第 {index} 葉。",
    ),
    # Mandates
    "MandateRecorded": (
        "{agency} recorded a mandate ({kind}).",
        "{agency} registou um mandato ({kind}).",
        "{agency} 登記一項授權（{kind}）。",
    ),
    "MandateEnded": (
        "{agency} ended the mandate.",
        "{agency} terminou o mandato.",
        "{agency} 終止該項授權。",
    ),
    "BoardSucceeded": (
        (
            "{agency} recorded that board {board} took office on {effective}; offices of the board "
            "before ended."
        ),
        (
            "{agency} registou que a direção {board} tomou posse em {effective}; os cargos da "
            "anterior "
            "cessaram."
        ),
        "{agency} 登記第 {board} 屆領導架構於 {effective} 就任，上屆職務同時終止。",
    ),
    # Recognition policies
    "PolicyProposed": (
        "{agency} proposed and signed a recognition policy.",
        "{agency} propôs e assinou uma política de reconhecimento.",
        "{agency} 提出並簽署一項互認政策。",
    ),
    "PolicySigned": (
        "{agency} signed for the other side: the policy is in force.",
        "{agency} assinou pelo outro lado: a política está em vigor.",
        "{agency} 代表另一方簽署：政策生效。",
    ),
    "PolicyStateChanged": (
        "{agency} set the policy to: {state}.",
        "{agency} pôs a política em: {state}.",
        "{agency} 將政策設為：{state}。",
    ),
    # Posts
    "PostEstablished": (
        "{agency} established the post.",
        "{agency} criou o posto.",
        "{agency} 設立此職位。",
    ),
    "PostAbolished": (
        "{agency} abolished the post.",
        "{agency} extinguiu o posto.",
        "{agency} 撤銷此職位。",
    ),
    "TermBegun": (
        "An officer, known by a commitment, took seat {seat}.",
        "Um agente, conhecido por um compromisso, ocupou o lugar {seat}.",
        "一名以承諾值表示的人員就任席位 {seat}。",
    ),
    "TermEnded": (
        "The term in seat {seat} ended.",
        "O mandato no lugar {seat} terminou.",
        "席位 {seat} 的任期終止。",
    ),
    "HandedOver": (
        "{agency} handed the post over, effective {effective}.",
        "{agency} fez a entrega do posto, com efeito em {effective}.",
        "{agency} 移交職位，自 {effective} 起生效。",
    ),
    "PostKeyGiven": (
        "The post got a key.",
        "O posto recebeu uma chave.",
        "職位獲得一把金鑰。",
    ),
    "PostKeyEnded": (
        "A key of the post ends.",
        "Uma chave do posto termina.",
        "職位的一把金鑰終止。",
    ),
}
"""By the event's name, with the word that tells its cases apart."""


def write_events(place: int) -> dict[str, str]:
    """Return the sentences of one language: 0 English, 1 Portuguese, 2 Chinese."""
    return {f"event.{name}": row[place] for name, row in EVENTS.items()}
