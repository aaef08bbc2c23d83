"""The operator's request to let a validator sign again; see `node.validator.resume`."""

from node.daemon.opening import DataFolder
from node.errors import UserFault
from node.keys import read_key_file_info
from node.settings import Settings
from node.validator import resume
from node.validator.sign_store import find_sign_folder


def request_resume(settings: Settings) -> str:
    """Note the request in the sign-state folder and return what happens next.

    Raises UserFault for an observer, and what reading the key file raises.
    """
    file = settings.validator.key_file
    if file is None:
        raise UserFault("is not set: this node only observes", field="validator.key_file")
    root = DataFolder(root=settings.node.data_dir).sign_state
    resume.request_resume(find_sign_folder(root, read_key_file_info(file).address))
    return (
        "Noted. Start the node: it listens until enough validators have reported their heights, "
        "then signs above them."
    )
