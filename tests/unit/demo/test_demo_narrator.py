"""The demonstration's telling: plain lines off a terminal, and one last line either way."""

import io

from rich.console import Console

from scripts.demos.narrator import Narrator


def tell(*, is_terminal: bool, failure: str | None) -> str:
    output = io.StringIO()
    narrator = Narrator(Console(file=output, force_terminal=is_terminal, width=100))
    with narrator.step("A step [with brackets]", total=2) as step:
        narrator.say("what happens")
        step.advance()
        narrator.confirm("what came of it")
        narrator.show(("who", "what"), [("an agency", "[attested]")])
        step.advance()
    narrator.finish(failure)
    assert [title for title, _ in narrator.timings] == ["A step [with brackets]"]
    return output.getvalue()


def test_telling_off_a_terminal_is_plain_text() -> None:
    text = tell(is_terminal=False, failure=None)
    assert "\x1b" not in text
    lines = [line.strip() for line in text.splitlines()]
    assert "1. A step [with brackets]" in lines
    assert "✓ what came of it" in lines
    assert any(line.startswith("an agency") and "[attested]" in line for line in lines)
    assert lines[-1] == "demo: ok"


def test_telling_on_a_terminal_shows_progress_and_ends_the_same() -> None:
    text = tell(is_terminal=True, failure=None)
    assert "\x1b" in text
    assert "demo: ok" in text.splitlines()[-1]


def test_failure_is_one_line_with_its_reason() -> None:
    text = tell(is_terminal=False, failure="a reason\nover two lines [not markup]")
    assert text.splitlines()[-1] == "demo: failed: a reason over two lines [not markup]"


def test_last_line_begins_with_the_name_of_the_story() -> None:
    output = io.StringIO()
    narrator = Narrator(Console(file=output, force_terminal=False, width=100), name="d2")
    narrator.finish(None)
    narrator.finish("a reason")
    lines = output.getvalue().splitlines()
    assert [line for line in lines if line.startswith("d2")] == ["d2: ok", "d2: failed: a reason"]
