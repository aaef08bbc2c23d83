"""The pages about decisions by vote and about cases, in three languages."""
# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written

from collections.abc import Mapping
from typing import Final

from api.explorer.texts.members import Row

ASKING_PAGES: Final[Mapping[str, Row]] = {
    # Governance
    "governance.title": ("Governance", "Governação", "治理"),
    "governance.lead": (
        "What the agencies decide by vote, and by which rules.",
        "O que as entidades decidem por votação, e segundo que regras.",
        "各機構投票決定的事項及其規則。",
    ),
    "governance.rules": ("Rules", "Regras", "規則"),
    "governance.threshold": (
        (
            "A decision needs more than {total} % of all active agencies, and more than "
            "{jurisdiction} % of those of each jurisdiction."
        ),
        (
            "Uma decisão precisa de mais de {total} % de todas as entidades ativas, e de mais de "
            "{jurisdiction} % das de cada jurisdição."
        ),
        "決議須所有有效機構超過 {total} %，且每個法域的機構超過 {jurisdiction} % 贊成。",
    ),
    "governance.delays": ("Time lock after passing", "Espera depois de aprovada", "通過後的等待期"),
    "governance.delays.text": (
        "urgent {urgent}, ordinary {ordinary}, grave {grave}",
        "urgente {urgent}, ordinária {ordinary}, grave {grave}",
        "緊急 {urgent}，一般 {ordinary}，重大 {grave}",
    ),
    "governance.minimum": (
        "Least number of validators",
        "Número mínimo de validadores",
        "驗證節點最低數目",
    ),
    "governance.sides": ("Jurisdictions", "Jurisdições", "法域"),
    "governance.active": ("Active agencies", "Entidades ativas", "有效機構"),
    "governance.needed": ("Votes needed", "Votos necessários", "所需票數"),
    "governance.all": ("All", "Todas", "全部"),
    "governance.pauses": ("Pauses", "Pausas", "暫停"),
    "governance.pauses.none": (
        "No agency is paused.",
        "Nenhuma entidade está em pausa.",
        "沒有機構被暫停。",
    ),
    "governance.paused.self": (
        "{agency} paused itself, until {until}.",
        "{agency} pôs-se em pausa, até {until}.",
        "{agency} 自行暫停，至 {until}。",
    ),
    "governance.paused.self.open": (
        "{agency} paused itself, until it resumes.",
        "{agency} pôs-se em pausa, até retomar.",
        "{agency} 自行暫停，直至其恢復。",
    ),
    "governance.paused.by": (
        "{paused_by} paused {agency}, until {until}.",
        "{paused_by} pôs {agency} em pausa, até {until}.",
        "{paused_by} 暫停 {agency}，至 {until}。",
    ),
    "governance.proposals": ("Proposals", "Propostas", "提案"),
    "governance.proposals.none": (
        "No proposal was made.",
        "Nenhuma proposta foi feita.",
        "沒有提案。",
    ),
    "proposal.title": ("Proposal {number}", "Proposta {number}", "提案 {number}"),
    "proposal.what": ("What shall be done", "O que se fará", "擬作何事"),
    "proposal.unknown": (
        "a decision that this version does not know",
        "uma decisão que esta versão não conhece",
        "此版本不認識的決議",
    ),
    "proposal.proposer": ("Proposed by", "Proposta por", "提案機構"),
    "proposal.document": ("Reasons", "Razões", "理由"),
    "proposal.lock": ("Time lock", "Espera", "等待期"),
    "proposal.lock.from": (
        "It may be carried out from",
        "Pode ser executada a partir de",
        "可執行時間起自",
    ),
    "proposal.lock.none": ("Not passed yet.", "Ainda não aprovada.", "尚未通過。"),
    "proposal.votes": ("Votes", "Votos", "投票"),
    "proposal.for": ("for", "a favor", "贊成"),
    "proposal.against": ("against", "contra", "反對"),
    "proposal.silent": ("has not voted", "não votou", "未投票"),
    "proposal.approvals": ("In favour", "A favor", "贊成票"),
    "proposal.reached": ("reached", "atingida", "已達到"),
    "proposal.short": ("not reached", "não atingida", "未達到"),
    "proposal.passing": (
        "It has the majorities, in all and in each jurisdiction.",
        "Tem as maiorias, no total e em cada jurisdição.",
        "已取得整體及各法域的多數。",
    ),
    "proposal.not_passing": (
        "It does not have the majorities that it needs.",
        "Não tem as maiorias de que precisa.",
        "尚未取得所需的多數。",
    ),
    "proposal.dry_run": ("Dry run", "Ensaio", "試行"),
    "proposal.dry_run.ok": (
        "Carried out at this block it would succeed.",
        "Executada neste bloco, teria êxito.",
        "若於本區塊執行，將會成功。",
    ),
    "proposal.dry_run.refused": (
        "Carried out at this block it would be refused:",
        "Executada neste bloco, seria recusada:",
        "若於本區塊執行，將被拒絕：",
    ),
    "proposal.dry_run.done": (
        "It is closed; there is nothing to try.",
        "Está encerrada; não há nada a ensaiar.",
        "提案已結束，無需試行。",
    ),
    # Cases
    "cases.title": ("Cases", "Processos", "個案"),
    "cases.lead": (
        (
            "From a case number: who asked whom for what, on which basis, and what is missing. The "
            "answer comes from this agency's vault and the ledger."
        ),
        (
            "A partir do número de um processo: quem pediu o quê a quem, com que base, e o que "
            "falta. "
            "A resposta vem do cofre desta entidade e do registo."
        ),
        "由個案編號得知：誰向誰請求何種資料、依何依據、尚欠甚麼。答案來自本機構的保管庫及帳本。",
    ),
    "cases.number": ("Case number", "Número do processo", "個案編號"),
    "cases.ask": ("Show", "Mostrar", "查閱"),
    "cases.purpose": ("What for", "Para quê", "查閱目的"),
    "cases.purpose.service": ("A service", "Um serviço", "提供服務"),
    "cases.purpose.audit": ("Supervision", "Fiscalização", "監察"),
    "cases.purpose.rights": ("The person asks", "A pessoa pede", "當事人要求"),
    "cases.purpose.correction": ("A correction", "Uma correcção", "更正資料"),
    "cases.purpose.dispute": ("A dispute", "Um litígio", "爭議"),
    "cases.private": (
        "The number is sent as a form, so that it stays out of addresses, histories and logs.",
        "O número é enviado num formulário, para não ficar em endereços, históricos ou registos.",
        "編號以表單傳送，不會留在網址、瀏覽紀錄或日誌中。",
    ),
    "cases.unknown": (
        "This agency's vault has no case with this number.",
        "O cofre desta entidade não tem um processo com este número.",
        "本機構的保管庫沒有此編號的個案。",
    ),
    "cases.no_vault": (
        "This node keeps no vault, so it knows no case.",
        "Este nó não tem cofre, por isso não conhece processos.",
        "本節點沒有保管庫，因此不知道任何個案。",
    ),
    "case.title": ("Case", "Processo", "個案"),
    "case.procedure": ("Procedure", "Procedimento", "程序"),
    "case.complete": ("Nothing is missing.", "Não falta nada.", "沒有欠缺。"),
    "case.missing": (
        "What is missing or not in order",
        "O que falta ou não está em ordem",
        "欠缺或不妥之處",
    ),
    "case.next": ("To do", "A fazer", "應辦事項"),
    "case.exchanges": ("Exchanges", "Trocas", "交換"),
    "case.no_exchanges": (
        "Nothing was asked for this case yet.",
        "Ainda nada foi pedido para este processo.",
        "此個案尚未提出任何請求。",
    ),
    "case.needs": ("What it needs", "O que precisa", "所需資料"),
    "case.officer": ("Officer who asked", "Agente que pediu", "提出請求的人員"),
    "case.decider": ("Data officer who decided", "Encarregado que decidiu", "作決定的資料主任"),
    "case.in_vault": (
        "known to the vault; not shown on pages",
        "conhecido do cofre; não se mostra em páginas",
        "保管庫有紀錄，不在網頁顯示",
    ),
    "case.not_in_vault": ("not known to the vault", "desconhecido do cofre", "保管庫沒有紀錄"),
    "case.live_then": (
        "In force whenever it was checked",
        "Em vigor sempre que verificado",
        "每次查核時均有效",
    ),
    "case.asked": ("Asked", "Pedido", "請求時間"),
    "case.decided": ("Decided", "Decidido", "決定時間"),
    "case.released": ("Released", "Entregue", "發放時間"),
    "case.received": ("Received", "Recebido", "收到時間"),
    "case.equal": ("Received equals released", "Recebido igual ao entregue", "收到與發放相同"),
    "case.kept_until": ("To be deleted by", "A eliminar até", "保留至"),
}
