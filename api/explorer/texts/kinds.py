"""The kinds of records of the ledger's law, each with a sentence about it, in three languages."""
# ruff: noqa: RUF001 - full-width punctuation is how Chinese is written

from collections.abc import Mapping
from typing import Final

from api.explorer.texts.members import Row

KINDS: Final[Mapping[str, tuple[Row, Row, Row]]] = {
    "dataset": (
        ("Dataset", "Conjunto de dados", "資料集"),
        ("Datasets", "Conjuntos de dados", "資料集"),
        (
            "What agencies hold and under which conditions they share it. The data are not here.",
            "O que as entidades detêm e em que condições o partilham. Os dados não estão aqui.",
            "各機構持有的資料種類及共享條件。資料本身不在此處。",
        ),
    ),
    "notice": (
        ("Notice", "Aviso", "告知書"),
        ("Notices", "Avisos", "告知書"),
        (
            "What residents are shown before they consent.",
            "O que se mostra aos residentes antes de consentirem.",
            "居民給予同意前所見的告知內容。",
        ),
    ),
    "purpose": (
        ("Purpose", "Finalidade", "用途"),
        ("Purposes", "Finalidades", "用途"),
        (
            "What data may be used for.",
            "Para que podem os dados ser usados.",
            "資料可作何用途。",
        ),
    ),
    "basis": (
        ("Legal basis", "Base legal", "法律依據"),
        ("Legal bases", "Bases legais", "法律依據"),
        (
            (
                "On which law data may be exchanged. Entered by a supervisor or by vote, never "
                "by who "
                "uses it."
            ),
            (
                "Em que lei podem os dados ser trocados. Inscrita por uma autoridade de "
                "supervisão ou "
                "por votação, nunca por quem a usa."
            ),
            "資料可依何法律交換。由監管者或經投票登錄，絕非由使用者登錄。",
        ),
    ),
    "instrument": (
        ("Cross-border instrument", "Instrumento transfronteiriço", "跨境文件"),
        ("Cross-border instruments", "Instrumentos transfronteiriços", "跨境文件"),
        (
            "Under what data may leave a jurisdiction: contract, assessment or permit.",
            "Pelo que podem dados sair de uma jurisdição: contrato, avaliação ou autorização.",
            "資料憑何離開法域：合同、評估或許可。",
        ),
    ),
    "stop": (
        ("Stop", "Paragem", "叫停"),
        ("Stops", "Paragens", "叫停"),
        (
            "What a supervisor has stopped by decision, until when.",
            "O que uma autoridade de supervisão mandou parar por decisão, e até quando.",
            "監管者以決定叫停的事項及期限。",
        ),
    ),
    "consent": (
        ("Consent", "Consentimento", "同意"),
        ("Consents", "Consentimentos", "同意"),
        (
            (
                "Whom residents let give which data to whom, and what became of it. Who they "
                "are is "
                "not on the ledger."
            ),
            (
                "A quem os residentes permitem dar que dados a quem, e o que se seguiu. Quem "
                "são não "
                "está no registo."
            ),
            "居民容許誰將何種資料提供予誰，以及其後情況。居民身分不在帳本上。",
        ),
    ),
    "key_binding": (
        ("Key binding", "Associação de chave", "金鑰綁定"),
        ("Key bindings", "Associações de chaves", "金鑰綁定"),
        (
            "Keys that residents made for one consent, and the agency that stated whose they are.",
            (
                "Chaves que residentes fizeram para um consentimento, e a entidade que declarou de "
                "quem são."
            ),
            "居民為一項同意而產生的金鑰，以及說明其屬誰的機構。",
        ),
    ),
    "exchange": (
        ("Exchange", "Troca", "交換"),
        ("Exchanges", "Trocas", "交換"),
        (
            (
                "Who asked whom for what, when, why and on which basis; what was released and what "
                "arrived."
            ),
            (
                "Quem pediu o quê a quem, quando, porquê e com que base; o que foi entregue e "
                "o que "
                "chegou."
            ),
            "誰於何時、為何、依何法律向誰請求何種資料；發放與收到的內容。",
        ),
    ),
    "period": (
        ("Period", "Período", "期間"),
        ("Periods", "Períodos", "期間"),
        (
            "Both sides' statements on each period of a standing or bulk exchange.",
            "As declarações dos dois lados sobre cada período de uma troca permanente ou em lote.",
            "雙方就持續或批量交換每一期間的陳述。",
        ),
    ),
    "mandate": (
        ("Mandate", "Mandato", "授權"),
        ("Mandates", "Mandatos", "授權"),
        (
            (
                "Who may act for whom: offices, powers of attorney, guardianships. By commitments, "
                "without names."
            ),
            "Quem pode agir por quem: cargos, procurações, tutelas. Por compromissos, sem nomes.",
            "誰可代表誰：職務、委託、監護。以承諾值表示，不含姓名。",
        ),
    ),
    "body": (
        ("Body", "Órgão", "團體"),
        ("Bodies", "Órgãos", "團體"),
        (
            "Associations and companies whose boards succeed each other.",
            "Associações e empresas cujas direções se sucedem.",
            "領導架構更替的社團及公司。",
        ),
    ),
    "policy": (
        ("Recognition policy", "Política de reconhecimento", "互認政策"),
        ("Recognition policies", "Políticas de reconhecimento", "互認政策"),
        (
            "Which documents one side recognises of the other; both sign, either suspends.",
            "Que documentos um lado reconhece do outro; ambos assinam, qualquer um suspende.",
            "一方承認另一方的何種文件；雙方簽署，任何一方可暫停。",
        ),
    ),
    "post": (
        ("Post", "Posto", "職位"),
        ("Posts", "Postos", "職位"),
        (
            "Posts of the agencies and who holds them, by commitment, since when.",
            "Postos das entidades e quem os ocupa, por compromisso, desde quando.",
            "各機構的職位，以承諾值表示由誰、自何時擔任。",
        ),
    ),
}
"""By kind: one, many, and a sentence about them."""
