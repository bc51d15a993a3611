"""Every sentence that a person reads: one function a phrase, in files by topic, rendered by `rendering.render`.

When something is said does not live here (`federation`, `verbs`), nor how it looks on the wire (`chat.content`).
"""

from fedbot.chat.words.rendering import render
from fedbot.chat.words.tongue import Tongue

__all__ = ["Tongue", "render"]
