"""`fedbot verify`: the account's cross-signing keys become the bot's own."""

from __future__ import annotations

from fedbot.chat.cross_signing import take_over
from fedbot.chat.login import sign_in
from fedbot.chat.private_files import KEYS, private_folder
from fedbot.config import Settings
from fedbot.ports import ChatRefused
from fedbot.wiring import identity_folder, matrix_account


async def verify(settings: Settings) -> None:
    """Put our keys in the place of another client's, by the password, and sign our device. Raises `ChatProblem`.

    Whoever had verified the account is asked to do so again by their client. The device must have been in use: the
    bot has run since it can encrypt.
    """
    account, folder = matrix_account(settings), identity_folder(settings)
    if not account.password:
        raise ChatRefused("That needs the password of the bot's account: matrix.password_file. Nothing was changed.")
    _, connection = await sign_in(account, folder)
    try:
        await take_over(connection, private_folder(folder / KEYS), account.password)
    finally:
        await connection.close()
