"""The example in the integrator's README runs as it stands."""

import re
from pathlib import Path


def test_readme_example_runs() -> None:
    readme = (Path(__file__).parents[3] / "client" / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    assert len(examples) == 1
    for example in examples:
        exec(compile(example, "client/README.md", "exec"), {"__name__": "readme"})
