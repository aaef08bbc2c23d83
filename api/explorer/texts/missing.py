"""What may be missing in a case, and what to do, in three languages.

English is what `api.cases.rules` says, so that the page and REST tell the same.
"""
# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written

from collections.abc import Mapping
from typing import Final

from api.cases.rules import RULES

_Pair = tuple[str, str]

_PORTUGUESE: Final[Mapping[str, _Pair]] = {
    "case_file_gap": (
        "o cofre não tem o número do processo a que o compromisso do registo corresponde",
        "procurar o processo nas cópias de segurança da entidade",
    ),
    "officer_unknown": (
        "o cofre não tem o agente a que o compromisso do registo corresponde",
        "apurar nos processos da entidade quem pediu",
    ),
    "request_gap": (
        "o cofre não tem o pedido a que o compromisso do registo corresponde",
        "pedir ao fornecedor o envelope do pedido",
    ),
    "not_covered": (
        "a base ou o consentimento não estava em vigor num passo que o exige",
        "comunicar à autoridade de supervisão: os contratos deviam tê-lo recusado",
    ),
    "decision_overdue": (
        "o fornecedor não decidiu, e o prazo passou",
        "lembrar o encarregado de dados do fornecedor",
    ),
    "decided_late": (
        "o fornecedor decidiu depois do prazo",
        "anotar; o fornecedor pode ter de dar razões",
    ),
    "not_released": (
        "o pedido está aprovado, o prazo passou e nada foi entregue",
        "dar o envelope do pedido ao fornecedor, ou cancelar",
    ),
    "not_acknowledged": (
        "os dados foram entregues e três dias depois ninguém disse o que chegou",
        "confirmar o envelope da resposta, ou pedir outra entrega",
    ),
    "received_unequal": (
        "o que chegou não é o que foi entregue",
        "pedir outra entrega ao fornecedor; não usar os dados",
    ),
    "received_gap": (
        "os dados foram confirmados e o cofre deixou de os ter antes do tempo",
        "procurá-los nas cópias de segurança da entidade",
    ),
    "kept_too_long": (
        "o cofre ainda tem os dados depois da data até à qual podem ser conservados",
        "eliminá-los",
    ),
    "withdrawal_unanswered": (
        "o consentimento foi retirado e esta entidade não respondeu a tempo",
        "declarar parado, eliminado, ou conservado com uma base",
    ),
    "released_after_withdrawal": (
        "foram entregues dados depois de declarada a retirada do consentimento",
        "eliminar o que foi recebido e avisar o fornecedor",
    ),
    "confirmation_pending": (
        "o fornecedor exige a confirmação de um consentimento que o destinatário registou",
        "fazer que outra entidade o confirme",
    ),
    "half_void": (
        "um lado assinou que a troca conta como nunca feita, o outro não",
        "pedir ao outro lado que assine, ou que diga porque não",
    ),
    "posted_late": (
        "um ato foi registado depois do limite",
        "ver a razão do segundo agente",
    ),
    "beyond_need": (
        "foram pedidos mais campos do que o processo diz precisar",
        "pedir menos campos; eliminar o que não é preciso",
    ),
    "other_purpose": (
        "a finalidade não é a do processo",
        "verificar se a troca pertence a este processo",
    ),
    "asked_twice": (
        "um pedido anterior deste processo pede o mesmo à mesma entidade",
        "anular um dos dois",
    ),
    "period_mismatched": (
        "as declarações dos dois lados sobre um período diferem",
        "comparar as entregas e indicar as folhas que diferem",
    ),
    "period_unstated": (
        "uma semana depois do início de um período falta a declaração de um lado",
        "declarar o período, ou lembrar o outro lado",
    ),
}

_CHINESE: Final[Mapping[str, _Pair]] = {
    "case_file_gap": ("保管庫沒有帳本承諾值所對應的個案編號", "在機構的備份中尋找該個案"),
    "officer_unknown": ("保管庫沒有帳本承諾值所對應的人員", "從機構檔案查明由誰提出請求"),
    "request_gap": ("保管庫沒有帳本承諾值所對應的請求", "向提供機構索取請求封套"),
    "not_covered": ("在需要依據或同意的步驟中，其並未生效", "向監管者報告：合約本應拒絕"),
    "decision_overdue": ("提供機構逾期仍未決定", "提醒提供機構的資料主任"),
    "decided_late": ("提供機構逾期方作決定", "記錄在案；提供機構或須說明理由"),
    "not_released": ("請求已獲批准，期限已過，仍未發放", "將請求封套交予提供機構，或取消請求"),
    "not_acknowledged": ("資料發放三天後，仍無人說明收到何物", "確認回應封套，或要求再次發放"),
    "received_unequal": ("所收到的與所發放的不同", "要求提供機構再次發放；不得使用該資料"),
    "received_gap": ("資料已確認收訖，但未到期保管庫已無該資料", "在機構的備份中尋找"),
    "kept_too_long": ("保留期限已過，保管庫仍有該資料", "刪除該資料"),
    "withdrawal_unanswered": (
        "同意已撤回，本機構未於期限內答覆",
        "聲明已停止、已刪除，或引用依據保留",
    ),
    "released_after_withdrawal": ("聲明撤回同意之後仍有資料發放", "刪除所收資料，並通知提供機構"),
    "confirmation_pending": ("提供機構要求確認由接收機構登記的同意", "由另一機構確認"),
    "half_void": ("一方已簽署將交換視為無效，另一方尚未簽署", "請另一方簽署，或說明理由"),
    "posted_late": ("一項行為逾期登記", "查閱第二名人員所述理由"),
    "beyond_need": ("所請求的欄位多於個案檔案所需", "減少請求的欄位；刪除不需要者"),
    "other_purpose": ("用途與個案檔案不符", "查核該交換是否屬於此個案"),
    "asked_twice": ("同一個案較早的請求已向同一機構請求相同資料", "將其中之一作廢"),
    "period_mismatched": ("雙方就同一期間的陳述不同", "比對各次發放，並指明不同的葉"),
    "period_unstated": ("期間開始一週後，仍欠一方的陳述", "作出陳述，或提醒另一方"),
}

_LANGUAGES: Final[tuple[Mapping[str, _Pair], ...]] = (
    {rule.code: (rule.text, rule.next_step) for rule in RULES},
    _PORTUGUESE,
    _CHINESE,
)


def write_missing(place: int) -> dict[str, str]:
    """Return the texts of one language: 0 English, 1 Portuguese, 2 Chinese."""
    texts = {}
    for code, (text, next_step) in _LANGUAGES[place].items():
        texts[f"missing.{code}"] = text
        texts[f"missing.{code}.next"] = next_step
    return texts
