"""What a monitor can ask the running bot: /healthz and /metrics, on a socket in the state folder or on TCP.

No user interface and nothing secret is here. The engine supplies the figures as `standing`.
"""
