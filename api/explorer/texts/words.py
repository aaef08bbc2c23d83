"""What the ledger's few numbers and states are called, in three languages.

Words are those of `api.rest.words`; states those of every kind of record.
"""
# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written

from collections.abc import Mapping
from typing import Final

from api.explorer.texts.members import Row

WORDS: Final[Mapping[str, Row]] = {
    "unconditional": ("unconditional", "incondicional", "無條件共享"),
    "conditional": ("conditional", "condicional", "有條件共享"),
    "not_shared": ("not shared", "não partilhado", "不予共享"),
    "ordinary": ("ordinary", "comum", "一般"),
    "sensitive": ("sensitive", "sensível", "敏感"),
    "statute": ("statute", "lei", "法律規定"),
    "consent": ("consent", "consentimento", "同意"),
    "contract": ("contract", "contrato", "合同"),
    "assessment": ("assessment", "avaliação", "評估"),
    "permit": ("permit", "autorização", "許可"),
    "dataset": ("dataset", "conjunto de dados", "資料集"),
    "pair": ("pair of agencies", "par de entidades", "機構配對"),
    "basis": ("legal basis", "base legal", "法律依據"),
    "general": ("general", "geral", "一般"),
    "cross_border": ("cross-border", "transfronteiriço", "跨境"),
    "office": ("office", "cargo", "職務"),
    "power": ("power of attorney", "procuração", "委託授權"),
    "guardianship": ("guardianship", "tutela", "監護"),
    "low": ("low", "reduzido", "低"),
    "substantial": ("substantial", "substancial", "中"),
    "high": ("high", "elevado", "高"),
    "counter": ("counter", "balcão", "櫃台"),
    "paper": ("paper", "papel", "紙本"),
    "telephone": ("telephone", "telefone", "電話"),
    "online": ("online", "em linha", "網上"),
    "once": ("once", "uma vez", "單次"),
    "standing": ("standing", "permanente", "持續"),
    "bulk": ("bulk", "em lote", "批量"),
    "stopped": ("stopped", "parado", "已停止"),
    "deleted": ("deleted", "eliminado", "已刪除"),
    "retained": ("retained", "conservado", "保留"),
    "outage": ("the ledger was out of reach", "o registo estava inacessível", "帳本無法連接"),
    "omission": ("forgotten and found later", "esquecido e encontrado depois", "遺漏後發現"),
    "resident": ("the resident's own key", "a própria chave do residente", "居民本人的金鑰"),
    "agency": ("an agency, for the resident", "uma entidade, pelo residente", "由機構代為登記"),
    "not_demanded": ("not demanded", "não exigida", "未要求"),
    "demanded": ("demanded", "exigida", "已要求"),
    "confirmed": ("confirmed", "confirmada", "已確認"),
    "notice": ("notice", "aviso", "告知書"),
    "purpose": ("purpose", "finalidade", "用途"),
    "received": ("received", "recebida", "已收到"),
}
"""By the word."""

STATES: Final[Mapping[str, Row]] = {
    "requested": ("requested", "pedida", "已請求"),
    "approved": ("approved", "aprovada", "已批准"),
    "refused": ("refused", "recusada", "已拒絕"),
    "released": ("released", "entregue", "已發放"),
    "received": ("received", "recebida", "已收到"),
    "disputed": ("disputed", "contestada", "有爭議"),
    "void": ("void", "sem efeito", "視為無效"),
    "void_signed": ("void signed by one side", "anulação assinada por um lado", "一方已簽無效"),
    "cancelled": ("cancelled", "cancelada", "已取消"),
    "ended": ("ended", "terminada", "已結束"),
    "begun": ("begun", "iniciado", "已開始"),
    "agreed": ("both statements agree", "declarações iguais", "雙方一致"),
    "mismatched": ("the statements differ", "declarações diferentes", "雙方不一致"),
    "proposed": ("proposed", "proposta", "已提出"),
    "open": ("open", "aberta", "開放"),
    "passed": ("passed, waiting", "aprovada, à espera", "已通過，等待執行"),
    "executed": ("carried out", "executada", "已執行"),
    "withdrawn": ("withdrawn", "retirada", "已撤回"),
    "expired": ("expired", "caducada", "已過期"),
}
"""States that attestations do not have."""

REASONS: Final[Mapping[str, Row]] = {
    "ended_by_law": ("ended by law", "cessação por lei", "依法終止"),
    "holder_request": ("holder's request", "pedido do titular", "持有人要求"),
}
"""Reasons as REST spells them, where pages of attestations spell them otherwise."""

ROLES: Final[Mapping[str, Row]] = {
    "exchange": ("asks for data and releases it", "pede e entrega dados", "請求及發放資料"),
    "decide": ("decides on requests", "decide sobre pedidos", "就請求作決定"),
}
"""Roles of keys that came with the ledger's law."""

CONTRACTS: Final[Mapping[str, Row]] = {
    "catalogue": ("Catalogue", "Catálogo", "目錄"),
    "bases": ("Legal bases", "Bases legais", "法律依據"),
    "consents": ("Consents", "Consentimentos", "同意"),
    "exchanges": ("Exchanges", "Trocas", "交換"),
    "mandates": ("Mandates", "Mandatos", "授權"),
    "policies": ("Recognition policies", "Políticas de reconhecimento", "互認政策"),
}
"""By the contract's name."""

CALLS: Final[Mapping[str, Row]] = {
    "relay": (
        "Hand in an act signed elsewhere",
        "Entregar um ato assinado noutro lugar",
        "遞交別處簽署的行為",
    ),
    "act_late": ("Post an act late", "Registar um ato tarde", "逾期登記行為"),
    "change_post_keys": (
        "Change the keys of a post",
        "Mudar as chaves de um posto",
        "更換職位金鑰",
    ),
    "dry_run": ("Try a decision", "Experimentar uma decisão", "試行決議"),
    "dry_run_proposal": ("Try a proposal", "Experimentar uma proposta", "試行提案"),
    "rehearse": ("Try a decision", "Experimentar uma decisão", "試行決議"),
    "found": ("Found the ledger", "Fundar o registo", "創立帳本"),
    "finish_founding": ("Finish founding", "Concluir a fundação", "完成創立"),
    "note_issuer": ("Note an issuer", "Anotar um emissor", "記錄簽發機構"),
    "note_schema": ("Note a schema", "Anotar um esquema", "記錄文件格式"),
    "publish": (
        "Publish a notice or purpose",
        "Publicar um aviso ou finalidade",
        "發佈告知書或用途",
    ),
    "register_dataset": ("Register a dataset", "Registar um conjunto de dados", "登記資料集"),
    "set_dataset_state": (
        "Change a dataset's state",
        "Mudar o estado de um conjunto de dados",
        "變更資料集狀態",
    ),
    "set_text_state": (
        "Change the state of a notice or purpose",
        "Mudar o estado de um aviso ou finalidade",
        "變更告知書或用途狀態",
    ),
    "enter_basis": ("Enter a legal basis", "Inscrever uma base legal", "登錄法律依據"),
    "enter_instrument": (
        "Enter a cross-border instrument",
        "Inscrever um instrumento transfronteiriço",
        "登錄跨境文件",
    ),
    "set_basis_state": (
        "Change a legal basis's state",
        "Mudar o estado de uma base legal",
        "變更法律依據狀態",
    ),
    "set_instrument_state": (
        "Change an instrument's state",
        "Mudar o estado de um instrumento",
        "變更跨境文件狀態",
    ),
    "stop": ("Stop by decision", "Mandar parar por decisão", "以決定叫停"),
    "lift": ("Lift a stop", "Levantar uma paragem", "解除叫停"),
    "bind_key": ("State whose key it is", "Declarar de quem é a chave", "說明金鑰屬誰"),
    "give": ("Give a consent", "Dar um consentimento", "給予同意"),
    "consents.record": ("Record a consent", "Registar um consentimento", "登記同意"),
    "demand_confirmation": ("Demand a confirmation", "Exigir uma confirmação", "要求確認"),
    "confirm": ("Confirm a consent", "Confirmar um consentimento", "確認同意"),
    "withdraw": ("Withdraw a consent", "Retirar um consentimento", "撤回同意"),
    "withdraw_signed": (
        "Withdraw a consent by its key",
        "Retirar um consentimento pela chave",
        "以金鑰撤回同意",
    ),
    "answer_withdrawal": ("Answer a withdrawal", "Responder a uma retirada", "答覆撤回"),
    "reserve": ("Reserve a use", "Reservar uma utilização", "預留使用次數"),
    "use": ("Use a consent", "Usar um consentimento", "使用同意"),
    "give_back": ("Give a use back", "Devolver uma utilização", "退還使用次數"),
    "note_onward": ("Note data handed on", "Anotar dados transmitidos", "記錄再傳送"),
    "request": ("Ask for data", "Pedir dados", "請求資料"),
    "decide": ("Decide on a request", "Decidir sobre um pedido", "就請求作決定"),
    "cancel": ("Take a request back", "Retirar um pedido", "取消請求"),
    "release": ("Release data", "Entregar dados", "發放資料"),
    "acknowledge": ("Acknowledge what arrived", "Confirmar a receção", "確認收訖"),
    "void_exchange": (
        "Sign that an exchange was never made",
        "Assinar que a troca nunca foi feita",
        "簽署交換視為無效",
    ),
    "exchanges.end": ("End an exchange", "Terminar uma troca", "結束交換"),
    "begin_period": ("Begin a period", "Iniciar um período", "開始期間"),
    "state_period": ("State a period", "Declarar um período", "陳述期間"),
    "name_leaf": ("Name a leaf", "Indicar uma folha", "指明葉"),
    "mandates.record": ("Record mandates", "Registar mandatos", "登記授權"),
    "mandates.end": ("End a mandate", "Terminar um mandato", "終止授權"),
    "succeed": ("Record a new board", "Registar uma nova direção", "登記新領導架構"),
    "propose_policy": (
        "Propose a recognition policy",
        "Propor uma política de reconhecimento",
        "提出互認政策",
    ),
    "sign_policy": (
        "Sign a recognition policy",
        "Assinar uma política de reconhecimento",
        "簽署互認政策",
    ),
    "suspend_policy": (
        "Suspend a recognition policy",
        "Suspender uma política de reconhecimento",
        "暫停互認政策",
    ),
    "reinstate_policy": (
        "Reinstate a recognition policy",
        "Repor uma política de reconhecimento",
        "恢復互認政策",
    ),
    "end_policy": (
        "End a recognition policy",
        "Terminar uma política de reconhecimento",
        "終止互認政策",
    ),
}
"""By the function, with its contract in front where two contracts mean different things by it."""

_GROUPS: Final[Mapping[str, Mapping[str, Row]]] = {
    "word": WORDS,
    "state": STATES,
    "reason": REASONS,
    "role": ROLES,
    "contract": CONTRACTS,
    "call": CALLS,
}


def write_words(place: int) -> dict[str, str]:
    """Return the words of one language: 0 English, 1 Portuguese, 2 Chinese."""
    return {
        f"{group}.{word}": row[place]
        for group, rows in _GROUPS.items()
        for word, row in rows.items()
    }
