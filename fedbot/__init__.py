"""fedbot: a Matrix bot that lets makerspaces lend, give and request stock held in their InvenTree servers.

`rules` has the rules, `commands` the verbs that people type, `messages` the texts that they read. The edges are
`matrix`, `inventree` and `journal`; `engine` connects everything.
"""
