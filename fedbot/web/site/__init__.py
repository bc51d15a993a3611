"""Pages and a REST API for people who don't chat. Only imported if `pages.listen` is set.

The same rules decide as in chat: a line or a decision becomes an event, and its answer comes back (`bot.Bot`).
"""
