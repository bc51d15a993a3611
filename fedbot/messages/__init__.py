"""Every sentence that a person reads: one function a phrase, in files by topic, rendered by `rendering.render`.

When something is said does not live here (`federation`, `verbs`), nor how it looks on the wire (`chat.content`).
"""

from fedbot.messages.language import Locale as Tongue
from fedbot.messages.rendering import render

__all__ = ["Tongue", "render"]
