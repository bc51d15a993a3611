"""A transfer from asking to its end: offer, request, the sender's decision, send, receive, parcel, dispute, resolve."""
