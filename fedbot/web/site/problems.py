"""What the API answers instead of a result: RFC 9457 problem documents, with the sentence that chat would show."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field

from fedbot.messages import formatting
from fedbot.messages.language import Locale
from fedbot.messages.rendering import render
from fedbot.rules.model.command import WebAnswer
from fedbot.rules.model.effects import Phrase

MEDIA_TYPE = "application/problem+json"
URN = "urn:fedbot:problem:"
_STATUS: Mapping[str, int] = {
    "stranger": 403,
    "not_entitled": 403,
    "not_entitled_to_decide": 403,
    "not_yours_to_decide": 403,
    "needs_another_person": 403,
    "not_your_own": 403,
    "no_such_id": 404,
    "no_such_space": 404,
    "subject_elsewhere": 404,
    "says_too_much": 429,
    "searched_too_often": 429,
    "inventory_silent": 503,
    "rights_unreadable": 503,
    **dict.fromkeys(
        (
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
            "word_too_long",
            "note_too_long",
            "too_many_lines",
            "one_at_a_time",
        ),
        422,
    ),
}
"""By the name of the sentence; whatever else is refused doesn't fit what is true now (409)."""


class ProblemDocument(BaseModel):
    """Why a call has no effect. `type` ends in the name of the sentence, which never changes its meaning."""

    type: str = Field(examples=["urn:fedbot:problem:not_entitled"])
    title: str = Field(description="the first line, as a person reads it in chat")
    status: int
    detail: str = Field(description="all of it, as a person reads it in chat")
    choices: list[str] = Field(default=[], description="lines of which one may be meant, to be sent instead")


class Problem(Exception):
    """The call is answered with this document. `said` has the sentence, or is the refusal that chat would show.

    `wait`: so many seconds the caller is to wait.
    """

    def __init__(self, status: int, said: Phrase | WebAnswer, *, wait: int = 0) -> None:
        super().__init__(said)
        self.status = status
        self.said = said
        self.wait = wait

    def document(self, locale: Locale) -> ProblemDocument:
        """It in words."""
        said = self.said
        if isinstance(said, WebAnswer):
            name, detail, choices = said.sentence, said.plain, said.choices
        else:
            name, detail, choices = said.name, formatting.render(render(said, locale, locale.now)).plain, ()
        return ProblemDocument(
            type=f"{URN}{name}",
            title=detail.partition("\n")[0],
            status=self.status,
            detail=detail,
            choices=list(choices),
        )


def of_answer(answer: WebAnswer) -> Problem:
    """The refusal of a line or decision."""
    return Problem(_STATUS.get(answer.sentence, 409), answer)
