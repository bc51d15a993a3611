"""What a monitor may ask of the running bot: /healthz and /metrics, on a socket in the state folder or TCP.

No user interface and nothing secret lives here; what the figures are is known to whoever gives `standing`.
"""
