"""How people read dates and numbers there."""
