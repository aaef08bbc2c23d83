"""What the page of a schema says about the schema's text: its fields, and the questions it asks.

One line for each text, with English, Portuguese and Chinese side by side.
"""
# ruff: noqa: RUF001 - fullwidth punctuation is right in Chinese

from collections.abc import Mapping
from typing import Final

SCHEMA_PAGE: Final[Mapping[str, tuple[str, str, str]]] = {
    "schema.text": ("What it says", "O que diz", "內容"),
    "schema.name": ("Name", "Nome", "名稱"),
    "schema.fields": (
        "Fields, in the order of the leaves",
        "Campos, pela ordem das folhas",
        "欄位（按葉序）",
    ),
    "schema.reference": (
        "Name one certificate together",
        "Identificam juntos um certificado",
        "合起來識別一份證書",
    ),
    "schema.questions": (
        "Questions answered yes or no",
        "Perguntas respondidas com sim ou não",
        "以是或否回答的問題",
    ),
    "schema.questions.lead": (
        "The issuer answers when it issues. Each answer is a field of its own, with its day.",
        "O emissor responde quando emite. Cada resposta é um campo próprio, com o seu dia.",
        "簽發機構於簽發時作答。每個答案自成一個欄位，並載明所屬日期。",
    ),
    "schema.no_questions": ("It asks none.", "Não faz nenhuma.", "此格式沒有問題。"),
    "question.age_at_least": (
        "Is {source} at least {years} years ago?",
        "{source} foi há pelo menos {years} anos?",
        "{source} 是否至少在 {years} 年前？",
    ),
    "question.below": (
        "Is {source} below {limit}?",
        "{source} é inferior a {limit}?",
        "{source} 是否低於 {limit}？",
    ),
    "question.one_of": (
        "Is {source} one of these: {values}?",
        "{source} é um destes valores: {values}?",
        "{source} 是否為下列之一：{values}？",
    ),
}


def write_schemas(place: int) -> dict[str, str]:
    """Return the texts of one language: 0 English, 1 Portuguese, 2 Chinese."""
    return {key: row[place] for key, row in SCHEMA_PAGE.items()}
