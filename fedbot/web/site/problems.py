"""Refusals of the API: RFC 9457 problem documents, with the sentence that chat would show."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

from fedbot.messages import markup
from fedbot.messages.language import Locale
from fedbot.messages.rendering import render
from fedbot.rules.model.command import WebAnswer
from fedbot.rules.model.effects import Phrase

MEDIA_TYPE = "application/problem+json"
URN = "urn:fedbot:problem:"
TYPES: Mapping[int, tuple[str, ...]] = {
    400: ("bad_request",),
    401: ("not_known", "login_wrong"),
    403: (
        "stranger",
        "not_entitled",
        "not_entitled_to_decide",
        "not_yours_to_decide",
        "needs_another_person",
        "not_your_own",
        "not_active",
        "read_only",
        "ends_only_itself",
        "not_our_form",
        "inventory_refuses",
        "login_refused",
    ),
    404: (
        "no_such_id",
        "no_such_space",
        "subject_elsewhere",
        "not_in_your_rooms",
        "no_such_cursor",
        "no_such_search",
        "no_such_picture",
        "no_such_token",
        "no_such_line",
        "not_found",
    ),
    405: ("method_not_allowed",),
    409: ("page_is_outdated", "quantity_unreadable", "holds_too_much"),
    413: ("too_large",),
    422: (
        "not_understood",
        "key_used_before",
        "no_such_verb",
        "word_too_many",
        "argument_missing",
        "no_such_option",
        "option_without_text",
        "option_twice",
        "two_different",
        "two_quantities",
        "quotes_not_closed",
        "number_unclear",
        "line_too_long",
        "word_too_long",
        "note_too_long",
        "too_many_lines",
        "one_at_a_time",
    ),
    429: ("says_too_much", "searched_too_often", "tries_too_often", "too_many_calls"),
    500: ("set_aside", "failed"),
    503: ("inventory_silent", "permissions_unreadable"),
}
"""By status, the names of the sentences that refuse a call. Any other refusal in chat is a 409."""
OTHER = 409
_STATUS = {name: status for status, names in TYPES.items() for name in names}


class ProblemDocument(BaseModel):
    """Why a call was refused. `type` ends in the name of the sentence. A name never changes its meaning."""

    type: str = Field(
        description="what to compare: it ends in the name of the sentence", examples=["urn:fedbot:problem:not_entitled"]
    )
    title: str = Field(description="the first line, as a person reads it in chat")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="the whole text, as a person reads it in chat")
    choices: list[str] = Field(default=[], description="lines to send instead, one of which may be meant")


class Problem(Exception):
    """Answers a call with a problem document. `said` is its sentence, or the refusal that chat would show.

    `status`: by default the sentence's (`TYPES`). `wait`: seconds for the `Retry-After` header.
    """

    def __init__(self, said: Phrase | WebAnswer, *, status: int = 0, wait: int = 0) -> None:
        super().__init__(said)
        self.status = status or _STATUS.get(said.sentence if isinstance(said, WebAnswer) else said.name, OTHER)
        self.said = said
        self.wait = wait

    def document(self, locale: Locale) -> ProblemDocument:
        """The document in this language."""
        said = self.said
        if isinstance(said, WebAnswer):
            name, detail, choices = said.sentence, said.plain, said.choices
        else:
            name, detail, choices = said.name, markup.render(render(said, locale, locale.now)).plain, ()
        return ProblemDocument(
            type=f"{URN}{name}",
            title=detail.partition("\n")[0],
            status=self.status,
            detail=detail,
            choices=list(choices),
        )
