"""Energy and dissipation: what schedules cost and forgive."""
