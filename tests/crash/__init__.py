"""Bots killed before and after every journal write and every effect of many stories, restarted, and looked at.

Real processes on a real homeserver; which points there are is learned from a run (`points`), never listed by hand.
"""
