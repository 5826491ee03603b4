"""One conversation, made ready for its page: lines, changes between them, days, and the ways from one to the next."""
