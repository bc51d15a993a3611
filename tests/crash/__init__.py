"""Kill bots before and after every journal write and every effect of many stories, restart them, check the result.

Real processes on a real homeserver. A first run finds the points (`points`); no list is kept by hand.
"""
