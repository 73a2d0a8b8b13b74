"""Navigation: how a guided process is led, learnt and tuned; each question by closed form, progress where it simulates."""
