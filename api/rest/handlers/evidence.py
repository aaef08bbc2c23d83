"""Evidence: what the ledger node behind this API holds against others, and the files of it."""

from api.rest.answers import EvidenceFile, EvidenceItem, EvidencePage
from api.rest.call import Call, Reply
from api.rest.cursors import encode_cursor


async def list_evidence(call: Call) -> Reply:
    """List the acts that the node keeps proof of, newest height first."""
    page = call.get_page()
    first = 0 if page.after is None else page.after
    found = await call.services.ledger.get_evidence(first + page.limit + 1)
    chosen = found[first : first + page.limit]
    following = first + len(chosen)
    return Reply(
        model=EvidencePage(
            items=[EvidenceItem.model_validate(item) for item in chosen],
            next=encode_cursor(following) if following < len(found) else None,
        )
    )


async def get_evidence(call: Call) -> Reply:
    """Return the file of one act, which proves itself to whoever has the genesis file."""
    content = await call.services.ledger.export_evidence(call.get_digest("id"))
    return Reply(model=EvidenceFile.model_validate(content))
