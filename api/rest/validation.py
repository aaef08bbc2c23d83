"""From what a model finds wrong to a refusal that names the field and never repeats its value."""

from pydantic import ValidationError

from api.errors import InvalidField, UserFault


def translate_validation(error: ValidationError) -> UserFault:
    """Name the first field at fault; pydantic's message is about the type, not the value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            reason = "this field is not known here"
        case "missing":
            reason = "this field is needed"
        case "value_error":
            reason = first["msg"].removeprefix("Value error, ")
        case "string_pattern_mismatch":
            reason = "this text does not have the form that the field asks for"
        case _:
            reason = first["msg"]
    return InvalidField(place or "body", reason)
