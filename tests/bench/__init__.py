"""The bench's judgement of its measurements. The bench itself is no test, because it says much about its machine."""
