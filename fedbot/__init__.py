"""fedbot: a Matrix bot that lets makerspaces lend, give and request stock held in their InvenTree servers.

The rules are in `rules`, what people type in `commands`, what they read in `messages`, the edges in `matrix`,
`inventree` and `journal`; `engine` puts them together.
"""
