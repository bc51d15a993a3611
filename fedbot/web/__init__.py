"""Health and metrics of the running bot: /healthz and /metrics, on a socket in the state folder or on TCP.

It has no user interface, and nothing in it is secret. The engine supplies the figures as `status`.
"""
