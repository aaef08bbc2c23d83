"""Examples of whole bodies, made of the examples of their fields."""

from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def build_example(model: type[BaseModel], *, is_request: bool = False) -> dict[str, Any]:
    """Return an example of a model from the examples of its fields.

    In a request a member whose example is null is left out, because that is how it is sent.
    """
    example: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        value = _build_field_example(field)
        if value is None and is_request and not field.is_required():
            continue
        example[name] = value
    return example


def _build_field_example(field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    if not field.is_required():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            return default.model_dump(mode="json", exclude_none=True)
        return default.value if isinstance(default, Enum) else default
    return _build_type_example(field.annotation)


def _build_type_example(kind: Any) -> Any:
    origin = get_origin(kind)
    if origin is Annotated:
        return _build_type_example(get_args(kind)[0])
    if origin in {Union, UnionType}:
        options = [option for option in get_args(kind) if option is not NoneType]
        return _build_type_example(options[0]) if _is_model(options[0]) else None
    if origin is list:
        (item,) = get_args(kind)
        return [_build_type_example(item)] if _is_model(item) else []
    if _is_model(kind):
        return build_example(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    raise AssertionError(f"a field of type {kind} needs an example")


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
