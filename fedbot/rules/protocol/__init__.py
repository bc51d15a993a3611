"""The protocol between bots: message bodies, the terms of a transfer, sequence numbers, announced parties."""
