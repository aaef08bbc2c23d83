"""The demonstrations of the law: how they end, what they write, and running all of them."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from atesta_client.answers import Accepted, Explanation
from atesta_client.errors import RestProblem
from atesta_client.requests import Request, end_mandate

from api.acts.table import ACTS
from contracts.development import build_development_spec
from contracts.genesis import build_genesis
from contracts.testkeys import AGENCIES
from scripts.demos import d2, d3, d4, d6, d7, d8, everything
from scripts.demos.election_scene import ASSOCIATIONS, CHOIR
from scripts.demos.election_scene import Scene as ElectionScene
from scripts.demos.law_run import Story, list_parties, run
from scripts.demos.law_stage import Attempt, LawStage, make_party
from scripts.demos.licence_scene import Scene as LicenceScene
from scripts.demos.narrator import Narrator
from scripts.demos.stage import StoryFailed
from scripts.demos.subsidy_scene import Scene as SubsidyScene

FOLDER = Path(everything.__file__).parent
PARTY = make_party("mo-example", "MO", "Example Bureau")
UID = "0x" + "11" * 32


class FakeClient:
    """Answers explain and an act as it is told to."""

    def __init__(self, explained: str | None, answered: str | None) -> None:
        self.explained = explained
        self.answered = answered

    async def send(self, request: Request[object]) -> object:
        if request.path == "/explain":
            moment = datetime(2026, 11, 22, tzinfo=UTC)
            refusal = None if self.explained is None else {"code": self.explained}
            return Explanation(
                act="mandate.end",
                allowed=refusal is None,
                refusal=refusal,
                uid=None,
                facts={},
                block=1,
                block_time=moment,
            )
        if self.answered is not None:
            raise RestProblem(422, {"title": "refused", "code": self.answered})
        return Accepted(
            operation="1", uid=UID, transaction=UID, state="sent", follow="", record="/v1/it"
        )


def tell(story: Story, monkeypatch: pytest.MonkeyPatch) -> int:
    async def open_nothing(_: LawStage) -> None:
        return

    monkeypatch.setattr(LawStage, "open", open_nothing)
    return run(story, [])


@pytest.mark.parametrize(
    ("explained", "answered", "fault"),
    [
        ("mandate_ended", "mandate_ended", None),
        ("mandate_ended", "mandate_expired", "mandate_expired"),
        ("mandate_expired", "mandate_ended", "explain says mandate_expired"),
        (None, "mandate_ended", "explain says None"),
        ("mandate_ended", None, "it was accepted"),
    ],
)
async def test_refusal_counts_only_with_its_own_code_twice(
    explained: str | None, answered: str | None, fault: str | None
) -> None:
    stage = LawStage(Narrator(), [PARTY])
    attempt = Attempt(
        title="somebody tries",
        code="mandate_ended",
        client=FakeClient(explained, answered),  # type: ignore[arg-type]
        request=end_mandate(UID, reason="error"),
    )
    if fault is None:
        assert (await stage.refuse(attempt)).code == "mandate_ended"
    else:
        with pytest.raises(StoryFailed, match=fault):
            await stage.refuse(attempt)


@pytest.mark.parametrize("is_true", [True, False])
def test_story_ends_with_its_name_and_its_reason(
    is_true: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def claim(_: LawStage) -> None:
        if not is_true:
            raise StoryFailed("the product does not do what the story says")

    story = Story(name="dx", summary="A test.", parties=(PARTY,), tell=claim)
    assert tell(story, monkeypatch) == (0 if is_true else 1)
    last = capsys.readouterr().out.strip().splitlines()[-1]
    reason = "dx: failed: the product does not do what the story says"
    assert last == ("dx: ok" if is_true else reason)


def test_story_with_a_bug_still_ends_with_its_last_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(_: LawStage) -> None:
        raise LookupError("something nobody thought of")

    story = Story(name="dx", summary="A test.", parties=(PARTY,), tell=fail)
    assert tell(story, monkeypatch) == 1
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last == "dx: failed: LookupError: something nobody thought of"


def test_every_story_but_the_first_has_a_script_of_its_name() -> None:
    stories = everything.list_stories()
    assert {"d1", "d2", "d3", "d4"} <= set(stories)
    for name in stories[1:]:
        script = FOLDER / name
        assert os.access(script, os.X_OK)
        assert f'demo" {name} "$@"' in script.read_text()


@pytest.mark.parametrize("count", [None, 7, AGENCIES])
def test_parties_of_the_stories_found_a_ledger(count: int | None) -> None:
    for story in (d2.STORY, d3.STORY, d4.STORY, d6.STORY, d7.STORY, d8.STORY):
        parties = list_parties(story, count or len(story.parties))
        assert parties[: len(story.parties)] == story.parties
        assert len(parties) == (count or len(story.parties))
        genesis = build_genesis(build_development_spec(parties=parties))
        assert genesis["alloc"]
        assert len({party.label for party in parties}) == len(parties)


def test_story_with_too_few_agencies_says_whom_it_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in ("2", str(AGENCIES + 1)):
        with pytest.raises(SystemExit) as ended:
            run(d2.STORY, ["--agencies", number])
        assert ended.value.code == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"--agencies is 4 to {AGENCIES}" in said
        assert "Housing Institute, Macao" in said


def test_requests_of_the_scenes_fit_the_models_of_their_acts() -> None:
    stage = LawStage(Narrator(), [PARTY])
    subsidy = SubsidyScene(stage=stage, income=UID, subsidy=UID, notice=UID, law=UID)
    licence = LicenceScene(stage=stage, clearance=UID, licensing=UID, law=UID, act_list=UID)
    election = ElectionScene(stage=stage, register=UID, grants=UID, law=UID, act_list=UID)
    for request in (
        subsidy.ask(UID),
        subsidy.record("Ana"),
        licence.ask(UID, amount=7),
        election.ask(UID),
    ):
        assert request.act is not None
        ACTS[request.act].model.model_validate_json(json.dumps(request.body))


def test_file_of_the_register_has_its_associations_and_its_wrong_lines() -> None:
    scene = ElectionScene(stage=LawStage(Narrator(), [PARTY]), act_list=UID)
    data, president, wrong = scene.write_register(datetime(2024, 1, 1, tzinfo=UTC))
    lines = data.decode().splitlines()
    assert len(lines) == ASSOCIATIONS + wrong
    whole = []
    for line in lines:
        try:
            whole.append(json.loads(line))
        except ValueError:
            continue
    assert len(whole) == len(lines) - 1
    (choir,) = [line for line in whole if line.get("body", {}).get("number") == CHOIR.number]
    assert choir["uid"] == president


def test_all_stories_are_told_and_the_failed_ones_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    grounds: set[tuple[str, str]] = set()

    def run_one(name: str, database: str, network: str) -> int:
        told.append(name)
        grounds.add((database, network))
        return 1 if name == "d3" else 0

    monkeypatch.setattr(everything, "_run", run_one)
    assert everything.main([]) == 1
    assert tuple(told) == (*everything.list_stories(), "ledgers")
    assert capsys.readouterr().out.strip().splitlines()[-1] == "demo: failed: d3"
    monkeypatch.setattr(everything, "_run", run_one)
    monkeypatch.setattr(everything, "list_stories", lambda: ("d1", "d2"))
    told.clear()
    assert everything.main(["--database", "postgresql"]) == 0
    assert told == ["d1", "d2", "ledgers"]
    told.clear()
    assert everything.main(["--network", "anvil"]) == 0
    assert told == ["d1", "d2"]
    assert grounds == {("sqlite", "own"), ("postgresql", "own"), ("sqlite", "anvil")}
    said = capsys.readouterr().out
    assert said.count("Left out here: ledgers") == 1
    assert said.strip().splitlines()[-1] == "demo: ok"


def test_all_stories_interrupted_say_during_which(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: str, _database: str, _network: str) -> int:
        raise everything.Interrupted

    monkeypatch.setattr(everything, "_run", interrupt)
    assert everything.main([]) == 1
    assert capsys.readouterr().out.strip().splitlines()[-1].startswith("demo: failed: interrupted")
