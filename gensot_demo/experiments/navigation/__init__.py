"""Navigation: how a guided process is led, learnt and tuned; by closed forms."""
