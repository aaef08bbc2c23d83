"""What is wrong with several members of a body together."""


class Contradiction(ValueError):
    """Members of one object that do not go together, or of which one is missing.

    Raised by the models' own checks; the problem document names the first of them as `field` and
    all of them as `fields`.
    """

    def __init__(self, reason: str, *fields: str) -> None:
        assert fields, "a contradiction is between members"
        super().__init__(reason)
        self.reason = reason
        self.fields = fields
