"""The operator's request to let a validator sign again; see `node.validator.resume`."""

from node.daemon.opening import DataFolder
from node.errors import UserFault
from node.settings import Settings
from node.validator import resume


def request_resume(settings: Settings) -> str:
    """Note the request in the sign-state folder and return what happens next.

    Raises UserFault for an observer.
    """
    if settings.validator.key_file is None:
        raise UserFault("is not set: this node only observes", field="validator.key_file")
    resume.request_resume(DataFolder(root=settings.node.data_dir).sign_state)
    return (
        "Noted. Start the node: it listens until enough validators have reported their heights, "
        "then signs above them."
    )
