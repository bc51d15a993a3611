"""Bots killed before and after every journal write and every effect of UC1 and UC2, restarted, and looked at.

Real processes on a real homeserver; which points there are is learned from a run (`points`), never listed by hand.
"""
