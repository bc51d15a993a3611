"""Pages and a REST API for people who don't chat. Imported only where `pages.listen` asks for them.

The same rules decide as in chat: a line or a decision becomes an event, and its answer comes back (`bot.Bot`).
"""
